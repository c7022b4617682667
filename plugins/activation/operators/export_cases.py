"""Puts the case of contract s3_export 1.4 in front of errors that do not come from AWS: the warehouse's, and our own state's."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from activation.delivery.journal import Journal
from activation.destinations.s3.cases import ExportCase
from activation.destinations.s3.errors import case_error
from activation.errors import ActivationError, ConfigurationError, TransientError

T = TypeVar("T")

_KNOWN = tuple(case.value for case in ExportCase)


@contextmanager
def cased(case: ExportCase) -> Iterator[None]:
    """Let the text of an error of this package begin with a case, unless it does with one; its kind and its remedy stay."""
    try:
        yield
    except ActivationError as error:
        if str(error).startswith(_KNOWN):
            raise
        if isinstance(error, ConfigurationError):
            raise ConfigurationError(f"{case.value}: {error.problem}", error.fix) from None
        raise type(error)(f"{case.value}: {error}") from None


def queried(rows: Iterable[T]) -> Generator[T, None, None]:
    """Rows of a warehouse; what goes wrong while they are read is ``failed_to_run_query``."""
    with cased(ExportCase.QUERY):
        yield from rows


class ExportJournal(Journal):
    """A run journal whose failure is the case ``ddb update fail``: it holds what Dfinery keeps in DynamoDB."""

    def note(self, run: str, started: str, status: str, **more: Any) -> None:
        """Record how a run stands.

        :raises TransientError: ``ddb update fail``, if the record cannot be written.
        """
        try:
            super().note(run, started, status, **more)
        except TransientError as error:
            raise case_error(ExportCase.STATE, f"{error}.") from error
