"""One server for a test session, and a world of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.kakao import KakaoSandbox

from .kakao_world import KakaoWorld, make


@pytest.fixture(scope="session")
def kakao_server() -> Iterator[KakaoSandbox]:
    with KakaoSandbox(generation="both", limits={"write_seconds": 0}, states={"frozen": True, "complete_seconds": 600}) as kakao:
        yield kakao


@pytest.fixture
def kakao(kakao_server: KakaoSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KakaoWorld:
    kakao_server.reset()
    return make(kakao_server, tmp_path, monkeypatch)
