"""What was sent last of each user: shards sorted by the hash of the user, and a manifest that names them.

A shard is written once and never changed. A new manifest makes new shards count, all at the same moment; what no manifest names
is a left-over.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from activation.delivery.folder import Folder, listed, replace_text
from activation.delivery.sent_files import Entries, find, joined, merged, read, write
from activation.records.fingerprints import Numbers

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
SHARDS = "shards"

BUCKETS = 4_096
"""Parts of the range of keys between which shards can be cut; a thousand million users have 250,000 in each."""

SHARD_ROWS = 250_000
"""Entries of a shard, 24 bytes each: 6 MB, little enough to write again for one user that changed."""

AT_ONCE = 1_000_000
"""Changes that are sorted in memory, 24 MB; further ones make another sorted run on the disk."""

_WIDTH = 2**64 // BUCKETS


@dataclass(slots=True)
class _Shard:
    """A shard: the entries from its first bucket to that of the next one.

    :ivar fresh: which entries still hold, once it is loaded; an entry is not when something else may have been sent.
    """

    first: int
    file: str
    rows: int
    entries: Entries | None = None
    fresh: npt.NDArray[np.bool_] | None = None


class SentStore:
    """The shards of one pipeline.

    :param folder: takes the manifest and the folder of the shards.
    :param binding: what the entries hold for: the destination, and how they were hashed. Entries of another binding do not count.
    """

    def __init__(self, folder: Folder, binding: str) -> None:
        self._folder, self._binding = folder, binding
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._shards = self._read_manifest()

    def known(self, key: Numbers, upper: Numbers, lower: Numbers) -> npt.NDArray[np.bool_]:
        """Which of some items equal what was sent last of their users.

        :param key: ascending.
        """
        same = np.zeros(len(key), np.bool_)
        for shard, part in self._parts(key):
            entries, fresh = self._load(shard)
            index, found = find(entries.key, key[part])
            if len(entries):
                held = found & fresh[index]
                same[part] = held & (entries.upper[index] == upper[part]) & (entries.lower[index] == lower[part])
        return same

    def doubt(self, key: Numbers) -> None:
        """From now on nothing is known of these users; this object forgets them, the files do not.

        :param key: ascending.
        """
        for shard, part in self._parts(key):
            entries, fresh = self._load(shard)
            index, found = find(entries.key, key[part])
            fresh[index[found]] = False

    def apply(self, changes: Iterable[Entries]) -> None:
        """Keep what was sent; the manifest is written last, so that a crash leaves all of it or nothing.

        :param changes: in their order.
        """
        with _Runs() as runs:
            for entries in changes:
                runs.add(entries)
            runs.end()
            shards = [new for shard, end in self._ranges() for new in self._renewed(shard, end, runs)]
        (self._folder / SHARDS).mkdir(parents=True, exist_ok=True)
        rows = [{"first": shard.first, "file": shard.file, "rows": shard.rows} for shard in shards]
        replace_text(self._folder, MANIFEST, json.dumps({"binding": self._binding, "shards": rows}, indent=1))
        self._shards = shards
        named = {shard.file for shard in shards}
        for file in listed(self._folder / SHARDS):
            if file.name not in named:
                file.unlink()

    def forget(self) -> None:
        """Go on without any entries; the files are gone."""
        self._shards = []

    def close(self) -> None:
        """Let go of the files, and remove the copies on this machine's disk."""
        for shard in self._shards:
            shard.entries = shard.fresh = None
        if self._scratch is not None:
            self._scratch.cleanup()

    def _renewed(self, shard: _Shard, end: int, runs: _Runs) -> Iterator[_Shard]:
        """The shards that take the place of one: itself, if nothing in it has changed."""
        changed = runs.count(shard.first, end)
        if not changed:
            yield shard
            return
        entries, _ = self._load(shard)
        pieces = min(end - shard.first, -(-(shard.rows + changed) // SHARD_ROWS))
        bounds = np.linspace(shard.first, end, pieces + 1).astype(int).tolist()
        (self._folder / SHARDS).mkdir(parents=True, exist_ok=True)
        for first, last in pairwise(bounds):
            kept = merged(_within(entries, first, last), joined([_within(run, first, last) for run in runs]))
            file = f"{first:04d}-{uuid4().hex}.arrow"
            write(self._folder / SHARDS, file, kept, {})
            yield _Shard(first, file, len(kept))

    def _ranges(self) -> Iterator[tuple[_Shard, int]]:
        """The shards in their order, each with the bucket behind its last one."""
        shards = self._shards or [_Shard(0, "", 0)]
        ends = [*(shard.first for shard in shards[1:]), BUCKETS]
        yield from zip(shards, ends, strict=True)

    def _parts(self, key: Numbers) -> Iterator[tuple[_Shard, slice]]:
        """Which part of some keys lies in each shard; shards without any are left out."""
        if not self._shards:
            return
        starts = np.array([shard.first * _WIDTH for shard in self._shards], np.uint64)
        cuts = [0, *np.searchsorted(key, starts[1:], side="left").tolist(), len(key)]
        for shard, begin, end in zip(self._shards, cuts[:-1], cuts[1:], strict=True):
            if begin < end:
                yield shard, slice(begin, end)

    def _load(self, shard: _Shard) -> tuple[Entries, npt.NDArray[np.bool_]]:
        if shard.entries is None or shard.fresh is None:
            shard.entries = Entries(*(np.empty(0, np.uint64),) * 3)
            if shard.file:
                self._scratch = self._scratch or tempfile.TemporaryDirectory(prefix="activation-sent-")
                try:
                    shard.entries, _ = read(self._folder / SHARDS / shard.file, Path(self._scratch.name))
                except (FileNotFoundError, ValueError) as error:
                    log.warning("What was sent last is partly lost (%s); those rows are sent again.", error)
            shard.fresh = np.ones(len(shard.entries), np.bool_)
        return shard.entries, shard.fresh

    def _read_manifest(self) -> list[_Shard]:
        path = self._folder / MANIFEST
        if not path.exists():
            return []
        try:
            manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if manifest["binding"] != self._binding:
                log.warning("What was sent last was sent elsewhere, or hashed in another way; every row is sent once more.")
                return []
            shards = [_Shard(int(one["first"]), str(one["file"]), int(one["rows"])) for one in manifest["shards"]]
            if shards and not _covers([shard.first for shard in shards]):
                raise ValueError("its shards do not stand in order")
        except (ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be read (%s); every row is sent once more.", path, error)
            return []
        return shards


class _Runs:
    """Changes, as few sorted runs. A key's changes keep their order, from run to run and within each."""

    def __init__(self) -> None:
        self._held: list[Entries] = []
        self._rows = 0
        self._runs: list[Entries] = []
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def add(self, entries: Entries) -> None:
        """Take the next changes."""
        self._held.append(entries)
        self._rows += len(entries)
        if self._rows >= AT_ONCE:
            self._scratch = self._scratch or tempfile.TemporaryDirectory(prefix="activation-sent-")
            place, name = Path(self._scratch.name), f"run-{len(self._runs)}.arrow"
            write(place, name, self._sorted(), {})
            self._runs.append(read(place / name)[0])

    def end(self) -> None:
        """All changes are there."""
        self._runs.append(self._sorted())

    def _sorted(self) -> Entries:
        entries = joined(self._held).by_key()
        self._held, self._rows = [], 0
        return entries

    def __iter__(self) -> Iterator[Entries]:
        """The runs in their order."""
        return iter(self._runs)

    def count(self, first: int, end: int) -> int:
        """How many changes lie in some buckets."""
        return sum(len(_within(run, first, end)) for run in self)

    def __enter__(self) -> _Runs:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._runs = []
        if self._scratch is not None:
            self._scratch.cleanup()


def _within(entries: Entries, first: int, end: int) -> Entries:
    return entries.between(first * _WIDTH, end * _WIDTH - 1)


def _covers(firsts: list[int]) -> bool:
    return firsts[0] == 0 and firsts == sorted(set(firsts)) and firsts[-1] < BUCKETS
