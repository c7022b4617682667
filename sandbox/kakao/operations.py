"""What the API does: list, register, edit, delete, usages, ad accounts (2, 3)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from sandbox.kakao.customer_file import CustomerFile
from sandbox.kakao.errors import Refused, business, refused
from sandbox.kakao.faults import Fault
from sandbox.kakao.routes import Route
from sandbox.kakao.tokens import Token
from sandbox.kakao.world import World

_LARGEST_JSON: Final = 1 << 20


@dataclass(frozen=True)
class Asked:
    """A request that may be carried out."""

    world: World
    request: web.BaseRequest
    route: Route
    token: Token
    account: str
    fault: Fault | None

    @property
    def failing(self) -> bool:
        """Whether the extraction of what is uploaded fails."""
        return self.fault is not None and self.fault.do == "extraction_error"

    def failure(self, failure: str, message: str) -> Refused:
        """An error that only customer files have."""
        return business(self.world.settings.shape.details[failure], message)


async def list_files(asked: Asked) -> Any:
    """All files of the account."""
    world = asked.world
    found = world.files(asked.account) if world.settings.answers.list_deleted else world.living(asked.account)
    return [one.shown(asked.route.generation, world.settings, world.clock.now()) for one in found]


async def register(asked: Asked) -> Any:
    """A new file from CSV parts."""
    _room(asked)
    upload = await asked.world.intake(asked.fault).read(asked.request)
    try:
        name = _named(asked, upload.texts.get(asked.world.settings.shape.name))
        _typed(asked, upload.texts.get(asked.world.settings.shape.file_type))
        _room(asked)  # others may have come while this one was read
    except Refused:
        upload.remove()
        raise
    return _written(asked, asked.world.add(asked.account, name, upload, failing=asked.failing))


async def register_url(asked: Asked) -> Any:
    """A new file from what a URL gives now; it is not fetched again. One that gives nothing of use ends in ERROR."""
    _room(asked)
    given, shape = await _json(asked.request), asked.world.settings.shape
    if not isinstance(given, dict):
        raise refused(-2)
    name, url = _named(asked, given.get(shape.name)), given.get(shape.url)
    _typed(asked, given.get(shape.file_type))
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise asked.failure("url", "The URL must begin with http:// or https://.")
    intake = asked.world.intake(asked.fault)
    upload = await intake.fetch(url)
    failing = upload is None or asked.failing
    return _written(asked, asked.world.add(asked.account, name, upload or intake.upload, source_url=url, failing=failing))


async def edit(asked: Asked) -> Any:
    """Replace the content of a file, and its name if one is given (C7)."""
    world = asked.world
    _editable(asked)
    upload = await world.intake(asked.fault).read(asked.request)
    try:
        file = _editable(asked)
        name = upload.texts.get(world.settings.shape.name)
        file.name = file.name if name is None else _named(asked, name, file)
    except Refused:
        upload.remove()
        raise
    now = world.clock.now()
    file.replace(upload, now, now + world.settings.states.modify_seconds, failing=asked.failing)
    return _written(asked, file)


async def delete(asked: Asked) -> Any:
    """Delete one file."""
    return _deleted(asked, [asked.route.id])


async def delete_many(asked: Asked) -> Any:
    """Delete files: all of them, or none."""
    shape = asked.world.settings.shape
    if shape.delete_many == "query":
        ids: Any = [one for text in asked.request.query.getall(shape.ids, []) for one in text.split(",")]
    else:
        given = await _json(asked.request)
        ids = given.get(shape.ids) if isinstance(given, dict) else given
    try:
        numbers = [int(one) for one in ids or ()]
    except (TypeError, ValueError):
        numbers = []
    if not numbers:
        raise refused(-2)
    return _deleted(asked, numbers)


async def usages(asked: Asked) -> Any:
    """Ad groups that target a file."""
    return asked.world.file(asked.account, asked.route.id).uses


async def ad_accounts(asked: Asked) -> Any:
    """A page of the ad accounts in which the user has a role (2.2)."""
    query = asked.request.query
    try:
        page, size = int(query.get("page", 0)), int(query.get("size", 10))
    except ValueError:
        raise refused(-2) from None
    states = query.get("config", "ON,OFF").split(",")
    if page < 0 or size < 1 or not set(states) <= {"ON", "OFF", "DEL"}:
        raise refused(-2)
    accounts = asked.world.settings.accounts.items()
    found = [
        {"id": int(number), "name": one.name, "config": one.config}
        for number, one in accounts
        if one.role and one.config in states and (asked.token.accounts is None or number in asked.token.accounts)
    ]
    content = found[page * size : (page + 1) * size]
    return {"content": content, "size": size, "totalElements": len(found), "totalPages": -(-len(found) // size), "page": page}


OPERATIONS: Final[dict[str, Callable[[Asked], Awaitable[Any]]]] = {
    "list": list_files,
    "register": register,
    "register_url": register_url,
    "edit": edit,
    "delete": delete,
    "delete_many": delete_many,
    "usages": usages,
    "ad_accounts": ad_accounts,
}


def _room(asked: Asked) -> None:
    most = asked.world.settings.limits.files
    if len(asked.world.living(asked.account)) >= most:
        raise asked.failure("too_many_files", f"An ad account has {most} customer files at most.")


def _named(asked: Asked, name: Any, file: CustomerFile | None = None) -> str:
    """A name that a file may have."""
    limits = asked.world.settings.limits
    if not isinstance(name, str):
        raise refused(-2)
    if not 1 <= len(name) <= limits.name_length:
        raise asked.failure("name", f"A name has 1 to {limits.name_length} characters.")
    others = (one.name for one in asked.world.living(asked.account) if one is not file)
    if not limits.duplicate_names and name in others:
        raise asked.failure("duplicate_name", "There is a customer file of this name.")
    return name


def _typed(asked: Asked, file_type: Any) -> None:
    """Only advertising ids are known (3)."""
    if file_type not in (None, "ADID"):
        raise refused(-2)


def _editable(asked: Asked) -> CustomerFile:
    file = asked.world.file(asked.account, asked.route.id)
    if file.status not in asked.world.settings.states.edit_from:
        raise asked.failure("state", f"A file that is {file.status} cannot be edited.")
    return file


def _deleted(asked: Asked, numbers: list[int]) -> Any:
    world = asked.world
    files = [world.file(asked.account, number) for number in dict.fromkeys(numbers)]
    if not world.settings.states.delete_in_use and any(one.uses for one in files):
        raise asked.failure("in_use", "An ad group targets the customer file.")
    for one in files:
        one.delete(world.clock.now() + world.settings.states.deleted_seconds)
    return None if world.settings.answers.delete == "empty" else {}


def _written(asked: Asked, file: CustomerFile) -> Any:
    """What register and edit answer (2.6)."""
    world = asked.world
    shown = file.shown(asked.route.generation, world.settings, world.clock.now())
    return {"object": shown, "id": {"id": file.id}, "array": [shown], "empty": None}[world.settings.answers.write]


async def _json(request: web.BaseRequest) -> Any:
    body = b""
    while chunk := await request.content.readany():
        body += chunk
        if len(body) > _LARGEST_JSON:
            raise refused(-2)
    try:
        return json.loads(body)
    except ValueError:
        raise refused(-2) from None
