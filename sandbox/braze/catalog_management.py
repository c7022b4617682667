"""GET and POST /catalogs (row S14)."""

import re
from typing import Any

from sandbox.braze import contract_catalogs as contract
from sandbox.braze.catalog_errors import Errors
from sandbox.braze.catalogs import Catalog, Catalogs
from sandbox.braze.contract import SUCCESS
from sandbox.braze.replies import Refused, Reply, json_reply, unparsable
from sandbox.braze.stats import Exchange
from sandbox.braze.wire import BodyUnparsable, read_object
from sandbox.braze.world import World

_NAME = re.compile(contract.NAME_PATTERN, re.ASCII)


def list_catalogs(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer GET /catalogs."""
    world.settled()
    return json_reply(200, {"catalogs": [catalog.described() for catalog in world.catalogs], "message": SUCCESS})


def create_catalog(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer POST /catalogs: one catalog, there at once."""
    try:
        given = read_object(body).get("catalogs")
    except BodyUnparsable:
        raise Refused(unparsable()) from None
    catalog = examined(world.catalogs, given, world.clock())
    world.catalogs.create(catalog)
    return json_reply(201, {"catalogs": [catalog.described()], "message": SUCCESS})


def examined(known: Catalogs, given: Any, now: float) -> Catalog:
    """The catalog that a request describes.

    Raises:
        Refused: the description breaks a rule.
    """
    errors = Errors()
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        errors.add(contract.CATALOG_ARRAY_INVALID, "catalogs")
        errors.raise_any()
    if len(given) > 1:
        errors.add(contract.TOO_MANY_CATALOGS, "catalogs")
        errors.raise_any()
    name, description = given[0].get("name"), given[0].get("description", "")
    _check_name(known, name, errors)
    if not isinstance(description, str) or len(description) > contract.ID_CHARACTERS:
        errors.add(contract.DESCRIPTION_TOO_LONG, "description", description)
    fields = _checked_fields(given[0].get("fields"), errors)
    errors.raise_any()
    return Catalog(name, description, fields, now)


def _check_name(known: Catalogs, name: Any, errors: Errors) -> None:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        errors.add(contract.INVALID_CATALOG_NAME, "name", name)
    elif len(name) > contract.ID_CHARACTERS:
        errors.add(contract.CATALOG_NAME_TOO_LARGE, "name", name)
    elif name in known:
        errors.add(contract.CATALOG_EXISTS, "name", name)


def _checked_fields(given: Any, errors: Errors) -> dict[str, str]:
    if not isinstance(given, list) or not all(isinstance(item, dict) and {"name", "type"} <= item.keys() for item in given):
        errors.add(contract.FIELDS_MALFORMED, "fields")
        return {}
    if len(given) > contract.FIELDS:
        errors.add(contract.TOO_MANY_FIELDS, "fields")
    if not given or (given[0]["name"], given[0]["type"]) != ("id", "string"):
        errors.add(contract.ID_NOT_FIRST, "fields")
    fields: dict[str, str] = {}
    for item in given:
        name, kind = item["name"], item["type"]
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            errors.add(contract.INVALID_FIELD_NAMES, "name", name)
        elif len(name) > contract.ID_CHARACTERS:
            errors.add(contract.FIELD_NAMES_TOO_LARGE, "name", name)
        elif name in fields:
            errors.add(contract.FIELD_NAMES_NOT_UNIQUE, "name", name)
        elif kind not in contract.FIELD_TYPES:
            errors.add(contract.INVALID_FIELD_TYPES, "type", kind)
        else:
            fields[name] = kind
    return fields
