"""The calls of Braze's REST API that take items (contracts: braze 2.2): method, path, what surrounds the items, permission."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from activation.destinations.braze import contract


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    :ivar array: the array that the items stand in; the answer's errors name it.
    :ivar permission: what the API key must be allowed.
    """

    method: str
    path: str
    array: str
    permission: str

    def body(self, items: bytes | memoryview) -> bytes:
        """The body of a request.

        :param items: JSON with commas between them.
        """
        return b"".join((b'{"', self.array.encode(), b'":[', items, b"]}"))


def track_call(array: str, profile: str) -> Call:
    """Write user data.

    :param array: ``attributes``, ``events`` or ``purchases``.
    :param profile: decides on the endpoint.
    """
    if contract.profile(profile).bulk:
        return Call("POST", contract.TRACK_BULK, array, contract.TRACK_BULK_PERMISSION)
    return Call("POST", contract.TRACK, array, contract.TRACK_PERMISSION)


def delete_calls() -> tuple[Call, ...]:
    """Remove users; in the order of the groups of :mod:`activation.destinations.braze.deletes`."""
    arrays = ("external_ids", "user_aliases", "braze_ids")
    return tuple(Call("POST", contract.DELETE, array, contract.DELETE_PERMISSION) for array in arrays)


def catalog_calls(catalog: str, *, replace: bool) -> tuple[Call, ...]:
    """Write and remove items of a catalog; in the order of the groups of :mod:`activation.destinations.braze.catalogs`."""
    path = contract.CATALOG_ITEMS.format(quote(catalog, safe=""))
    write = (
        Call("PUT", path, "items", "catalogs.replace_items") if replace else Call("PATCH", path, "items", "catalogs.update_items")
    )
    return (write, Call("DELETE", path, "items", "catalogs.delete_items"))
