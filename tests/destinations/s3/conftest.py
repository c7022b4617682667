"""A running S3 and an empty bucket for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from sandbox.aws import AwsSandbox, FaultProxy
from tests.destinations.s3.exporting import Storage
from tests.support.servers import shared


@pytest.fixture(scope="session")
def aws_storage() -> AwsSandbox:
    """S3 with KMS, one for all tests."""
    return shared(AwsSandbox, "storage")


@pytest.fixture
def storage(aws_storage: AwsSandbox) -> Iterator[Storage]:
    """An empty bucket, and a client that reaches it through a proxy."""
    with FaultProxy(aws_storage.url) as proxy:
        yield Storage(aws_storage, proxy, aws_storage.bucket(f"b-{uuid.uuid4().hex[:20]}"))
