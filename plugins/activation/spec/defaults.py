"""``_defaults.yaml``: what the pipeline files of a folder share, merged underneath each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from activation.spec.problems import PipelineFileError, Problem
from activation.spec.reader import read
from activation.spec.values import Document, Route

NAMES = ("_defaults.yaml", "_defaults.yml")


def read_defaults(folder: Path) -> Document | None:
    """Read the defaults of a folder.

    :returns: ``None`` if it has none.
    :raises PipelineFileError: if the file cannot be read, or if there are two.
    """
    found = [path for name in NAMES if (path := folder / name).exists()]
    if not found:
        return None
    if len(found) > 1:
        message = f"{NAMES[0]} stands beside it, and only one of them can count."
        raise PipelineFileError((Problem(str(found[1]), 0, 0, "", message, "Remove one of the two."),))
    document = read(found[0])
    if "id" in document.values:
        where = document.places[("id",)].key
        document.problems.append(where.problem("An id cannot be shared by pipelines.", "Remove it from the defaults."))
        del document.values["id"]
    return document


def merge(document: Document, defaults: Document) -> Document:
    """Lay a file over its defaults: blocks are merged key by key, everything else is replaced.

    A block whose ``type`` differs from the default's is taken as it is, for its other keys mean something else.
    Each value keeps the place where it stands.
    """
    merged = Document(document.name, places=dict(document.places), problems=[*document.problems, *defaults.problems])
    merged.values = _merge(document.values, defaults.values, (), merged, defaults)
    return merged


def _merge(upper: dict[str, Any], lower: dict[str, Any], route: Route, merged: Document, defaults: Document) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in [*lower, *(key for key in upper if key not in lower)]:
        here = (*route, key)
        if key not in upper:
            result[key] = lower[key]
            _take_places(here, merged, defaults)
        elif key in lower and isinstance(upper[key], dict) and isinstance(lower[key], dict) and _alike(upper[key], lower[key]):
            result[key] = _merge(upper[key], lower[key], here, merged, defaults)
        else:
            result[key] = upper[key]
    return result


def _alike(upper: dict[str, Any], lower: dict[str, Any]) -> bool:
    return upper.get("type", lower.get("type")) == lower.get("type", upper.get("type"))


def _take_places(route: Route, merged: Document, defaults: Document) -> None:
    merged.places.update({place: mark for place, mark in defaults.places.items() if place[: len(route)] == route})
