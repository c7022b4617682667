"""Statements that Databricks runs on its own (Statement Execution API): begun by one process, asked for by another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

RUNNING = frozenset({"PENDING", "RUNNING"})
WELL = frozenset({"SUCCEEDED", "CLOSED"})
"""States of a statement (Databricks REST API, Statement Execution): ``CLOSED`` has succeeded too, its rows are gone."""


class ServiceError(Exception):
    """The service did not do what it was asked for.

    :param status: the HTTP status; ``None`` if there was no answer.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text, status)
        self.text, self.status = text, status

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Told:
    """What the service tells of a statement.

    :ivar state: ``PENDING``, ``RUNNING``, ``SUCCEEDED``, ``CLOSED``, ``FAILED`` or ``CANCELED``.
    :ivar message: why it failed.
    """

    state: str
    message: str = ""


class Statements(Protocol):
    """The service, as the official hook reaches it. Each method raises :class:`ServiceError`."""

    def submit(self, text: str) -> str:
        """Begin a statement in a session of its own; gives its id."""

    def state(self, statement: str) -> Told:
        """What became of a statement."""

    def cancel(self, statement: str) -> None:
        """Stop a statement."""


@dataclass(frozen=True, slots=True)
class Client:
    """What a Databricks warehouse is opened with.

    :ivar connection: a ``databricks.sql.client.Connection``.
    :ivar statements: ``None`` if there is no way to them.
    :ivar missing: why there is none, one sentence.
    """

    connection: Any
    statements: Statements | None = None
    missing: str = "Databricks unloads over an Airflow connection only."
