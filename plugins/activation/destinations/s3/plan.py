"""What one export is to do, how far it is, and what it did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from activation.destinations.s3.formats import Format
from activation.destinations.s3.identity import Identity
from activation.destinations.s3.manifest import File
from activation.destinations.s3.parts import PartLimit
from activation.destinations.s3.settings import Encryption, Transfer

OnExists = Literal["replace", "fail", "version"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export goes.

    :ivar prefix: the path of its objects, without a slash at its end; see :func:`~activation.destinations.s3.layout.prefix`.
    """

    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One export (contracts: s3_export 3.2 to 3.4).

    :ivar on_exists: ``replace`` writes over what lies there, ``fail`` refuses it unless this very run wrote it, ``version``
        goes to the first ``attempt=N`` below the path that no other run has used.
    :ivar encryption: ``None`` leaves it to the bucket.
    :ivar success_marker: whether an empty ``_SUCCESS`` follows the manifest.
    """

    place: Place
    identity: Identity
    form: Format
    limit: PartLimit
    on_exists: OnExists = "replace"
    encryption: Encryption | None = None
    success_marker: bool = False
    transfer: Transfer = field(default_factory=Transfer)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is.

    :ivar rows: rows that were read.
    :ivar bytes: bytes that were made of them, as they go to the bucket.
    :ivar parts: parts that were begun.
    :ivar rate: rows per second since the start.
    """

    rows: int
    bytes: int
    parts: int
    rate: float


@dataclass(frozen=True, slots=True)
class Report:
    """What an export did; there is one only if every row that was read is in a part that the manifest lists.

    :ivar bytes: bytes of all parts as they lie in the bucket.
    :ivar manifest: the key of the manifest.
    :ivar ignored: keys that look like parts beside it and belong to no export; they could not be removed.
    :ivar warnings: what a person should know, such as a right that the role lacks; one sentence each.
    :ivar seconds: of wall-clock time.
    """

    rows: int
    bytes: int
    files: tuple[File, ...]
    manifest: str
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: for XCom, the journal and the page."""
        return asdict(self) | {"seconds": round(self.seconds, 3)}
