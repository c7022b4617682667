"""The data types of a Braze pipeline: what a row must have, how it is encoded and which calls take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from activation.destinations.braze import attributes, catalogs, contract, deletes, moments
from activation.destinations.braze.calls import Call, catalog_calls, delete_calls, track_call
from activation.destinations.braze.encoder import Form
from activation.records.fingerprints import Repeats
from activation.records.layout import USER_DATA, Shape


@dataclass(frozen=True, slots=True)
class Options:
    """What a pipeline chooses.

    :ivar tick: nanoseconds of one unit of the cursor column.
    :ivar catalog: the catalog that items go to.
    :ivar replace: whether an item replaces the one that is there (PUT), or changes the fields that it names (PATCH).
    :ivar lint: whether rows are rejected of which Braze would drop a part in silence.
    :ivar profile: a key of :func:`activation.destinations.braze.contract.profile`.
    """

    update_existing_only: bool = False
    tick: int = 1_000
    catalog: str = ""
    replace: bool = True
    lint: bool = True
    profile: str = contract.DEFAULT_PROFILE


@dataclass(frozen=True, slots=True)
class Kind:
    """One data type.

    :ivar shape: the columns of its tables.
    :ivar form: how a row becomes an item.
    :ivar calls: where an item of each group goes.
    :ivar idempotent: whether sending an item twice leaves the same result.
    :ivar most: most items of a request; ``None``: the profile says so.
    :ivar per_key: most items about one thing in a request.
    :ivar repeats: which items change nothing when they are sent again, right after themselves; ``None``: none.
    :ivar together: whether the changes of one user go out in one request, because Braze may apply requests in any order (2.6).
    """

    shape: Shape
    form: Callable[[Options], Form]
    calls: Callable[[Options], tuple[Call, ...]]
    idempotent: bool = True
    most: int | None = None
    per_key: int | None = None
    together: bool = False
    repeats: Repeats | None = None


KINDS = {
    "attributes": Kind(
        USER_DATA,
        lambda chosen: attributes.form(update_existing_only=chosen.update_existing_only, lint=chosen.lint),
        lambda chosen: (track_call("attributes", chosen.profile),),
        together=True,
        repeats=attributes.REPEATS,
    ),
    "events": Kind(
        USER_DATA,
        lambda chosen: moments.form(moments.EVENT_RULES, tick=chosen.tick, update_existing_only=chosen.update_existing_only),
        lambda chosen: (track_call("events", chosen.profile),),
        idempotent=False,
    ),
    "purchases": Kind(
        USER_DATA,
        lambda chosen: moments.form(moments.PURCHASE_RULES, tick=chosen.tick, update_existing_only=chosen.update_existing_only),
        lambda chosen: (track_call("purchases", chosen.profile),),
        idempotent=False,
    ),
    "deletes": Kind(deletes.SHAPE, lambda _: deletes.form(), lambda _: delete_calls(), most=contract.MOST_DELETES),
    "catalog_items": Kind(
        catalogs.SHAPE,
        lambda _: catalogs.form(),
        lambda chosen: catalog_calls(chosen.catalog, replace=chosen.replace),
        most=contract.MOST_ITEMS,
        per_key=1,
        repeats=Repeats(gone=catalogs.REMOVE),
    ),
}
"""``destination.data`` -> its kind. A new data type is a form, its calls and an entry here."""
