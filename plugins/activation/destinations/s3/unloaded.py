"""What a warehouse wrote becomes the files of a manifest: every object is read once, counted and hashed."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from activation.destinations.s3.bucket import Bucket, DeniedError
from activation.destinations.s3.calls import DENIED, GONE, address, client_errors, code
from activation.destinations.s3.counting import LineCounter
from activation.destinations.s3.errors import as_error
from activation.destinations.s3.formats import Format
from activation.destinations.s3.ground import Ground
from activation.destinations.s3.manifest import File
from activation.destinations.s3.settings import Encryption
from activation.errors import ConfigurationError, FatalError

CHUNK = 1024 * 1024
TAIL = 16 * CHUNK
"""Bytes of an object that are read at a time, and those of its end that are kept for the footer of a Parquet file."""

_READ = (
    "The files of a warehouse are read once to prove them: allow s3:GetObject below the path (and kms:Decrypt), or write "
    "unload: never."
)
_LIST = "Files that the warehouse does not name are found by listing: allow s3:ListBucket below the path, or write unload: never."

_SCRAP = re.compile(r"/(_SUCCESS|part-[^/]*)$")
"""What Spark leaves in the folder of a statement beside the files that count: a marker that would say that the export is whole
before it is, and files without rows or of tasks that failed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A file as the warehouse tells of it.

    :ivar rows: the rows that it says are in it; ``None`` if it does not say.
    """

    key: str
    rows: int | None


class BucketObjects:
    """A bucket by the addresses of its objects; see :class:`activation.warehouses.unload.base.Objects`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket, self._start = bucket, address(bucket.name, "")

    def read(self, url: str) -> bytes | None:
        """The content of an object; ``None`` if there is none."""
        return self._bucket.read(url.removeprefix(self._start))

    def below(self, url: str) -> tuple[str, ...]:
        """The addresses that begin so, in order.

        :raises ConfigurationError: if the role may not list them.
        """
        try:
            return tuple(f"{self._start}{key}" for key in self._bucket.keys(url.removeprefix(self._start)))
        except DeniedError as error:
            raise ConfigurationError(error.problem, _LIST) from None


def new_folder(prefix: str) -> str:
    """A folder for one statement, which no other one writes to: ``<prefix>/unload=1f0c…/``."""
    return f"{prefix}/unload={secrets.token_hex(6)}/"


def proven(ground: Ground, claims: Sequence[Claim], threads: int) -> tuple[File, ...]:
    """Read every file, several at a time; those without rows are left out.

    :raises FatalError: if one is missing, or not encrypted as the plan says, or has other rows than the warehouse says.
    :raises ConfigurationError: if the role may not read them.
    :raises TransientError: if a later try can succeed.
    """
    form, encryption = ground.plan.form, ground.plan.encryption
    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="export") as pool:
        running = [pool.submit(_file, ground.bucket, claim, form, encryption) for claim in claims if claim.rows != 0]
        try:
            return tuple(file for one in running if (file := one.result()).rows)
        except BaseException:
            for one in running:
                one.cancel()
            raise


def cleared(ground: Ground, current: str, own: Iterable[str], kept: Collection[str]) -> tuple[str, ...]:
    """Remove what earlier statements have written below the path.

    :param current: the folder of the statement that counts; what it holds stays, but for scrap.
    :param own: folders of earlier statements of this very run.
    :param kept: the keys of the manifest.
    :returns: the keys of those that stay and belong to no export, in order.
    """
    mine, stay = tuple(own), list[str]()
    try:
        found = list(ground.bucket.keys(f"{ground.prefix}/unload="))
    except DeniedError as error:
        ground.warnings.append(f"Files of earlier statements could not be looked for; the manifest does not list them. {error}")
        return ()
    for key in found:
        scrap = key.startswith(current) and _SCRAP.search(key) is not None
        may_go = scrap or ground.plan.on_exists == "replace" or key.startswith(mine)
        if (scrap or not key.startswith(current)) and key not in kept and not (may_go and ground.bucket.remove(key)):
            stay.append(key)
    return tuple(stay)


def _file(bucket: Bucket, claim: Claim, form: Format, encryption: Encryption | None) -> File:
    place, parquet = address(bucket.name, claim.key), form.kind == "parquet"
    lines = LineCounter(form.kind, form.compression) if claim.rows is None and not parquet else None
    try:
        answer = bucket.client.get_object(Bucket=bucket.name, Key=claim.key)
        _check_encryption(place, answer, encryption)
        size, digest, tail = _read(answer["Body"], lines)
    except client_errors() as error:
        if code(error) in GONE:
            raise FatalError(f"The warehouse says that it has written {place}, but there is no such object.") from None
        known = as_error(error, f"Reading {place}")
        if code(error) in DENIED and isinstance(known, ConfigurationError):
            raise ConfigurationError(known.problem, _READ) from None
        raise known from None
    found = _rows(tail) if parquet else lines.rows(place) if lines else None
    if found is not None and claim.rows is not None and found != claim.rows:
        raise FatalError(f"The warehouse says that {place} has {claim.rows:,} rows; its footer says {found:,}.")
    rows = claim.rows if found is None else found
    if rows is None:
        raise FatalError(f"How many rows {place} has cannot be told: the footer is longer than {TAIL:,} bytes.")
    return File(claim.key, size, rows, digest, answer["ETag"])


def _read(body: Any, lines: LineCounter | None) -> tuple[int, str, bytes]:
    """Size, SHA-256 and the end of an object, whose lines are counted on the way."""
    size, digest, last, held = 0, hashlib.sha256(), deque[bytes](), 0
    for chunk in body.iter_chunks(CHUNK):
        size, held = size + len(chunk), held + len(chunk)
        digest.update(chunk)
        if lines is not None:
            lines.feed(chunk)
        last.append(chunk)
        while held - len(last[0]) >= TAIL:
            held -= len(last.popleft())
    return size, digest.hexdigest(), b"".join(last)


def _rows(tail: bytes) -> int | None:
    """The rows that the footer of a Parquet file tells; ``None`` if the footer is longer than the end that was kept.

    :raises FatalError: if it is no Parquet file.
    """
    length = int.from_bytes(tail[-8:-4], "little")
    if tail[-4:] == b"PAR1" and length + 8 > len(tail):
        return None
    try:
        return int(pq.read_metadata(pa.BufferReader(tail)).num_rows)
    except pa.ArrowInvalid as error:
        raise FatalError(f"The warehouse wrote a file that is not Parquet: {error}") from None


def _check_encryption(place: str, answer: dict[str, Any], wanted: Encryption | None) -> None:
    kind, key = answer.get("ServerSideEncryption", ""), str(answer.get("SSEKMSKeyId", ""))
    if wanted is None or (kind == wanted.kind and key.endswith((wanted.key or "").rpartition("/")[2])):
        return
    found = f"{kind} {key}".strip() or "none"
    raise FatalError(f"The warehouse wrote {place} with the encryption {found}, not {wanted.kind} as it was told.")
