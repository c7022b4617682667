"""The catalogs and their items (row S14)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

from sandbox.braze.wire import encode

Item = Mapping[str, Any]


class Ignored(NamedTuple):
    """An item of an accepted request that changed nothing: to create it although it is there, or to edit what is not."""

    catalog: str
    method: str
    id: str


@dataclass
class Catalog:
    """One catalog: the types of its fields by name (``id`` first), its items by id. ``updated`` in epoch seconds."""

    name: str
    description: str
    fields: dict[str, str]
    updated: float
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """The catalog as the API shows it."""
        return {
            "name": self.name,
            "description": self.description,
            "fields": [{"name": name, "type": kind} for name, kind in self.fields.items()],
            "num_items": len(self.items),
            "updated_at": datetime.fromtimestamp(self.updated, timezone.utc).isoformat(timespec="milliseconds"),
        }

    def post(self, item: Item) -> bool:
        """Create an item that is not there; each of these says whether it changed anything."""
        if item["id"] in self.items:
            return False
        return self.put(item)

    def put(self, item: Item) -> bool:
        """Create an item, or replace all its fields."""
        self.items[item["id"]] = dict(item)
        return True

    def patch(self, item: Item) -> bool:
        """Change the named fields of an item that is there."""
        present = self.items.get(item["id"])
        if present is None:
            return False
        for name, value in item.items():
            edits_array = self.fields[name] == "array" and isinstance(value, dict)
            present[name] = edited(present.get(name), value) if edits_array else value
        return True

    def delete(self, item: Item) -> bool:
        """Remove an item."""
        return self.items.pop(item["id"], None) is not None


def edited(present: Any, edit: Mapping[str, Any]) -> list[Any]:
    """An array field after ``$add`` (of what it does not hold) and ``$remove``."""
    values = list(present or ())
    held = {encode(value) for value in values}
    values += [value for value in edit.get("$add", ()) if encode(value) not in held]
    gone = {encode(value) for value in edit.get("$remove", ())}
    return [value for value in values if encode(value) not in gone]


_VERBS: dict[str, Callable[[Catalog, Item], bool]] = {
    "POST": Catalog.post,
    "PUT": Catalog.put,
    "PATCH": Catalog.patch,
    "DELETE": Catalog.delete,
}


class Catalogs:
    """All catalogs by name. A catalog is there at once; its items change when the request's time has come."""

    def __init__(self) -> None:
        self.ignored: list[Ignored] = []
        self._by_name: dict[str, Catalog] = {}

    def __iter__(self) -> Iterator[Catalog]:
        return iter(self._by_name.values())

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def items(self) -> int:
        """The items of all catalogs together."""
        return sum(len(catalog.items) for catalog in self)

    def find(self, name: str) -> Catalog | None:
        """A catalog by its name."""
        return self._by_name.get(name)

    def create(self, catalog: Catalog) -> None:
        """Take a new catalog in."""
        self._by_name[catalog.name] = catalog

    def carry_out(self, catalog: Catalog, method: str, items: Sequence[Item], now: float, request: int) -> None:
        """Apply an accepted request to a catalog at an epoch second."""
        verb = _VERBS[method]
        for item in items:
            if not verb(catalog, item):
                self.ignored.append(Ignored(catalog.name, method, item["id"]))
        catalog.updated = now
