"""How a sound object or array changes the value that an attribute holds (row S9)."""

from collections.abc import Sequence
from typing import Any

from sandbox.braze import contract
from sandbox.braze.nested import is_time, operation
from sandbox.braze.wire import encode


class Unchanged(Exception):
    """The attribute keeps its value; ``reason`` says why. The answer to the request does not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def changed(stored: Any, sent: dict[str, Any] | list[Any], *, merge: bool) -> Any:
    """The new value of an attribute; ``stored`` is its present one or ``None``, and neither argument is changed.

    Raises:
        Unchanged: the operator does not fit what is stored, or the result would be too large.
    """
    result = _result(stored, sent, merge)
    if isinstance(result, dict | list) and len(encode(result)) > contract.NESTED_BYTES:
        raise Unchanged(contract.DROPPED_SIZE)
    return result


def is_array_of_scalars(value: Any) -> bool:
    """Whether a value is a list without objects or lists in it."""
    return isinstance(value, list) and not any(item.__class__ in (dict, list) for item in value)


def _result(stored: Any, sent: dict[str, Any] | list[Any], merge: bool) -> Any:
    if isinstance(sent, list):
        return _unique(sent) if is_array_of_scalars(sent) else sent
    asked = operation(sent)
    if asked == "counter":
        return _counted(stored, sent["inc"])
    if asked == "scalars":
        return _with_scalars(stored, sent.get("add", ()), sent.get("remove", ()))
    if asked == "objects":
        return _with_objects(stored, sent, merge)
    return _merged(stored, sent) if merge else sent


def _counted(stored: Any, step: int) -> Any:
    if stored is None:
        return step  # I: an absent counter begins at zero
    if stored.__class__ not in (int, float):
        raise Unchanged(contract.DROPPED_TARGET)
    return stored + step


def _with_scalars(stored: Any, add: Sequence[Any], remove: Sequence[Any]) -> list[Any]:
    present = _array(stored)
    gone = {encode(value) for value in remove}
    return [value for value in _unique([*present, *add]) if encode(value) not in gone]


def _with_objects(stored: Any, sent: dict[str, Any], merge: bool) -> list[Any]:
    # D: Braze adds, then removes, then updates, in whatever order the request names them.
    present = [*_array(stored), *sent.get("$add", ())]
    for match in sent.get("$remove", ()):
        present = [item for item in present if not _matches(item, match)]
    for match in sent.get("$update", ()):
        new = match["$new_object"]
        # D: without _merge_objects the object is overwritten.
        present = [(_merged(item, new) if merge else new) if _matches(item, match) else item for item in present]
    return present


def _matches(item: Any, match: dict[str, Any]) -> bool:
    if not isinstance(item, dict) or match["$identifier_key"] not in item:
        return False
    return encode(item[match["$identifier_key"]]) == encode(match["$identifier_value"])  # so that true is not 1


def _array(stored: Any) -> list[Any]:
    if stored is None:
        return []
    if not isinstance(stored, list):
        raise Unchanged(contract.DROPPED_TARGET)
    return stored


def _merged(old: Any, new: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(old, dict) or is_time(old) or is_time(new):
        return new
    result = dict(old)
    for key, value in new.items():
        result[key] = _merged(result.get(key), value) if isinstance(value, dict) else value
    return result


def _unique(values: Sequence[Any]) -> list[Any]:
    kept: dict[bytes, Any] = {}
    for value in values:
        kept.setdefault(encode(value), value)
    return list(kept.values())
