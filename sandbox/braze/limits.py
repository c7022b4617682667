"""Sizes of requests and values that can be switched (rows S3, S4, S9, S13)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from sandbox.braze import contract

_PROFILE = re.compile(r"(combined|per_array|bulk)_([1-9][0-9]*)")


class ObjectLimit(NamedTuple):
    """How many objects a request may hold: in total, or in each array (row S4)."""

    combined: bool
    objects: int


@lru_cache(maxsize=64)
def object_limit(profile: str) -> ObjectLimit:
    """Read a profile name: ``combined_N`` and ``bulk_N`` count all arrays together, ``per_array_N`` each one.

    Raises:
        ValueError: the name has another form.
    """
    match = _PROFILE.fullmatch(profile)
    if match is None:
        raise ValueError(f"unknown limit profile {profile!r}; allowed: combined_N, per_array_N, bulk_N")
    return ObjectLimit(combined=match[1] != "per_array", objects=int(match[2]))


def at_least(minimum: float, **values: float | None) -> None:
    """Check numbers that are given.

    Raises:
        ValueError: one of them is smaller than ``minimum``.
    """
    for name, value in values.items():
        if value is not None and value < minimum:
            raise ValueError(f"{name} must be at least {minimum:g}, not {value:g}")


@dataclass(frozen=True)
class Limits:
    """Sizes of a request (rows S3, S4 and S13): profiles, bytes, ids, the status for a body that is too large."""

    track: str = contract.TRACK_PROFILE
    bulk: str = contract.BULK_PROFILE
    bulk_per_user: int = contract.BULK_OBJECTS_PER_USER
    body_bytes: int = contract.BODY_BYTES
    bulk_body_bytes: int = contract.BULK_BODY_BYTES
    over_body_status: Literal[400, 413] = contract.OVER_BODY_STATUS
    export_ids: int = contract.EXPORT_IDS
    delete_ids: int = contract.DELETE_IDS

    def __post_init__(self) -> None:
        object_limit(self.track)
        object_limit(self.bulk)
        at_least(1, bulk_per_user=self.bulk_per_user, export_ids=self.export_ids, delete_ids=self.delete_ids)
        at_least(1, body_bytes=self.body_bytes, bulk_body_bytes=self.bulk_body_bytes)


@dataclass(frozen=True)
class Attributes:
    """What a profile can hold (row S9): elements of an array of scalars; more are cut off."""

    array_elements: int = contract.ARRAY_ELEMENTS

    def __post_init__(self) -> None:
        at_least(1, array_elements=self.array_elements)
