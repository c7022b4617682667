"""POST, PUT, PATCH and DELETE /catalogs/{catalog_name}/items (row S14)."""

import re
from functools import partial
from typing import Any

from sandbox.braze import contract_catalogs as contract
from sandbox.braze.catalog_errors import Errors, missing
from sandbox.braze.catalog_values import ValueRefused, coerced
from sandbox.braze.catalogs import Catalog
from sandbox.braze.contract import SUCCESS
from sandbox.braze.replies import Refused, Reply, message, unparsable
from sandbox.braze.stats import Exchange
from sandbox.braze.wire import BodyUnparsable, read_object
from sandbox.braze.world import World

_NAME = re.compile(contract.NAME_PATTERN, re.ASCII)


def change_items(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer the four item calls: 202 for all items of the request, or 400 for none."""
    catalog = world.catalogs.find(exchange.parameters["catalog_name"])
    if catalog is None:
        raise missing(exchange.parameters["catalog_name"])
    try:
        given = read_object(body).get("items")
    except BodyUnparsable:
        raise Refused(unparsable()) from None
    items = _examined(catalog, exchange.method, given)
    exchange.accepted["items"] = len(items)
    world.take_in(partial(world.catalogs.carry_out, catalog, exchange.method, items), exchange)
    return message(202, SUCCESS)


def _examined(catalog: Catalog, method: str, given: Any) -> list[dict[str, Any]]:
    errors = Errors()
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        errors.add(contract.ITEM_ARRAY_INVALID, "items")
        errors.raise_any()
    if len(given) > contract.ITEMS:
        errors.add(contract.TOO_MANY_ITEMS, "items")
        errors.raise_any()
    _check_ids(given, errors)
    if method == "DELETE":
        errors.raise_any()
        return [{"id": item["id"]} for item in given]
    items = [_fields(catalog, item, errors, edits=method == "PATCH") for item in given]
    errors.raise_any()
    return items


def _check_ids(given: list[dict[str, Any]], errors: Errors) -> None:
    seen: set[str] = set()
    for position, item in enumerate(given):
        name = item.get("id")
        if name is None or name == "":
            errors.add(contract.ITEMS_MISSING_IDS, None, position)
        elif not isinstance(name, str):
            errors.add(contract.IDS_NOT_STRINGS, "id", name)
        elif len(name) > contract.ID_CHARACTERS:
            errors.add(contract.IDS_TOO_LARGE, "id", name)
        elif _NAME.fullmatch(name) is None:
            errors.add(contract.INVALID_IDS, "id", name)
        elif name in seen:
            errors.add(contract.IDS_NOT_UNIQUE, "id", name)
        else:
            seen.add(name)


def _fields(catalog: Catalog, item: dict[str, Any], errors: Errors, *, edits: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in item.items():
        if name not in catalog.fields:
            errors.add(contract.INVALID_FIELDS, "id", item.get("id"))
        elif name == "id":
            result[name] = value
        else:
            try:
                result[name] = coerced(catalog.fields[name], value, edits=edits)
            except ValueRefused as refused:
                errors.add(refused.kind, "id", item.get("id"))
    return result
