"""What a self-check finds: one line a check. Sources and destinations share it; ``activation check`` prints it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from activation.errors import ActivationError, TransientError


class Verdict(Enum):
    """How a check ended; the values are what people read."""

    OK = "ok"
    WRONG = "WRONG"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    :ivar text: what was seen; for a wrong result also what was expected, for a skipped check the reason. Never a secret.
    :ivar passing: whether what is wrong may pass by itself.
    """

    verdict: Verdict
    name: str
    text: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    :ivar look: gives what was seen; raises :class:`Wrong` or :class:`Skip`, and anything else it raises is wrong too.
    """

    name: str
    look: Callable[[], str]


class Wrong(Exception):
    """What was seen is not what was expected; the text says both."""


class Skip(Exception):
    """The check cannot be made here; the text says why."""


def expect(seen: object, expected: object, what: str = "") -> None:
    """Compare.

    :raises Wrong: with both values, if they differ.
    """
    if seen != expected:
        raise Wrong(f"{what}{' ' if what else ''}expected {expected!r}, but got {seen!r}")


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Make the checks one after the other; a failing one does not stop the next."""
    for check in checks:
        try:
            yield Finding(Verdict.OK, check.name, check.look())
        except Skip as reason:
            yield Finding(Verdict.SKIPPED, check.name, str(reason))
        except (Wrong, ActivationError) as error:
            yield Finding(Verdict.WRONG, check.name, str(error), isinstance(error, TransientError))
        except Exception as error:  # noqa: BLE001 - a driver's own error that nobody mapped is what a check is there to find
            # Only kind and place: a driver's text can hold a value or a credential.
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            yield Finding(Verdict.WRONG, check.name, f"unexpected {type(error).__name__} at {place}")


def until_wrong(checks: Iterable[Check]) -> Iterator[Finding]:
    """Make checks of which each needs the ones before it: a finding that is wrong is the last."""
    for finding in examine(checks):
        yield finding
        if finding.verdict is Verdict.WRONG:
            return


def require(checks: Iterable[Check], tell: Callable[[Finding], None]) -> None:
    """Make checks as the first thing of a run.

    :param tell: gets each finding; none is wrong.
    :raises ActivationError: and whatever else a check raises, at the first thing that is wrong.
    """
    for one in checks:
        try:
            tell(Finding(Verdict.OK, one.name, one.look()))
        except Skip as reason:
            tell(Finding(Verdict.SKIPPED, one.name, str(reason)))
