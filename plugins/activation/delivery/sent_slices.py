"""Several stores of what was sent last, one for each slice of a pipeline's rows, so that slices can run at the same time.

They lie below the folder of the one store that a run without slices has, and its manifest says that they count. Whatever else
writes to that folder, a run that is not split for example, changes the manifest or leaves a log beside it: then what the slices
know may be out of date, and they begin anew.
"""

from __future__ import annotations

import json
import logging
import re

from activation.delivery.folder import Folder, listed, replace_text
from activation.delivery.sent import LOG, drop, told
from activation.delivery.sent_store import MANIFEST, SHARDS

log = logging.getLogger(__name__)

_NAME = re.compile(r"\d+-of-\d+")


def store_of(folder: Folder, index: int, of: int) -> Folder:
    """The folder of one slice's store."""
    return folder / f"{index}-of-{of}"


def divide(folder: Folder, slicing: str) -> None:
    """Make the stores of slices count, or drop them if they are out of date. Nothing else may use the folder meanwhile.

    :param slicing: how the slices are told apart, and how many there are. Stores of slices of another kind are dropped.
    :raises TransientError: if the folder cannot be read or written.
    """
    manifest = json.dumps({"binding": f"slices by {slicing}", "shards": []}, indent=1)
    with told(folder):
        path = folder / MANIFEST
        held = path.read_text(encoding="utf-8") if path.exists() else ""
        if held == manifest and not listed(folder / LOG):
            return
        if held or any(listed(folder / name) for name in (LOG, SHARDS)):
            log.warning("What was sent last was not kept for the slices of this run; every row is sent once more.")
    undivide(folder)
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(folder, MANIFEST, manifest)


def undivide(folder: Folder) -> None:
    """Forget what was sent, whether slices have kept it or not.

    :raises TransientError: if it cannot be removed.
    """
    drop(folder)
    with told(folder):
        stores = [one for one in listed(folder) if _NAME.fullmatch(one.name)]
    for store in stores:
        drop(store)
