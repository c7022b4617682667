"""What an attribute object does to a profile. The only place that knows (row S9).

Implemented: null removes the attribute, any other value replaces it whole, keys that are not named stay.
Not implemented: counters (``inc``), arrays (``add``/``remove``), arrays of objects (``$add``/``$remove``/``$update``),
``_merge_objects``, ``$time``, and the silent dropping of invalid or oversized nested values. Such objects are stored
as they are sent, which is *not* what Braze does with them.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.braze import contract


def applied(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a profile after one object; both arguments are left as they are."""
    result = dict(stored)
    for name, value in sent.items():
        if name in contract.NOT_ATTRIBUTES:
            continue
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result
