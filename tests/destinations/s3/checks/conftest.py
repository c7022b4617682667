"""Two accounts of a partner: one where rights count, one where the states of keys and the regions of buckets do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.aws import AwsSandbox, FaultProxy
from tests.destinations.s3.checks.partner import BUCKET, World


def _world(aws: AwsSandbox) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, FaultProxy(aws.url) as proxy:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        patch.setenv("AIRFLOW_CONN_PARTNER", "")  # set by World, and taken back here
        aws.bucket(BUCKET)
        yield World(aws, proxy)


@pytest.fixture(scope="module")
def partner() -> Iterator[World]:
    """Roles and policies count here; the exporter is a user with nothing but the right to assume roles."""
    with AwsSandbox("access") as aws:
        for world in _world(aws):
            world.exporter = aws.user("exporter", [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}])
            yield world


@pytest.fixture(scope="module")
def stored(aws_storage: AwsSandbox) -> Iterator[World]:
    """The states of keys and the regions of buckets count here; nobody is denied anything."""
    for world in _world(aws_storage):
        yield world
        aws_storage.client("s3").delete_bucket(Bucket=BUCKET)


@pytest.fixture(autouse=True)
def _calm(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    for name in ("partner", "stored"):
        if name in request.fixturenames:
            request.getfixturevalue(name).proxy.forget()


@pytest.fixture(scope="module")
def role(partner: World) -> str:
    """A role with all rights that an export can use."""
    return partner.role("good")
