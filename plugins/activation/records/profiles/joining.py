"""Texts of a block's rows out of few different ones: what is alike is written once and taken by its number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from activation.records.arrays import to_arrow, to_numpy
from activation.records.columnar import Projection
from activation.records.profiles.gathered import Flags, Numbers, single
from activation.records.rules import text_of

FIRST, NEXT, OTHER = range(3)
"""Where a row stands among those of its profile: the first, the first one of a namespace, any other."""


class Quotes:
    """Writes texts as JSON strings."""

    def __init__(self) -> None:
        self._project = Projection(f"SELECT {text_of('value')} AS value FROM batch", ("value",))

    def __call__(self, texts: pa.Array) -> pa.Array:
        """The JSON strings; NULL stays NULL."""
        return single(self._project(pa.record_batch([texts.cast(pa.string())], ["value"]))["value"])

    def close(self) -> None:
        """Free the memory that the writing holds."""
        self._project.close()


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as its different values, NULL among them, and the place of each row's value; shape (rows,)."""

    values: pa.Array
    codes: Numbers

    @classmethod
    def of(cls, texts: pa.Array) -> Coded:
        """Find the different values."""
        coded = texts.dictionary_encode(null_encoding="encode")
        return cls(coded.dictionary, to_numpy(coded.indices, np.int32).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Places:
    """Where rows stand in their objects.

    :ivar head: one of :data:`FIRST`, :data:`NEXT` and :data:`OTHER`; shape (rows,).
    :ivar last: whether the row is the last one of its profile.
    """

    head: Numbers
    last: Flags

    @classmethod
    def of(cls, number: Numbers, space: Numbers) -> Places:
        """Find the places.

        :param number: of each row's profile, ascending.
        :param space: of each row's namespace, the same ones of a profile in a row.
        """
        edge = np.ones(len(number) + 1, np.bool_)
        edge[1:-1] = number[1:] != number[:-1]
        head = np.where(np.diff(space, prepend=-1) != 0, NEXT, OTHER)
        head[edge[:-1]] = FIRST
        return cls(head, edge[1:])


def ranks(*columns: pa.Array) -> Numbers:
    """The place of each row in the order of some columns, by code points, NULL last."""
    names = [str(index) for index in range(len(columns))]
    order = pc.sort_indices(pa.table([*columns], names), [(name, "ascending") for name in names])
    found = np.empty(len(columns[0]), np.int64)
    found[to_numpy(order, np.uint64).astype(np.int64)] = np.arange(len(found))
    return found


def glued(*parts: pa.Array | str) -> pa.Array:
    """Texts side by side, NULL as nothing."""
    return pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement="")


def chosen(blocks: list[pa.Array], block: npt.NDArray[np.integer], code: Numbers) -> pa.Array:
    """For each row the text of its code in one of several blocks, which are equally long."""
    return pa.concat_arrays(blocks).take(to_arrow(block * len(blocks[0]) + code))
