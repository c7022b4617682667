"""Values as they are written in a pipeline file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from activation.spec.values import scalar

_PLAIN = re.compile(r"[\w./+](?:[\w./+@$-]|[ :](?=[\w./+@$:-]))*")


def written(value: Any) -> str:
    """A value in one line: ``null``, ``[a, b]``, ``{key: value}``, ``"*/5 * * * *"``."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {written(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(one) for one in value)}]"
    if value is None or type(value) in (bool, int, float):
        return json.dumps(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) is not None and scalar(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)
