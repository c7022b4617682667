"""The switches of the server: immutable."""

from dataclasses import dataclass, field

from sandbox.kinesis import contract


@dataclass(frozen=True)
class Limits:
    """What one shard takes and gives in a second; ``None`` for no limit.

    A record that is larger than a second's bytes is taken when the shard has a second's bytes left, and then it owes the rest.
    """

    write_records: float | None = contract.WRITE_RECORDS
    write_bytes: float | None = contract.WRITE_BYTES
    reads: float | None = contract.READS
    read_bytes: float | None = contract.READ_BYTES

    def __post_init__(self) -> None:
        for name in ("write_records", "write_bytes", "reads", "read_bytes"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be more than 0, or None for no limit")


NO_LIMITS = Limits(None, None, None, None)


@dataclass(frozen=True)
class Settings:
    """All switches.

    :ivar shards: of a stream that says nothing else.
    :ivar limits: of a shard.
    :ivar request_bytes: data and partition keys of a PutRecords.
    :ivar shard_page: shards that ListShards gives at once, at most.
    :ivar delay_ms: milliseconds before each answer.
    :ivar keys: access key -> secret key of those who may ask.
    """

    shards: int = 4
    limits: Limits = field(default_factory=Limits)
    request_bytes: int = contract.REQUEST_BYTES[1]
    shard_page: int = contract.SHARD_PAGE
    delay_ms: float = 0
    keys: dict[str, str] = field(default_factory=lambda: {"test": "test"}, repr=False)
    region: str = contract.REGION
    account: str = contract.ACCOUNT

    def __post_init__(self) -> None:
        for name in ("shards", "request_bytes", "shard_page"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more")
        if self.delay_ms < 0:
            raise ValueError("delay_ms must not be negative")
        if not self.keys:
            raise ValueError("the server needs at least one access key")
