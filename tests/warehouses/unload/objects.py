"""The bucket as the tests of unloaders see it."""

from __future__ import annotations

from dataclasses import dataclass, field


class Nothing:
    """A bucket that must not be asked."""

    def read(self, url: str) -> bytes | None:
        """Fail."""
        raise AssertionError(f"nothing is to be read, but {url} was")

    def below(self, url: str) -> tuple[str, ...]:
        """Fail."""
        raise AssertionError(f"nothing is to be listed, but {url} was")


@dataclass
class Held:
    """A bucket with these objects, address -> content."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def read(self, url: str) -> bytes | None:
        """The content of an object."""
        return self.objects.get(url)

    def below(self, url: str) -> tuple[str, ...]:
        """The addresses that begin so."""
        return tuple(sorted(one for one in self.objects if one.startswith(url)))
