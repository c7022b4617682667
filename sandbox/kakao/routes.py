"""Which operation a method and a path ask for, and what it needs (2.1, 3, 4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sandbox.kakao import contract
from sandbox.kakao.errors import Refused, refused
from sandbox.kakao.settings import Settings

_PATH: Final = re.compile(
    rf"{contract.PREFIX}(?P<generation>{contract.FILES}|{contract.DATA})(?P<rest>/url|/usages/(?P<used>\d+)|/(?P<id>\d+))?"
)
_ACCOUNTS: Final = f"{contract.PREFIX}adAccounts/pages"
_WRITES: Final = ("register", "register_url", "edit", "delete", "delete_many")
_DELETES: Final = ("delete", "delete_many")


@dataclass(frozen=True)
class Route:
    """What is asked for.

    :ivar generation: ``customerFiles`` or ``customerData``; empty for what belongs to none.
    :ivar id: of the file; 0 if none is named.
    """

    operation: str
    generation: str = ""
    id: int = 0

    @property
    def write(self) -> bool:
        """Whether it changes something."""
        return self.operation in _WRITES

    @property
    def scopes(self) -> tuple[str, ...]:
        """Consent items that it needs."""
        return (contract.MANAGE, contract.REMOVE) if self.operation in _DELETES else (contract.MANAGE,)


def route(settings: Settings, method: str, path: str) -> Route:
    """Find it.

    :raises Refused: -3 if there is no such API.
    """
    if (method, path) == ("GET", _ACCOUNTS):
        return Route("ad_accounts")
    found = _PATH.fullmatch(path)
    if found is None:
        raise refused(-3)
    rest = re.sub(r"\d+", "ID", found["rest"] or "")
    operations = {
        ("GET", ""): "list",
        ("POST", ""): "register",
        ("POST", "/url"): "register_url",
        (settings.shape.edit, "/ID"): "edit",
        ("DELETE", "/ID"): "delete",
        ("DELETE", ""): "delete_many",
        ("GET", "/usages/ID"): "usages",
    }
    operation = operations.get((method, rest))
    if operation is None:
        raise refused(-3)
    return Route(operation, found["generation"], int(found["id"] or found["used"] or 0))


def answering(settings: Settings, generation: str) -> Refused | None:
    """Why a generation of the resource does not answer, if it does not (C12, C13)."""
    if generation == contract.FILES and settings.generation == "retired":
        return refused(-9)
    alone = {contract.FILES: "customer_data", contract.DATA: "customer_files"}.get(generation)
    return refused(-3) if settings.generation == alone else None
