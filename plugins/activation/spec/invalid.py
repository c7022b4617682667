"""How a model says that a value is wrong, so that the loader can put place and advice around it."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

CODE = "activation"
"""The type of every error that :func:`invalid` makes."""


def invalid(problem: str, fix: str = "", *, kind: str = "") -> PydanticCustomError:
    """Make the error for a value that a validator refuses.

    The text never repeats the value: it may come from the environment.

    :param problem: what is wrong, as the end of a sentence that begins with the field's name, without a full stop.
    :param fix: what to write instead, one or more whole sentences.
    :param kind: names a problem for which the loader knows more advice, ``preset`` or ``lookup``.
    """
    return PydanticCustomError(CODE, "{problem}", {"problem": problem, "fix": fix, "kind": kind})
