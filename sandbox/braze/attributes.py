"""What the attribute objects of one request do to a profile. The only place that knows (row S9).

Null removes an attribute, any other value replaces it, and keys that are not named stay. Objects and arrays follow
``nested`` and ``merging``; what Braze would drop without a word is remembered here. Standard attributes hold objects
of their own form and are replaced whole.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sandbox.braze import contract
from sandbox.braze.identity import IdentityKey
from sandbox.braze.limits import Attributes
from sandbox.braze.merging import Unchanged, changed, is_array_of_scalars
from sandbox.braze.nested import defect
from sandbox.braze.wire import decode_object, encode

Drops = list[tuple[str, str]]


class Dropped(NamedTuple):
    """An update that was dropped although the answer said success; ``request`` counts accepted requests from 1."""

    request: int
    user: IdentityKey
    attribute: str
    reason: str


class Folding:
    """Folds what was sent into what is stored, by the rules in force, and keeps what was dropped."""

    def __init__(self, rules: Attributes) -> None:
        self.rules = rules
        self.dropped: list[Dropped] = []

    def folded(self, user: IdentityKey, request: int, stored: bytes, group: Sequence[bytes]) -> bytes:
        """The attributes as JSON text after all objects for one user in one request."""
        result, drops = applied(decode_object(stored), [decode_object(sent) for sent in group], self.rules.array_elements)
        self.dropped += [Dropped(request, user, attribute, reason) for attribute, reason in drops]
        return encode(result)


def applied(
    stored: Mapping[str, Any], group: Sequence[Mapping[str, Any]], array_elements: int = contract.ARRAY_ELEMENTS
) -> tuple[dict[str, Any], Drops]:
    """The attributes after the objects of one request, and what was dropped; the arguments are left as they are.

    D: one invalid nested value takes all nested updates of its attribute in the request with it.
    """
    result = dict(stored)
    drops: Drops = []
    found = [_defects(sent) for sent in group]
    barred = {name for defects in found for name in defects}
    for sent, defects in zip(group, found, strict=True):
        merge = sent.get("_merge_objects") is True
        for name, value in sent.items():
            if name in contract.NOT_ATTRIBUTES:
                continue
            if value is None:
                result.pop(name, None)
            elif not _is_nested(name, value):
                result[name] = value
            elif name in barred:
                drops.append((name, defects.get(name, contract.DROPPED_WITH_ANOTHER)))
            else:
                drops += _change(result, name, value, merge, array_elements)
    return result, drops


def _change(result: dict[str, Any], name: str, value: Any, merge: bool, array_elements: int) -> Drops:
    try:
        new = changed(result.get(name), value, merge=merge)
    except Unchanged as kept:
        return [(name, kept.reason)]
    cut = is_array_of_scalars(new) and len(new) > array_elements
    result[name] = new[:array_elements] if cut else new
    return [(name, contract.TRUNCATED)] if cut else []


def _defects(sent: Mapping[str, Any]) -> dict[str, str]:
    reasons = ((name, defect(value)) for name, value in sent.items() if _is_nested(name, value))
    return {name: reason for name, reason in reasons if reason is not None}


def _is_nested(name: str, value: Any) -> bool:
    own_form = name in contract.STANDARD_ATTRIBUTES or name in contract.NOT_ATTRIBUTES
    return value.__class__ in (dict, list) and not own_form
