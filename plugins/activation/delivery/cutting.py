"""How a chunk's items become requests, and which rows each group of requests settles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from activation.delivery.items import Items, arrange, cut
from activation.records.encoded import Encoded


@dataclass(frozen=True, slots=True)
class Cutting:
    """How requests are cut.

    :ivar most: most items of a request.
    :ivar most_bytes: most bytes of a request's items; a single item may be larger.
    :ivar per_key: most items of one key in a request; ``None`` is without limit.
    :ivar together: whether the items of one key go out in one request, where they fit, in the order of the rows.
    """

    most: int = 75
    most_bytes: int = 4_000_000
    per_key: int | None = None
    together: bool = False


Piece = tuple[tuple[Items, ...], int]
"""Requests, and the row behind the last one that they settle."""


def pieces(encoded: Encoded, rows: int, how: Cutting) -> list[Piece]:
    """Cut a batch; the pieces cover each of its rows once, in order.

    :param rows: rows of the batch, good or not.
    """
    first = _first_of_its_key(encoded) if how.together else None
    if first is None:
        cuts = cut(encoded, most=how.most, most_bytes=how.most_bytes)
        ends = [items.row(len(items) - 1) + 1 for items in cuts]
        found = [(arrange(items, how.per_key), end) for items, end in zip(cuts, ends, strict=True)]
    else:
        found = _gathered(encoded, first, how)
    return [*found[:-1], (found[-1][0], rows)] if found else [((), rows)]  # rows behind the last item belong to the last piece


def _first_of_its_key(encoded: Encoded) -> npt.NDArray[np.int64] | None:
    """Where each item's key comes first; ``None`` if no key comes twice."""
    _, index, inverse = np.unique(encoded.keys, return_index=True, return_inverse=True)
    return None if len(index) == len(encoded.keys) else index[inverse]


def _gathered(encoded: Encoded, first: npt.NDArray[np.int64], how: Cutting) -> list[Piece]:
    """Move each item up to the first one of its key, then cut. A piece settles the rows up to the first item of the next one;
    rows that an earlier piece has sent lie in later ones.
    """
    order = np.lexsort((np.arange(len(first)), first))
    begins = first[order]
    requests: dict[int, list[Items]] = {}
    for items in cut(encoded.take(order), most=how.most, most_bytes=how.most_bytes):
        # A key that goes on from one request to the next: the row where it begins stays with the former.
        goes_on = items.first > 0 and begins[items.first] == begins[items.first - 1]
        start = int(encoded.rows[begins[items.first]]) + int(goes_on) if items.first else 0
        requests.setdefault(start, []).extend(arrange(items, how.per_key))
    ends = [*list(requests)[1:], -1]
    return [(tuple(several), end) for several, end in zip(requests.values(), ends, strict=True)]
