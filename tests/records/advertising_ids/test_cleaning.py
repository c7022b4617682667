"""Cleaning: the same as the plain model, whatever comes in whatever order."""

from __future__ import annotations

import errno
import os
import random
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.errors import ConfigurationError, StoppedError
from activation.records.advertising_ids import IdRules, clean
from activation.records.advertising_ids import spill as spilling
from activation.records.advertising_ids.rules import AROUND
from tests.records.advertising_ids.model import ZERO, around, batches, clean_texts, cleaned, lines

ONE = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

_digits = st.sampled_from("0123456789abcdefABCDEF")
_few = st.sampled_from([ONE, ONE.upper(), "abcdefab-0000-0000-0000-000000000001", "ABCDEFAB-0000-0000-0000-000000000002", ZERO])


@st.composite
def _ids(draw: st.DrawFn) -> str:
    text = draw(_few | st.uuids().map(str))
    return "".join(one.upper() if draw(st.booleans()) else one for one in text)


@st.composite
def _wrapped(draw: st.DrawFn) -> str:
    wrap = st.text(st.sampled_from(AROUND), max_size=3)
    return draw(wrap) + draw(_ids()) + draw(wrap)


@st.composite
def _broken(draw: st.DrawFn) -> str:
    text, place = draw(_ids()), draw(st.integers(0, 35))
    return text[:place] + draw(st.text(max_size=2)) + text[place + draw(st.integers(0, 2)) :]


_texts = st.lists(st.none() | _ids() | _wrapped() | _broken() | st.text(max_size=40) | st.text(_digits, min_size=36, max_size=36))


@settings(max_examples=200, deadline=None)
@given(_texts, st.sampled_from(["keep", "lower", "upper"]), st.integers(1, 9))
def test_cleaning_is_what_the_plain_model_says(texts: list[str | None], case: str, rows: int) -> None:
    ids, counts, rejects = cleaned(texts, case)
    with tempfile.TemporaryDirectory() as folder, clean_texts(texts, Path(folder), case, rows) as done:
        assert done.read == len(texts) == done.ids + sum(done.counts.values())
        assert {reason: count for reason, count in done.counts.items() if count} == +counts
        written = lines(done.parts(37 * 4))
        assert len(written) == len(set(written)) == done.ids
        assert set(written) == ids
        assert [(row["value"], row["reason"]) for batch in done.rejects() for row in batch.to_pylist()] == rejects


@settings(max_examples=50, deadline=None)
@given(_texts, st.randoms(use_true_random=False))
def test_the_same_rows_in_any_order_give_the_same_bytes(texts: list[str | None], chance: random.Random) -> None:
    found = []
    for rows in (1, 50):
        with tempfile.TemporaryDirectory() as folder, clean_texts(texts, Path(folder), rows=rows) as done:
            found.append([(part.ids, part.sha256) for part in done.parts(100)])
        chance.shuffle(texts)
    assert found[0] == found[1]


@pytest.mark.parametrize("character", sorted({chr(one) for one in range(sys.maxunicode + 1) if around(chr(one))}))
def test_what_stands_around_an_id_is_taken_off(character: str, tmp_path: Path) -> None:
    texts = [
        f"{character}{ONE}",
        f"{ONE}{character}",
        f"{character * 2}{ONE}{character * 3}",
        character,
        f"{ONE[:8]}{character}{ONE[9:]}",
    ]
    with clean_texts(texts, tmp_path) as done:
        assert done.counts == {"missing": 1, "not_an_advertising_id": 1, "all_zero": 0, "duplicate": 2}
        assert lines(done.parts(1_000)) == [ONE]


@pytest.mark.parametrize(
    "text",
    [
        ONE.replace("-", ""),  # an MD5 hash of an id looks like this
        ONE + "0",
        ONE[:-1],
        ONE[:-1] + "g",
        ONE[:-1] + "é",
        "ＡBCDEFAB-0000-0000-0000-00000000000",  # 36 bytes, but a wide letter
        ONE.replace("-", "_"),
        "0a1b2c3-d4e5f-6071-8293-a4b5c6d7e8f9",
        ONE[:-1] + "@",
        ONE[:-1] + "`0",
        ONE[:-1] + "/",
        ONE[:-1] + ":",
        ONE[:-1] + "\x10",
        ONE[:-1] + "\x19",
        "null",
        f"{ONE},{ONE}",
    ],
)
def test_another_shape_is_rejected_and_kept_as_it_came(text: str, tmp_path: Path) -> None:
    with clean_texts([f" {text} ", text], tmp_path) as done:
        assert (done.ids, done.counts["not_an_advertising_id"]) == (0, 2)
        assert [batch.to_pylist() for batch in done.rejects()] == [
            [{"value": one, "reason": "not_an_advertising_id"} for one in (f" {text} ", text)]
        ]
        assert done.parts(1_000) == []


