"""A running contract server for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.braze import BrazeSandbox


@pytest.fixture
def server() -> Iterator[BrazeSandbox]:
    with BrazeSandbox() as running:
        yield running
