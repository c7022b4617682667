"""One interval that the warehouse writes to the bucket by itself; what it wrote is proven and published like our own parts."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa

from activation.cursor.window import Window
from activation.destinations.s3 import layout
from activation.destinations.s3.bucket import Bucket
from activation.destinations.s3.calls import address
from activation.destinations.s3.cases import ExportCase
from activation.destinations.s3.errors import case_error
from activation.destinations.s3.ground import Ground, prepare
from activation.destinations.s3.manifest import COMPLETE, File, Manifest, Shape, columns_of, generated
from activation.destinations.s3.plan import Plan, Report
from activation.destinations.s3.unloaded import BucketObjects, Claim, cleared, new_folder, proven
from activation.errors import ConfigurationError, FatalError, StoppedError
from activation.operators.export_cases import cased
from activation.spec import S3Destination
from activation.warehouses.base import Extract, Warehouse
from activation.warehouses.unload import REFUSALS, unloader_of
from activation.warehouses.unload.base import Target, Unloader, Written

log = logging.getLogger(__name__)

UNLOAD = "unload"
"""The key of the task state: what was submitted, by the path of its export."""

READERS = 4
"""Files that are read at the same time to prove them."""

_NEVER = "Change that, or let our own writer do it: unload: never."


@dataclass(frozen=True, slots=True)
class Rows:
    """What is unloaded.

    :ivar schema: the columns in the canonical types of an export.
    :ivar expected: how many rows the warehouse has counted.
    :ivar count: counts them again.
    """

    extract: Extract
    schema: pa.Schema
    window: Window
    expected: int
    count: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Pushed:
    """A warehouse that can write what is wanted, and how it is told.

    :ivar target: without a path.
    """

    unloader: Unloader
    target: Target

    def at(self, url: str) -> Target:
        """The target with a path."""
        return replace(self.target, url=url)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the task state keeps of an export whose statements were begun.

    :ivar base: the path of the export, that of an attempt for ``on_exists: version``.
    :ivar folders: those of its statements, the current one last.
    :ivar digest: SHA-256 of the current statement; a pipeline that was changed meanwhile has another one.
    :ivar submitted: what the warehouse calls the statement; empty before it has said so.
    :ivar rows: how many rows were counted before it.
    """

    base: str
    folders: tuple[str, ...]
    digest: str
    submitted: str
    rows: int


def pushed(engine: str, warehouse: Warehouse, to: S3Destination, plan: Plan, extract: Extract, window: Window) -> Pushed | None:
    """Decide whether the warehouse writes by itself (``files.unload``).

    :returns: ``None`` if our own writer is to do it.
    :raises ConfigurationError: if it must and cannot; says what it can.
    """
    wish, unloader = to.files.unload, unloader_of(engine, warehouse)
    if wish.mode == "never" or (wish.mode == "auto" and not wish.credential):
        return None
    target = _target(to, plan)
    refusal = unloader.refusal(target) if unloader else REFUSALS[engine]
    if unloader is not None and not refusal:
        try:
            unloader.statement(extract, window, replace(target, url=f"s3://{plan.place.bucket}/{plan.place.prefix}/"))
        except ConfigurationError as error:
            refusal = error.problem
        else:
            return Pushed(unloader, target)
    if wish.mode == "always":
        raise case_error(ExportCase.PARAMETER, f"unload: always, but {refusal}", _NEVER)
    log.info("Our own writer writes the files: %s", refusal)
    return None


def unload(push: Pushed, rows: Rows, plan: Plan, client: Any, store: Any, stopped: Callable[[], bool]) -> Report:
    """Let the warehouse write an interval, and publish it.

    A retry asks what became of the statement that an earlier try has submitted, and takes its files over if it has ended well.

    :param client: a boto3 client of S3.
    :param store: ``context["task_state_store"]``.
    :param stopped: is asked whether to stop.
    :raises FatalError: if the files do not hold the rows that the warehouse counts; no manifest is written.
    """
    began = time.monotonic()
    shape = Shape(plan.form.kind, plan.form.compression, columns_of(rows.schema))
    ground = prepare(Bucket(client, plan.place.bucket), plan, shape)
    one = _Unloading(push, rows, ground, store)
    try:
        files = one.files(stopped)
    except FatalError:
        one.forget()
        raise
    ignored = one.clear(files)
    if stopped():
        raise StoppedError("The export was asked to stop; no manifest was written. The next try takes the files over.")
    manifest = Manifest(plan.identity, shape, COMPLETE, files, ignored, generated())
    key = ground.publish(manifest)
    one.forget()
    if plan.success_marker:
        ground.mark()
    for warning in ground.warnings:
        log.warning("%s", warning)
    seconds = time.monotonic() - began
    return Report(manifest.total_rows, manifest.total_bytes, files, key, ignored, tuple(ground.warnings), seconds)


