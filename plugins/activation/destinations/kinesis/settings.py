"""Where the records go, and how they are sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

MOST_RECORDS = 500
"""Records of one PutRecords call (contract 2.1)."""

MOST_BYTES = 5 * 1024 * 1024
"""Bytes of one PutRecords call, data before base64 and partition keys, that every region takes (contract 2.1)."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream and how to get in.

    :ivar arn: the stream's ARN.
    :ivar url: the endpoint of the service, without a path.
    :ivar sign: from an action (``PutRecords``) and a body to all headers to send, ``Authorization`` among them; it fetches fresh
        credentials by itself and may raise an :class:`~activation.errors.ActivationError`. It is called in other threads.
    :ivar verify: certificate authorities to trust instead of the system's, a file; empty: the system's.
    :ivar on_demand: whether AWS scales the stream: then no fixed budget holds for its shards.
    """

    arn: str
    region: str
    url: str
    sign: Callable[[str, bytes], Mapping[str, str]] = field(repr=False)
    verify: str = ""
    on_demand: bool = False

    @property
    def name(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Sending:
    """How records are sent.

    :ivar records: most records of a call.
    :ivar bytes: most bytes of a call, data before base64 and partition keys; a single record may be larger.
    :ivar attempts: times that a record is sent before it is given up; Adobe's two retries make three (contract 1.6). ``None``:
        until the deadline.
    :ivar deadline: seconds, from the first time that a record is sent, within which it is sent again.
    :ivar exhausted: whether a record that is given up is rejected, or fails the run.
    :ivar share: of a shard's limits that this sender may use, above 0 up to 1; the rest is left to other producers.
    :ivar aggregate: whether small records are packed as the KPL packs them.
    :ivar timeout: seconds until a call counts as unanswered.
    """

    records: int = MOST_RECORDS
    bytes: int = MOST_BYTES
    attempts: int | None = 3
    deadline: float = 600.0
    exhausted: Literal["fail", "reject"] = "fail"
    share: float = 1.0
    aggregate: bool = False
    timeout: float = 30.0
