"""How a model says that a value is wrong, so that the loader can put place and advice around it."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

CODE = "activation"
"""The type of every error that :func:`invalid` makes."""

UP = -1
"""A step in the place of an error: out of the block that was validated. No list has such an index."""


def invalid(problem: str, fix: str = "", *, kind: str = "") -> PydanticCustomError:
    """Make the error for a value that a validator refuses.

    The text never repeats the value: it may come from the environment.

    :param problem: what is wrong, as the end of a sentence that begins with the field's name, without a full stop.
    :param fix: what to write instead, one or more whole sentences.
    :param kind: names a problem for which the loader knows more advice, ``preset`` or ``lookup``.
    """
    return PydanticCustomError(CODE, "{problem}", {"problem": problem, "fix": fix, "kind": kind})


def invalid_at(place: str | int | tuple[str | int, ...], problem: str, fix: str) -> ValidationError:
    """Make the error for a value below the one that is validated, so that it is shown at its own place.

    :param place: the keys that lead there from the value that is validated.
    """
    route = place if isinstance(place, tuple) else (place,)
    return ValidationError.from_exception_data("block", [InitErrorDetails(type=invalid(problem, fix), loc=route, input=None)])


def invalid_in_file(place: tuple[str | int, ...], problem: str, fix: str) -> ValidationError:
    """Make the error for another part of the file than the field of the pipeline that is validated.

    :param place: the keys that lead there from the top of the file, without the ``type`` of a block.
    """
    return invalid_at((UP, *place), problem, fix)
