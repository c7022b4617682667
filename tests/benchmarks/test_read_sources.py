"""The benchmark of reading runs to its end, and sees content that is wrong; nothing is about time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benchmarks import read_sources
from benchmarks.processes import BenchmarkError, Outcome
from benchmarks.reading import rows, table
from benchmarks.reading.results import Reading, Results, full, quick
from benchmarks.reading.ways import NAIVE, PEERS
from sandbox.warehouses import SANDBOXES
from sandbox.warehouses.base import WarehouseSandbox

ROOT = Path(__file__).parents[2]


def test_a_quick_run_finds_every_content_exact() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [sys.executable, "-m", "benchmarks.read_sources", "--quick", "duckdb", "postgres"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for engine in ("duckdb", "postgres"):
        assert f"{engine}: content of 20,000 rows is exact\n" in done.stdout
        for way in PEERS[engine]:
            assert f"{engine}: {way} reads 20,000 rows with " in done.stdout
    assert "does not work" not in done.stdout
    assert "these times mean nothing" in done.stdout


def cut(found: pa.Table) -> pa.Table:
    """The rows without one."""
    return found.slice(1)


def swap(found: pa.Table) -> pa.Table:
    """The rows with the notes of two others exchanged."""
    notes = found.column("note").to_pylist()
    notes[:2] = [notes[1], notes[0]]
    return found.set_column(found.schema.get_field_index("note"), "note", pa.array(notes, pa.string()))


class _Lossy:
    """A reader that changes what it reads."""

    change: Any = None

    def __init__(self, way: str, sandbox: WarehouseSandbox, folder: Path, extra: Mapping[str, object]) -> None:
        pass

    def __enter__(self) -> _Lossy:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def do(self, *, repeat: int = 1, **arguments: Any) -> Outcome:
        count = int(arguments["table"][1].removeprefix("rows_"))
        return Outcome([1.0], 1.0, 1, 1, rows.expected(type(self).change(rows.make(count))))


@pytest.mark.parametrize(("change", "fault"), [(cut, "199 rows came, not 200"), (swap, "column note differs")])
def test_wrong_content_is_reported_not_timed_and_ends_with_1(
    change: Any, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.reading.measure.Reader", _Lossy)
    monkeypatch.setattr(_Lossy, "change", staticmethod(change))
    assert read_sources.main(["duckdb", "--quick", "--rows", "200"]) == 1
    said = capsys.readouterr().out
    assert f"duckdb: FAILED: content of 200 rows is wrong: {fault}" in said
    assert f"- duckdb, 200 rows: **WRONG**: {fault}" in said
    assert "rows/s" not in said


def test_a_way_that_does_not_work_is_told_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Reader(_Lossy):
        def __init__(self, way: str, *rest: Any) -> None:
            self.way = way

        def do(self, *, repeat: int = 1, **arguments: Any) -> Outcome:
            if self.way != "ours":
                raise BenchmarkError("no such method")
            count = int(arguments["table"][1].removeprefix("rows_"))
            found = rows.expected(rows.make(count)) if "check" in arguments else {"rows": count, "fetched": None}
            return Outcome([1.0], 1.0, 1, 1, found)

    monkeypatch.setattr("benchmarks.reading.measure.Reader", Reader)
    assert read_sources.main(["duckdb", "--quick", "--rows", "200"]) == 0
    assert "- duckdb, `df`: does not work here, no such method" in capsys.readouterr().out


def test_an_unknown_engine_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_sources.main(["oracle"])
    assert ended.value.code == 2
    assert "unknown: oracle; allowed: duckdb, postgres, " in capsys.readouterr().err


def test_the_checksum_knows_the_row_of_a_cell_but_not_the_order() -> None:
    made = rows.make(500)
    wanted = rows.expected(made)
    assert rows.expected(made.take(pa.array(range(499, -1, -1)))) == wanted
    assert rows.differences(wanted, rows.expected(swap(made))) == ["column note differs"]
    assert rows.differences(wanted, rows.expected(cut(made))) == ["499 rows came, not 500"]


def test_pieces_add_up() -> None:
    made = rows.make(500)
    sums, at = rows.Sums(), made.schema.get_field_index(rows.CURSOR)
    whole = made.set_column(at, rows.CURSOR, pc.multiply(made.column(at).cast(pa.int64()), 1_000))
    for start in range(0, 500, 200):
        sums.add(whole.slice(start, 200))
    assert sums.result() == rows.expected(made)


def test_text_is_compared_as_what_it_stands_for() -> None:
    made = rows.make(500)
    text = pa.table({name: made[name] if name == rows.CURSOR else made[name].cast(pa.string()) for name in made.column_names})
    assert rows.expected(text) == rows.expected(made)


def test_every_sandbox_has_ways() -> None:
    assert list(PEERS) == list(SANDBOXES)
    assert {way for ways in PEERS.values() for way in ways} == set(NAIVE)


def test_the_table_compares_rates_and_marks_a_missed_target() -> None:
    results = Results(quick(1_000))
    megabyte = 1 << 20
    results.readings = [
        Reading("snowflake", "ours", 200, 0.1, 100 * megabyte, 150 * megabyte, 0.02),
        Reading("snowflake", "ours", 1_000, 0.5, 100 * megabyte, 180 * megabyte, 0.1),
        Reading("snowflake", "get_records", 200, 0.4, 100 * megabyte, 300 * megabyte, 0.18),
    ]
    text = table.render(results, "python -m benchmarks.read_sources")
    assert "| snowflake | `get_records` | 200 | 0.40 s | 500 | 0.18 s | 200 MiB | 4.0× |" in text
    assert "| from the first rows on faster than `get_records`, snowflake | ≥ 5× | 9.0× | yes |" in text
    assert "| faster than `get_records`, snowflake | ≥ 5× | 4.0× | **no** |" in text
    assert "| growth of peak memory from 200 to 1,000 rows, snowflake | < 15% | +20.0% | **no** |" in text
    assert results.good
    results.exact["snowflake"] = ["column note differs"]
    assert not results.good


def test_the_sizes_of_a_real_measurement() -> None:
    sizes = full(1_000_000)
    assert (sizes.few, sizes.warm, sizes.all()) == (200_000, 1_000, [1_000, 200_000, 1_000_000, 2_000_000])


def test_the_published_document_has_the_marks() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert [text.count(mark) for mark in table.MARKS] == [1, 1]
