"""Profiles by e-mail address and phone number (row S5). Several profiles may share one."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from sandbox.braze.identity import IdentityKey

_KINDS = {"email", "phone"}
_P = TypeVar("_P")


class Contacts(Generic[_P]):
    """An index that its owner tells of every change."""

    def __init__(self) -> None:
        self._profiles: dict[tuple[str, str], list[_P]] = {}
        self._addresses: dict[_P, dict[str, str]] = {}

    def find(self, key: IdentityKey) -> list[_P]:
        """The profiles that hold the address of an ``email`` or ``phone`` key."""
        return self._profiles.get((key[0], _normal(key[1])), [])

    def change(self, profile: _P, attributes: Mapping[str, Any]) -> None:
        """Take in the addresses among changed attributes; one that is not named stays, and null removes it."""
        for kind in attributes.keys() & _KINDS:
            held = self._addresses.setdefault(profile, {})
            old, new = held.pop(kind, None), attributes[kind]
            if old is not None:
                self._profiles[kind, old].remove(profile)
            if isinstance(new, str):
                held[kind] = _normal(new)
                self._profiles.setdefault((kind, held[kind]), []).append(profile)

    def forget(self, profile: _P) -> None:
        """Take a profile out of the index."""
        self.change(profile, dict.fromkeys(_KINDS))
        self._addresses.pop(profile, None)


def _normal(address: str) -> str:
    return address.lower()  # C, live: Braze compares e-mail addresses in lower case
