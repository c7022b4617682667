"""Durations and sizes as people write them: a number never stands without its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from activation.spec.invalid import invalid

_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = r"^(?=[0-9])([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?([0-9]{1,9}ms)?$"
_DURATION_FIX = "Write it like 500ms, 30s, 10m, 2h, 1d or 1h30m: whole numbers, each with its unit."
_SIZES = {"MB": 1_000_000, "KB": 1_000, "MiB": 1_048_576, "KiB": 1_024, "B": 1}
_SIZE = r"^([0-9]{1,9})(B|KB|MB|KiB|MiB)$"
_SIZE_FIX = "Write it like 4MB, 512KB or 1000B (1 KB is 1000 B, 1 MB is 1000 KB), or 5MiB (1 KiB is 1024 B)."
_LONGEST = 3650 * _UNITS["d"]


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in whole milliseconds, written ``500ms``, ``30s``, ``10m``, ``2h``, ``1d`` or ``1h30m``.

    :ivar milliseconds: the length, 0 to ten years.
    """

    milliseconds: int

    @property
    def seconds(self) -> float:
        """The whole length in seconds."""
        return self.milliseconds / 1000

    @property
    def timedelta(self) -> timedelta:
        """The same length for Python's date arithmetic and for Airflow."""
        return timedelta(milliseconds=self.milliseconds)

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read the written form.

        :raises ValueError: if the text is not a duration with units, or is longer than ten years.
        """
        match = re.fullmatch(_DURATION, text)
        if match is None:
            raise invalid("is not a duration with a unit", _DURATION_FIX)
        parts = zip(match.groups(), _UNITS.items(), strict=True)
        total = sum(int(part.removesuffix(unit)) * size for part, (unit, size) in parts if part)
        if total > _LONGEST:
            raise invalid("is longer than ten years", _DURATION_FIX)
        return cls(total)

    def __str__(self) -> str:
        rest, text = self.milliseconds, ""
        for unit, size in _UNITS.items():
            count, rest = divmod(rest, size)
            text += f"{count}{unit}" if count else ""
        return text or "0s"

    @classmethod
    def _validate(cls, value: Any) -> Duration:
        if isinstance(value, cls):
            return value
        if isinstance(value, timedelta):
            return cls(round(value / timedelta(milliseconds=1)))
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise invalid("is a number without a unit", _DURATION_FIX)
        raise invalid("must be a duration", _DURATION_FIX)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.to_string_ser_schema(when_used="always")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": _DURATION}


class Size(int):
    """A number of bytes, written ``4MB``, ``512KB``, ``5MiB`` or ``1000B``; 1 KB is 1000 bytes, 1 KiB is 1024."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read the written form.

        :raises ValueError: if the text is not a size with a unit.
        """
        match = re.fullmatch(_SIZE, text)
        if match is None:
            raise invalid("is not a size with a unit", _SIZE_FIX)
        return cls(int(match[1]) * _SIZES[match[2]])

    def __str__(self) -> str:
        unit = next((unit for unit, size in _SIZES.items() if self and self % size == 0), "B")
        return f"{self // _SIZES[unit]}{unit}"

    @classmethod
    def _validate(cls, value: Any) -> Size:
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise invalid("is a number without a unit", _SIZE_FIX)
        raise invalid("must be a size", _SIZE_FIX)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.to_string_ser_schema(when_used="always")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": _SIZE}


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds a :class:`Duration` or a :class:`Size` in ``Annotated`` metadata; both ends are allowed.

    :ivar low: the least value.
    :ivar high: the greatest value.
    """

    low: Duration | Size
    high: Duration | Size

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"

    def _check(self, value: Any) -> Any:
        if not self.low <= value <= self.high:
            raise invalid("is out of range", f"Allowed: {self}.")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))
