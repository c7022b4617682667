"""A running contract server for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.braze import BrazeSandbox
from sandbox.braze.testing import kept_to


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[BrazeSandbox]:
    """A server at whose end every request must have been as the contract wants it, but for what the test's mark allows."""
    mark = request.node.get_closest_marker("allows")
    with kept_to(BrazeSandbox(), allow=set(mark.args) if mark else set()) as running:
        yield running
