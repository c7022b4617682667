"""Servers that tests share, because their start takes longer than most tests: each is started once a process."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar, cast

from sandbox.warehouses import sandbox_of
from sandbox.warehouses.base import WarehouseSandbox

Server = TypeVar("Server", bound=AbstractContextManager[Any])

_running: dict[tuple[Any, ...], Any] = {}
_held = ExitStack()


def shared(kind: type[Server], *arguments: str) -> Server:
    """A running server. What a test makes on it needs a name that no other test uses.

    :param arguments: what it is made with.
    """
    key = (kind, *arguments)
    if key not in _running:
        _running[key] = _held.enter_context(kind(*arguments))
    return cast(Server, _running[key])


def shared_warehouse(engine: str) -> WarehouseSandbox:
    """A running warehouse; see :func:`shared`."""
    return shared(type(sandbox_of(engine)))


def stop() -> None:
    """Stop all of them."""
    _running.clear()
    _held.close()
