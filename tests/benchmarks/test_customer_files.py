"""The benchmark of customer files runs to its end, and sees content that is wrong; nothing is about time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from benchmarks.cleaning import measure, rows, table
from benchmarks.cleaning.results import Results, Run, full, quick
from benchmarks.cleaning.ways import contestant

ROOT = Path(__file__).parents[2]


def test_a_quick_run_finds_every_content_exact() -> None:
    command = [sys.executable, "-m", "benchmarks.customer_files", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for way in table.SHOWN.values():
        assert f"- {way}, 5,000 rows: exact\n" in done.stdout
    assert "these times mean nothing" in done.stdout


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A DuckDB file with a table of 2,000 rows."""
    rows.make(tmp_path / "made.duckdb", 2_000)
    return tmp_path / "made.duckdb"


def test_what_must_come_of_a_table_is_counted_as_it_was_made(database: Path) -> None:
    wanted = rows.expected(database, 2_000)
    assert (wanted["missing"], wanted["all_zero"], wanted["not_an_advertising_id"]) == (4, 2, 6)
    assert wanted["lines"] == wanted["ids"] == 2_000 - 4 - 2 - 6 - wanted["duplicate"]
    assert 0 < wanted["duplicate"] <= 200


@pytest.mark.parametrize("way", ["ours", "pandas"])
def test_both_ways_find_what_must_come(way: str, database: Path, tmp_path: Path) -> None:
    found = contestant(way, str(database))(2_000, str(tmp_path / "files"))
    found["lines"], found["sha256"] = rows.written([Path(file) for file in found.pop("files")])
    assert rows.differences(rows.expected(database, 2_000), found) == []


@pytest.mark.parametrize("change", ["", "x", "less", "twice", "blank"])
def test_wrong_files_are_seen(change: str, database: Path, tmp_path: Path) -> None:
    found = contestant("ours", str(database))(2_000, str(tmp_path / "files"))
    (file,) = map(Path, found["files"])
    lines = file.read_text().splitlines()
    changed = {
        "": lines[::-1],
        "x": [*lines[:-1], lines[-1][:-1] + ("0" if lines[-1][-1] != "0" else "1")],
        "less": lines[:-1],
        "twice": [*lines, lines[0]],
        "blank": [*lines[:-1], " " + lines[-1]],
    }
    file.write_text("".join(f"{line}\n" for line in changed[change]))
    measured = measure.Measurement(quick(2_000), tmp_path, print)
    measured._database = database
    measured._wanted = {2_000: rows.expected(database, 2_000)}
    assert bool(measured._wrong(2_000, found)) is bool(change)


def test_a_file_above_the_limit_is_seen(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = contestant("ours", str(database))(2_000, str(tmp_path / "files"))
    monkeypatch.setattr(rows, "LIMIT", 1_000)
    assert "has more than 1,000 bytes" in measure.Measurement(quick(2_000), tmp_path, print)._wrong(2_000, found)[0]


def test_wrong_counts_are_told() -> None:
    wanted = {"ids": 3, "missing": 1}
    assert rows.differences(wanted, {"ids": 3}) == ["missing is None, not 1"]
    assert rows.differences(wanted, {"ids": 2, "missing": 1}) == ["ids is 2, not 3"]


def test_the_targets_compare_the_same_rows_and_the_smallest_with_the_largest_table() -> None:
    results = Results(full(10_000))
    mega = 1_000_000
    results.runs += [
        Run("ours", 1_000, 1.0, 90 * mega, 100 * mega),
        Run("ours", 10_000, 2.0, 90 * mega, 105 * mega),
        Run("ours", 50_000, 9.0, 90 * mega, 110 * mega),
        Run("pandas", 10_000, 10.0, 90 * mega, 420 * mega),
    ]
    assert [(one.measured, one.reached) for one in table.targets(results)] == [
        ("5.0×", True),
        ("0.25", True),
        ("110 MB", True),
        ("+10.0%", True),
    ]
    assert results.good
    results.exact["pandas", 10_000] = ["ids is 2, not 3"]
    assert not results.good
    text = table.render(results, "python -m benchmarks.customer_files")
    assert "- pandas script, 10,000 rows: **WRONG**: ids is 2, not 3" in text


def test_the_lists_hold_every_kind_of_row(database: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        texts = [row[0] for row in connection.execute(f"SELECT adid FROM {rows.table_of(2_000)}").fetchall()]
    assert None in texts
    assert rows.ZERO in texts
    for start in (' "', "\ufeff", "{", "\u00a0", "device-"):
        assert any(text and text.startswith(start) for text in texts)
