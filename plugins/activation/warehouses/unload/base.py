"""What is asked of a warehouse that writes files to S3 by itself, whatever the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from activation.cursor.window import Window
from activation.warehouses.base import Extract

BY_ROWS = "does not cut files by rows: leave files.part_rows out."
"""Behind the name of an engine."""


class Objects(Protocol):
    """The bucket, as an unloader sees it; addresses are ``s3://bucket/key``."""

    def read(self, url: str) -> bytes | None:
        """The content of an object; ``None`` if there is none."""

    def below(self, url: str) -> tuple[str, ...]:
        """The addresses that begin so, in order.

        :raises ConfigurationError: if the role may not list them.
        """


@dataclass(frozen=True, slots=True)
class Target:
    """Where files go and what they look like.

    :ivar url: what the addresses of all files begin with, ``s3://bucket/path/``; nothing else may lie below it.
    :ivar kind: ``csv``, ``jsonl`` or ``parquet``.
    :ivar compression: ``none``, ``gzip``, ``zstd`` or ``snappy``.
    :ivar credential: what the warehouse itself uses: an IAM role or a chain of them, a storage integration, an external location.
    :ivar part_bytes: about how large a file may become; ``None`` is as large as the engine makes them.
    :ivar part_rows: how many rows a file may have; ``None`` is as many as the engine gives it.
    :ivar encryption: ``AES256``, ``aws:kms``, or empty for what the bucket does.
    :ivar key: id or ARN of the KMS key; empty for none.
    :ivar region: the bucket's region; empty if it is not known.
    """

    url: str
    kind: str
    compression: str
    credential: str
    part_bytes: int | None = None
    encryption: str = ""
    key: str = ""
    region: str = field(default="")
    part_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A file that a warehouse says it has written.

    :ivar url: ``s3://bucket/key``.
    :ivar rows: how many rows it says are in it; ``None`` if it says nothing of them.
    """

    url: str
    rows: int | None


class Unloader(Protocol):
    """Lets one open warehouse write. For one thread at a time, except :meth:`cancel`."""

    name: str
    """The engine, as people write it."""

    def refusal(self, target: Target) -> str:
        """Why the engine cannot write such files, as a sentence that says what it can; empty if it can."""

    def statement(self, extract: Extract, window: Window, target: Target) -> str:
        """The statement: the same rows and columns as :meth:`activation.warehouses.base.Warehouse.typed` reads, in its order.

        :raises ConfigurationError: if a name or a value cannot be written into it safely.
        """

    def submit(self, statement: str) -> str:
        """Send a statement.

        :returns: what the warehouse calls it, so that another process can ask what became of it; empty if it has ended already.
        :raises ConfigurationError: if a right, the credential or a name is missing.
        :raises TransientError: if a later try can succeed.
        """

    def outcome(self, submitted: str, target: Target, objects: Objects) -> tuple[Written, ...] | None:
        """Wait for a statement, of this process or of an earlier one.

        :param submitted: what :meth:`submit` gave; empty if that is not known.
        :returns: the files, in the order of their names; ``None`` if it ended without a result, or nobody knows of it.
        :raises FatalError: if the answer contradicts itself.
        """

    def cancel(self) -> None:
        """Stop the statement, from any thread."""
