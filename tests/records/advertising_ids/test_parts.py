"""Part files: their size to the byte, their form, and where they are cut."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

import pytest

from activation.errors import ConfigurationError
from activation.records.advertising_ids import LINE_BYTES
from activation.records.advertising_ids.parts import ids_of
from tests.records.advertising_ids.model import clean_texts, lines

IDS: list[str | None] = [str(uuid.uuid5(uuid.NAMESPACE_DNS, str(n))) for n in range(10)]


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [(37, [1] * 10), (73, [1] * 10), (74, [2] * 5), (111, [3, 3, 3, 1]), (369, [9, 1]), (370, [10]), (371, [10])],
)
def test_a_part_is_as_large_as_the_limit_allows_and_never_cuts_a_line(limit: int, sizes: list[int], tmp_path: Path) -> None:
    with clean_texts(IDS, tmp_path) as done:
        parts = done.parts(limit)
        assert [part.ids for part in parts] == sizes
        assert sorted(lines(parts)) == sorted(map(str, IDS))
        for number, part in enumerate(parts, 1):
            data = part.path.read_bytes()
            assert part.path.name == f"part-{number:05}.csv"
            assert len(data) == part.bytes == part.ids * 37 <= limit
            assert part.sha256 == hashlib.sha256(data).hexdigest()
            assert data.endswith(b"\n")
            assert b"\r" not in data
            assert not data.startswith(b"\xef\xbb\xbf")


def test_only_the_first_parts_are_written_if_no_more_are_wanted(tmp_path: Path) -> None:
    with clean_texts(IDS, tmp_path) as done:
        every = [part.sha256 for part in done.parts(111)]
        (first,) = done.parts(111, most=1)
        assert (first.ids, first.sha256) == (3, every[0])


def test_more_ids_than_are_written_at_once(tmp_path: Path) -> None:
    """A cut in the middle of what is turned into lines together."""
    ids: list[str | None] = [str(uuid.UUID(int=n)) for n in range(1, 40_001)]
    with clean_texts(ids, tmp_path, rows=10_000) as done:
        parts = done.parts(37 * 25_000)
        assert [part.ids for part in parts] == [25_000, 15_000]
        assert set(lines(parts)) == set(ids)


def test_200_mb_hold_5405405_ids() -> None:
    """contracts: kakao_moment 2.5."""
    assert LINE_BYTES == 37
    assert ids_of(200_000_000) == 5_405_405
    assert ids_of(199_999_985) == 5_405_405
    assert ids_of(199_999_984) == 5_405_404


def test_a_limit_below_one_line_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"at most 36 bytes holds no advertising id.*file\.limit"):
        ids_of(36)
