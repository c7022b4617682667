"""One server for all tests of a file, and a fresh stream for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.kinesis import KinesisSandbox

_NUMBERS = itertools.count()


class Place:
    """A stream of a server, asked through boto3."""

    def __init__(self, server: KinesisSandbox, shards: int = 2) -> None:
        self.server, self.name = server, f"stream-{next(_NUMBERS)}"
        self.client = server.client()
        self.arn = server.create(self.name, shards)

    def put(self, *records: tuple[str, bytes], **given: Any) -> dict[str, Any]:
        """PutRecords of partition keys and data."""
        entries = [{"PartitionKey": key, "Data": data} for key, data in records]
        answer: dict[str, Any] = self.client.put_records(StreamName=self.name, Records=entries, **given)
        return answer

    def refused(self, operation: str, **given: Any) -> tuple[str, str]:
        """Error code and message of a call that must fail."""
        with pytest.raises(ClientError) as raised:
            getattr(self.client, operation)(**given)
        error = raised.value.response["Error"]
        return error["Code"], error["Message"]

    def held(self) -> list[bytes]:
        """The data that the server keeps, sorted."""
        return sorted(one.data for one in self.server.records(self.name))


@pytest.fixture(scope="module")
def server() -> Iterator[KinesisSandbox]:
    """A server with the real limits."""
    with KinesisSandbox() as server:
        yield server


@pytest.fixture
def place(server: KinesisSandbox) -> Iterator[Place]:
    """An empty stream of two shards; counts begin at nothing, and no fault stays."""
    place = Place(server)
    server.forget()
    yield place
    server.forget()
    server.change(limits=True, delay_ms=0)
