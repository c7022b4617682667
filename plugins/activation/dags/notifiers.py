"""Airflow's notifiers, chosen by the type of a connection: no class name stands in a pipeline file.

The connection's type leads to its hook and its provider; of the provider's notifiers that one is taken which has a parameter for
such a connection and for a message, and whose other needs stand in the connection's extra field under the parameters' names.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from activation.dags.notices import Notice
from activation.errors import ConfigurationError
from activation.hooks.connections import find_connection

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier, Connection, Context

ADDRESSES = ("channel", "to", "tag", "chat_id", "message_group_id")
"""Parameters of notifiers that say where a message goes; taken from the extra field, beside those that have no default."""

NEEDED = ("channel", "to")
"""Those of them whose default would send it to somebody else."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one class of notifiers is made.

    :ivar made: the class.
    :ivar connection: its parameter for the connection's id.
    :ivar message: its parameter for the message.
    :ivar needs: its parameters that the connection's extra field must give.
    """

    made: type[BaseNotifier]
    connection: str
    message: str
    needs: tuple[str, ...]

    def missing(self, extra: Mapping[str, Any]) -> list[str]:
        """What the extra field does not say."""
        return [name for name in self.needs if not extra.get(name)]


def notify(connection_id: str, notice: Notice, context: Context) -> None:
    """Tell a connection. The texts are final: nothing in them is rendered as Jinja.

    :raises ConfigurationError: as :func:`reach` and :func:`notifier_of`.
    :raises RuntimeError: as :func:`reach`.
    """
    reach(connection_id, lambda connection: notifier_of(connection, notice).notify(context))


def reach(connection_id: str, tell: Callable[[Connection], None]) -> None:
    """Do something with a connection.

    :raises ConfigurationError: if there is no such connection, or ``tell`` raises it.
    :raises RuntimeError: for all else that goes wrong, without the connection's secrets.
    """
    connection = find_connection(connection_id)
    try:
        tell(connection)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - each client has its own, and its text may quote what the connection keeps
        raise RuntimeError(_without_secrets(f"{type(error).__name__}: {error}", connection)) from None


def notifier_of(connection: Connection, notice: Notice) -> BaseNotifier:
    """Make the notifier of a connection.

    :raises ConfigurationError: if no notifier fits, or the connection does not say where to.
    """
    kind, extra = connection.conn_type or "", connection.extra_dejson
    ways = list(ways_of(kind))
    if not ways:
        raise ConfigurationError(
            f"There is no notifier for a connection of type {kind} ({connection.conn_id}).",
            f"Name a connection of one of the types {', '.join(types_that_can())}, or install the provider that has it.",
        )
    way = next((way for way in ways if not way.missing(extra)), None)
    if way is None:
        choices = " or ".join(json.dumps(dict.fromkeys(way.needs, "…"), ensure_ascii=False) for way in ways)
        raise ConfigurationError(
            f"The connection {connection.conn_id} of type {kind} does not say where to send a message.",
            f"Write {choices} into its extra field.",
        )
    taken = inspect.signature(way.made).parameters
    given = {name: value for name, value in notice.additions().items() if name in taken}
    given |= {name: extra[name] for name in {*way.needs, *ADDRESSES} if name in taken and extra.get(name)}
    return way.made(**given, **{way.connection: connection.conn_id, way.message: notice.arguments(kind)[way.message]})


def ways_of(kind: str) -> Iterator[Way]:
    """The notifiers of the installed providers that take a connection of a type."""
    for types, names in _providers():
        if kind in types:
            parameters = {getattr(_imported(types[kind]), "conn_name_attr", ""), f"{kind}_conn_id"}
            yield from filter(None, (_way(_imported(name), parameters) for name in names))


def types_that_can() -> list[str]:
    """The connection types of the installed providers for which there is a notifier."""
    return sorted(kind for types, _ in _providers() for kind in types if next(ways_of(kind), None) is not None)


def _way(made: Any, connections: set[str]) -> Way | None:
    taken = inspect.signature(made).parameters if isinstance(made, type) else {}
    connection = next((name for name in taken if name in connections), None)
    known = Notice("", {})
    message = next((name for name in known.arguments("") if name in taken), None)
    if connection is None or message is None:
        return None
    ours = {connection, message, *known.additions()}
    needs = (
        name
        for name, one in taken.items()
        if name not in ours
        and one.kind is not inspect.Parameter.VAR_KEYWORD
        and (one.default is inspect.Parameter.empty or name in NEEDED)
    )
    return Way(made, connection, message, tuple(needs))


def _providers() -> Iterator[tuple[dict[str, str], list[str]]]:
    """Of each provider with notifiers: its connection types with the names of their hooks, and the names of its notifiers."""
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    for provider in ProvidersManagerTaskRuntime().providers.values():  # type: ignore[no-untyped-call]
        if names := provider.data.get("notifications"):
            types = provider.data.get("connection-types", ())
            yield {one["connection-type"]: one["hook-class-name"] for one in types}, list(names)


def _imported(name: str) -> Any:
    """A class by its name; ``None`` if it cannot be imported, because a part of its provider is not installed."""
    module, _, attribute = name.rpartition(".")
    with suppress(Exception):  # of Python's or of Airflow's own kinds
        return getattr(import_module(module), attribute, None)
    return None


def _without_secrets(text: str, connection: Connection) -> str:
    """An error's text without what the connection keeps to itself: clients like to quote the address that they have called."""
    extra = [value for value in connection.extra_dejson.values() if isinstance(value, str) and len(value) > 7]
    for secret in filter(None, (connection.password, *extra)):
        text = text.replace(secret, "***")
    return text
