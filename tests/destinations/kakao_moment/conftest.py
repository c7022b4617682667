"""One server for each test, which takes writes as fast as they come and has files ready when its clock is advanced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.kakao import KakaoSandbox


@pytest.fixture
def kakao() -> Iterator[KakaoSandbox]:
    with KakaoSandbox("both", limits={"write_seconds": 0}, states={"frozen": True}) as server:
        yield server
