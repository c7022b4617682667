"""A world for each test, at whose end every request must have been as the contract wants it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.braze import BrazeSandbox
from sandbox.braze.testing import kept_to

from .world import World, make


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[World]:
    mark = request.node.get_closest_marker("allows")
    with kept_to(BrazeSandbox(), allow=set(mark.args) if mark else set()) as braze:
        braze.change(rate={"enabled": False})
        yield make(braze, tmp_path, monkeypatch)
