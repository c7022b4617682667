"""The files that keep what was sent last: Arrow tables of a hash for the user and a fingerprint of the item.

Arrow and not Parquet, because hashes cannot be compressed, and a table on a disk is mapped instead of read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from activation.delivery.folder import Folder
from activation.records.arrays import to_numpy
from activation.records.fingerprints import Numbers

NAMES = ("key", "upper", "lower")
_ABOUT = b"activation"


@dataclass(frozen=True, slots=True)
class Entries:
    """Users and what was sent last of each; shape (entries,) each. ``upper`` and ``lower`` zero: nothing is known of the user.

    That an item's fingerprint is zero by chance only means that the item is sent again.
    """

    key: Numbers
    upper: Numbers
    lower: Numbers

    def __len__(self) -> int:
        return len(self.key)

    def take(self, which: Any) -> Entries:
        """Some of them: a slice, a mask or indexes."""
        return Entries(self.key[which], self.upper[which], self.lower[which])

    def between(self, first: int, last: int) -> Entries:
        """Those from a key up to and including another one; they are sorted by key."""
        begin = np.searchsorted(self.key, np.uint64(first), side="left")
        return self.take(slice(begin, np.searchsorted(self.key, np.uint64(last), side="right")))

    def by_key(self) -> Entries:
        """Sorted by key; equal keys keep their order."""
        return self.take(np.argsort(self.key, kind="stable"))

    def forgotten(self) -> Entries:
        """The same users, with nothing known of them."""
        nothing = np.zeros(len(self), np.uint64)
        return Entries(self.key, nothing, nothing)


def joined(parts: Sequence[Entries]) -> Entries:
    """One behind the other."""
    columns = ([getattr(part, name) for part in parts] or [np.empty(0, np.uint64)] for name in NAMES)
    return Entries(*(np.concatenate(column) for column in columns))


def merged(old: Entries, changes: Entries) -> Entries:
    """What is known after some changes.

    :param old: sorted by key, each key once.
    :param changes: in the order in which they were made; the last one of a key counts.
    :returns: sorted by key, each key once; users of whom nothing is known are left out.
    """
    changes = changes.by_key()
    changes = changes.take(np.append(changes.key[1:] != changes.key[:-1], True) if len(changes) else slice(0))
    stays = old.take(~find(changes.key, old.key)[1])
    known = changes.take((changes.upper != 0) | (changes.lower != 0))
    return joined([stays, known]).by_key()


def find(keys: Numbers, wanted: Numbers) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Where keys stand.

    :param keys: sorted, each once.
    :returns: for each wanted one its index and whether it is there; without it the index means nothing.
    """
    if not len(keys):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    index = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return index, keys[index] == wanted


def write(folder: Folder, name: str, entries: Entries, about: dict[str, Any]) -> None:
    """Write a file; on a disk by renaming, so that a crash leaves it whole or not at all.

    :param about: JSON that is kept with it.
    """
    schema = pa.schema([(column, pa.uint64()) for column in NAMES], metadata={_ABOUT: json.dumps(about).encode()})
    arrays = [
        pa.Array.from_buffers(pa.uint64(), len(entries), [None, pa.py_buffer(np.ascontiguousarray(getattr(entries, column)))])
        for column in NAMES
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as file:
        file.write_batch(pa.record_batch(arrays, schema=schema))
    data = sink.getvalue()
    if not isinstance(folder, Path):
        (folder / name).write_bytes(data.to_pybytes())
        return
    new = folder / f"{name}.new"
    new.write_bytes(data)
    new.replace(folder / name)


def read(path: Folder, scratch: Path | None = None) -> tuple[Entries, dict[str, Any]]:
    """Read a file; on a disk it is mapped, so that what is not looked at takes no memory.

    :param scratch: a folder on this machine's disk that takes a copy of a file in object storage; ``None`` reads it into memory.
    :returns: the entries, and what :func:`write` was told about them.
    :raises ValueError: if it is no such file.
    """
    source: Any = pa.py_buffer(b"")
    if isinstance(path, Path):
        source = pa.memory_map(str(path))
    elif scratch is None:
        source = pa.py_buffer(path.read_bytes())
    else:
        copy = scratch / path.name
        copy.write_bytes(path.read_bytes())
        source = pa.memory_map(str(copy))
    file = pa.ipc.open_file(source)
    about = json.loads((file.schema.metadata or {}).get(_ABOUT, b"null"))
    table = file.read_all()
    if table.column_names != list(NAMES) or not isinstance(about, dict):
        raise ValueError(f"{path} does not keep what was sent")
    return Entries(*(to_numpy(table[name], np.uint64) for name in NAMES)), about