class _Unloading:
    """The statements of one export and their files."""

    def __init__(self, push: Pushed, rows: Rows, ground: Ground, store: Any) -> None:
        self._push, self._rows, self._ground, self._store = push, rows, ground, store
        self._name, self._objects = ground.plan.place.prefix, BucketObjects(ground.bucket)
        self._kept = self._remembered()
        if self._kept is not None:
            ground.prefix = self._kept.base

    def files(self, stopped: Callable[[], bool]) -> tuple[File, ...]:
        """The proven files of the statement of an earlier try, or of a new one."""
        written = self._earlier()
        if written is None:
            if stopped():
                raise StoppedError("The export was asked to stop before its statement was submitted.")
            written = self._submitted()
        if written is None:
            raise FatalError(f"{self._push.unloader.name} reported no error, but it tells of no files that it has written.")
        return self._balanced(written)

    def clear(self, files: Sequence[File]) -> tuple[str, ...]:
        """Remove what earlier exports and statements left; gives the keys of those that stay."""
        assert self._kept is not None  # noqa: S101 - there are files
        keys = {file.key for file in files}
        *own, current = self._kept.folders
        return (*self._ground.stale(keys), *cleared(self._ground, current, own, keys))

    def forget(self) -> None:
        """Drop what is kept: the next try begins anew."""
        self._save(None)

    def _earlier(self) -> tuple[Written, ...] | None:
        kept = self._kept
        if kept is None or kept.digest != _digest(self._statement(kept.folders[-1])):
            return None
        with cased(ExportCase.QUERY):
            found = self._push.unloader.outcome(kept.submitted, self._at(kept.folders[-1]), self._objects)
        if found is not None:
            log.info("An earlier try has unloaded the rows to %s; they are taken over", self._url(kept.folders[-1]))
        return found

    def _submitted(self) -> tuple[Written, ...] | None:
        folder, earlier = new_folder(self._ground.prefix), self._kept.folders if self._kept else ()
        statement, unloader = self._statement(folder), self._push.unloader
        kept = Kept(self._ground.prefix, (*earlier, folder), _digest(statement), "", self._rows.expected)
        self._save(kept)
        log.info("%s unloads %s rows to %s", unloader.name, f"{self._rows.expected:,}", self._url(folder))
        with cased(ExportCase.QUERY):
            submitted = unloader.submit(statement)
            if submitted:
                self._save(replace(kept, submitted=submitted))
            return unloader.outcome(submitted, self._at(folder), self._objects)

    def _balanced(self, written: Sequence[Written]) -> tuple[File, ...]:
        """Read the files, and compare their rows with what the warehouse counts.

        :raises FatalError: if they differ.
        """
        assert self._kept is not None  # noqa: S101 - there are files
        start = self._url(self._kept.folders[-1])
        if strange := [file.url for file in written if not file.url.startswith(start)]:
            raise FatalError(
                f"{self._push.unloader.name} says that it has written {strange[0]}, but was told to write to {start}."
            )
        bucket = f"s3://{self._ground.bucket.name}/"
        files = proven(self._ground, [Claim(file.url[len(bucket) :], file.rows) for file in written], READERS)
        most, total = self._ground.plan.limit.rows, sum(file.rows for file in files)
        if large := [file for file in files if most is not None and file.rows > most]:
            raise FatalError(
                f"{self._push.unloader.name} has written {large[0].rows:,} rows to {large[0].key}; files.part_rows is {most:,}."
            )
        if total not in (self._kept.rows, self._rows.expected) and total != (counted := self._rows.count()):
            raise FatalError(
                f"The books do not balance: {self._push.unloader.name} counts {counted:,} rows, its {len(files):,} files have "
                f"{total:,}. No manifest was written."
            )
        return files

    def _statement(self, folder: str) -> str:
        return self._push.unloader.statement(self._rows.extract, self._rows.window, self._at(folder))

    def _at(self, folder: str) -> Target:
        return self._push.at(self._url(folder))

    def _url(self, folder: str) -> str:
        return address(self._ground.bucket.name, folder)

    def _remembered(self) -> Kept | None:
        """What an earlier try kept, unless the path of its export has been published since."""
        found = (self._store.get(UNLOAD, default=None) or {}).get(self._name)
        if found is None:
            return None
        kept = Kept(**{**found, "folders": tuple(found["folders"])})
        version = self._ground.plan.on_exists == "version"
        return None if version and self._ground.bucket.read(layout.manifest_key(kept.base)) is not None else kept

    def _save(self, kept: Kept | None) -> None:
        self._kept = kept
        known = {name: one for name, one in (self._store.get(UNLOAD, default=None) or {}).items() if name != self._name}
        if kept is not None:
            known[self._name] = asdict(kept)
        if known:
            self._store.set(UNLOAD, known)
        else:
            self._store.delete(UNLOAD)


def _target(to: S3Destination, plan: Plan) -> Target:
    encryption = plan.encryption
    return Target(
        "",
        plan.form.kind,
        plan.form.compression,
        to.files.unload.credential or "",
        plan.limit.bytes,
        encryption.kind if encryption else "",
        (encryption.key or "") if encryption else "",
        to.access.region or "",
        plan.limit.rows,
    )


def _digest(statement: str) -> str:
    return hashlib.sha256(statement.encode()).hexdigest()
