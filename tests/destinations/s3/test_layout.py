"""Folders, paths and keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from activation.destinations.s3.identity import Identity
from activation.destinations.s3.layout import (
    KEY_BYTES,
    attempt,
    attempt_number,
    check_template,
    default_template,
    is_part,
    manifest_key,
    normal_folder,
    part_key,
    prefix,
    success_key,
)
from activation.errors import ConfigurationError

KST = timezone(timedelta(hours=9))
WHO = Identity(
    pipeline_id="orders",
    pipeline_name="Orders",
    run_id="r",
    data="event",
    start=datetime(2026, 7, 19, 0, 30, tzinfo=KST),
    end=datetime(2026, 7, 19, 1, 30, tzinfo=KST),
    timezone="Asia/Seoul",
)


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("a", "a"),
        ("/a//b/", "a/b"),
        ("///a/b", "a/b"),
        ("내보내기/이벤트/", "내보내기/이벤트"),
        ("dt=2026/a b", "dt=2026/a b"),
        ("..a/b..", "..a/b.."),
        ("k" * KEY_BYTES, "k" * KEY_BYTES),
        ("가" * 341, "가" * 341),
    ],
)
def test_s_f9_a_folder_is_normalised(folder: str, expected: str) -> None:
    assert normal_folder(folder) == expected


@pytest.mark.parametrize(
    ("folder", "says", "fix"),
    [
        ("", "is empty", "Name a folder"),
        ("//", "is empty", "Name a folder"),
        ("../a", "a part '..'", "without . and .."),
        ("a/../b", "a part '..'", "without . and .."),
        ("a/.", "a part '.'", "without . and .."),
        ("a/b\nc", "U+000A", "Remove it"),
        ("a\x00", "U+0000", "Remove it"),
        ("a/\x7f", "U+007F", "Remove it"),
        ("a/\u2028", "U+2028", "Remove it"),
        ("a/\ud800", "U+D800", "Remove it"),
        ("k" * (KEY_BYTES + 1), "1,025 bytes", "Shorten"),
        ("가" * 342, "1,026 bytes", "two to four bytes"),
    ],
)
def test_s_f9_a_folder_that_cannot_be_is_refused(folder: str, says: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        normal_folder(folder)
    assert str(caught.value).startswith("invalid bucket folder format")
    assert says in caught.value.problem
    assert fix in caught.value.fix


def test_s_f9_a_path_leaves_room_for_the_names_below_it() -> None:
    fits = next(size for size in range(KEY_BYTES, 0, -1) if not _refused("k" * size))
    path = prefix("{folder}", "k" * fits, WHO)
    assert len(part_key(attempt(path, 9999), 0, "parquet")) <= KEY_BYTES
    assert fits > 950


def _refused(folder: str) -> bool:
    try:
        prefix("{folder}", folder, WHO)
    except ConfigurationError as error:
        return "invalid bucket folder format" in error.problem
    return False


def test_the_default_path_has_the_day_and_the_hour_of_the_pipelines_zone() -> None:
    hourly = prefix(default_template(hourly=True), "/exports/", WHO)
    assert hourly == "exports/event/dt=2026-07-19/hr=00/run=20260718T153000Z_orders"
    daily = prefix(default_template(hourly=False), "exports", replace(WHO, timezone="UTC"))
    assert daily == "exports/event/dt=2026-07-18/run=20260718T153000Z_orders"


def test_every_field_of_a_path() -> None:
    template = "{folder}/{data}/{date}/{year}/{month}/{day}/{hour}/{minute}/{interval_start}/{interval_end}/{pipeline_id}/{{x}}/"
    assert prefix(template, "f", WHO) == "f/event/2026-07-19/2026/07/19/00/30/20260718T153000Z/20260718T163000Z/orders/{x}"


def test_two_intervals_of_a_repeated_hour_have_two_paths() -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=timezone.utc)  # 01:30 in New York, twice that night
    paths = {
        prefix(default_template(hourly=True), "f", replace(WHO, start=start, end=start, timezone="America/New_York"))
        for start in (first, first + timedelta(hours=1))
    }
    assert len(paths) == 2
    assert {path.split("/")[3] for path in paths} == {"hr=01"}


def test_a_fraction_of_a_second_stands_in_the_path() -> None:
    start = WHO.start + timedelta(microseconds=1)
    assert prefix("{folder}/{interval_start}", "f", replace(WHO, start=start)) == "f/20260718T153000.000001Z"


@pytest.mark.parametrize(
    ("template", "problem", "fix"),
    [
        ("{folder}/{pipelineid}", "unknown field 'pipelineid'", "Did you mean pipeline_id? Allowed: folder, data"),
        ("{folder}/{Date}", "unknown field 'Date'", "Did you mean date?"),
        ("{folder}/{run_id}", "unknown field 'run_id'", "Allowed: folder"),
        ("{folder}/{}", "unknown field ''", "Allowed: folder"),
        ("{folder}/{date.year}", "unknown field 'date.year'", "Allowed: folder"),
        ("{folder}/{date:%Y}", "'date' of the path", "Write its name alone"),
        ("{folder}/{date!r}", "'date' of the path", "Write its name alone"),
        ("{folder}/{date", "cannot be read", "Close every brace"),
        ("{folder}/}", "cannot be read", "a brace itself twice"),
    ],
)
def test_a_path_with_a_mistake_is_refused(template: str, problem: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_template(template)
    assert problem in caught.value.problem
    assert fix in caught.value.fix


def test_a_path_cannot_climb_either() -> None:
    with pytest.raises(ConfigurationError, match="invalid bucket folder format"):
        prefix("{folder}/../{data}", "f", WHO)


def test_names_below_a_path() -> None:
    assert part_key("p", 0, "csv.gz") == "p/part-00000.csv.gz"
    assert part_key("p", 123456, "parquet") == "p/part-123456.parquet"
    assert (manifest_key("p"), success_key("p"), attempt("p", 2)) == ("p/_manifest.json", "p/_SUCCESS", "p/attempt=2")
    assert [attempt_number(name) for name in ("attempt=1", "attempt=12", "attempt=0", "attempt=x", "hr=1")] == [
        1,
        12,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("p/part-00000.csv.gz", True),
        ("p/part-123456.parquet", True),
        ("p/attempt=3/part-00001.jsonl", True),
        ("p/_manifest.json", False),
        ("p/part-1.csv", False),
        ("p/part-00000-of-somebody.csv", False),
        ("p/x/part-00000.csv", False),
        ("q/part-00000.csv", False),
    ],
)
def test_what_a_part_is(key: str, expected: bool) -> None:
    assert is_part("p", key) is expected