def test_of_several_spellings_the_first_by_code_point_stays(tmp_path: Path) -> None:
    spellings = [ONE, ONE.upper(), ONE.replace("a", "A"), ONE.replace("f", "F")]
    for chosen in (spellings, spellings[:1] + spellings[2:], [spellings[3], ONE]):
        with clean_texts(chosen, tmp_path) as done:
            assert lines(done.parts(1_000)) == [min(chosen)]


def test_all_zero_is_counted_and_never_written(tmp_path: Path) -> None:
    with clean_texts([ZERO, f"{{{ZERO}}}", ZERO[:-1] + "1"], tmp_path) as done:
        assert done.counts["all_zero"] == 2
        assert lines(done.parts(1_000)) == [ZERO[:-1] + "1"]


def test_slices_of_arrays_are_read_where_they_begin(tmp_path: Path) -> None:
    ids = [str(uuid.UUID(int=n << 64 | n)) for n in range(1, 200)]
    whole = pa.record_batch([pa.array([None, *ids, "x"], pa.string())], ["adid"])
    pieces = [whole.slice(start, 7) for start in range(0, 201, 7)]
    with clean(pieces, "adid", IdRules(), tmp_path) as done:
        assert set(lines(done.parts(10_000))) == set(ids)


def test_many_blocks_and_many_duplicates_of_one_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only large lists do: several blocks on disk, and shares whose duplicates go on the way."""
    monkeypatch.setattr(spilling, "AT_ONCE", 64)
    monkeypatch.setattr(spilling, "_MOST", 16)
    chance = random.Random(7)
    known = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(500)]
    texts: list[str | None] = [chance.choice([*known, *[ONE] * 500]).replace("a", chance.choice("aA")) for _ in range(5_000)]
    ids, counts, _ = cleaned(texts)
    with clean_texts(texts, tmp_path, rows=100) as done:
        assert done.counts["duplicate"] == counts["duplicate"] == 5_000 - len(ids)
        assert set(lines(done.parts(1_000))) == ids


def test_ids_that_share_their_first_half_are_told_apart(tmp_path: Path) -> None:
    texts: list[str | None] = [str(uuid.UUID(int=(1 << 100) + n % 300)) for n in range(1_000)]
    with clean_texts(texts, tmp_path, rows=50) as done:
        assert sorted(lines(done.parts(100_000))) == sorted(set(texts))


def test_progress_is_told_and_can_stop_the_reading(tmp_path: Path) -> None:
    seen: list[int] = []
    with clean(batches([ONE] * 7), "adid", IdRules(), tmp_path, seen.append):
        assert seen == [3, 6, 7]
    ended = []

    def source() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches([ONE, "x"] * 4)
        finally:
            ended.append(True)

    def stop(rows: int) -> None:
        raise StoppedError(f"stopped behind {rows} rows")

    with pytest.raises(StoppedError, match="behind 3 rows"):
        clean(source(), "adid", IdRules(), tmp_path, stop)
    assert ended == [True]
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    done = clean_texts([ONE, "x"], tmp_path / "made" / "for it")
    done.parts(37)
    assert sorted(one.name for one in done.place.iterdir()) == ["ids", "part-00001.csv", "rejects"]
    done.close()
    done.close()
    assert list(done.place.iterdir()) == []


def test_a_source_that_fails_is_told_as_it_is(tmp_path: Path) -> None:
    def source() -> Iterator[pa.RecordBatch]:
        yield from batches([ONE])
        raise ConfigurationError("The warehouse is gone.")

    with pytest.raises(ConfigurationError, match="The warehouse is gone"):
        clean(source(), "adid", IdRules(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [pa.int64(), pa.large_string(), pa.binary()])
def test_what_is_no_text_is_refused(kind: pa.DataType, tmp_path: Path) -> None:
    batch = pa.record_batch([pa.nulls(1, kind)], ["adid"])
    with pytest.raises(ConfigurationError, match=rf"column adid came as {kind}.*CAST\(adid AS VARCHAR\)"):
        clean([batch], "adid", IdRules(), tmp_path)


def test_a_full_disk_says_how_much_is_needed(tmp_path: Path) -> None:
    def source() -> Iterator[pa.RecordBatch]:
        yield from batches([ONE])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ConfigurationError, match=r"is full.*77 bytes for each row.*TMPDIR"):
        clean(source(), "adid", IdRules(), tmp_path)


def test_another_fault_of_the_disk_stays_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=os.strerror(errno.EEXIST)) as caught:
        clean_texts([ONE], tmp_path / "file")
    assert not isinstance(caught.value, ConfigurationError)


def test_an_unknown_case_is_refused() -> None:
    wrong: Any = "Lower"
    with pytest.raises(ConfigurationError, match=r"'Lower' is no way.*keep, lower, upper"):
        IdRules(wrong)
