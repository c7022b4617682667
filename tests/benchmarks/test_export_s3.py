"""The benchmark of exports runs to its end, and sees content that is wrong; nothing is about time."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from benchmarks import export_s3
from benchmarks.exporting import measure, rows, table
from benchmarks.exporting.results import Exported, Results, full, quick
from benchmarks.exporting.ways import OURS, PEERS
from benchmarks.processes import BenchmarkError

ROOT = Path(__file__).parents[2]


def test_a_quick_run_finds_every_content_exact() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [sys.executable, "-m", "benchmarks.export_s3", "--quick", "--rows", "2000", "duckdb"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for form in table.SHOWN.values():
        assert f"- duckdb to {form}, 2,000 rows: exact\n" in done.stdout
    assert "these times mean nothing" in done.stdout


def test_airflows_own_operator_exports_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "FORMS", ("csv",))  # each process loads its libraries for seconds
    assert export_s3.main(["--quick", "--rows", "2000", "postgres"]) == 0
    said = capsys.readouterr().out
    assert "- postgres to CSV.gz, 2,000 rows: exact" in said
    for way in PEERS:
        assert f"postgres: {way} exports 2,000 rows to csv with " in said
    assert "does not work" not in said


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A DuckDB file with a table of 1,000 rows."""
    rows.make(tmp_path / "made.duckdb", 1_000)
    return tmp_path / "made.duckdb"


def files(database: Path, select: str, form: str, most: int = 1_000) -> list[Path]:
    """The first rows of the table as a file."""
    place = database.parent / f"part.{form}"
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        how = "FORMAT parquet" if form == "parquet" else "FORMAT csv, FORCE_QUOTE (city, note), COMPRESSION gzip"
        connection.execute(f"COPY (SELECT {select} FROM {'.'.join(rows.table_of(1_000))} LIMIT {most}) TO '{place}' ({how})")
    return [place]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_checksums_of_files_are_those_of_the_table(database: Path, form: str) -> None:
    wanted = rows.expected(database, 1_000)
    assert wanted["rows"] == 1_000
    assert rows.found(files(database, "*", form), form) == wanted
    assert rows.totals(files(database, "*", form), form) == rows.expected_totals(database, 1_000)


@pytest.mark.parametrize(
    ("select", "fault"),
    [
        ("* REPLACE (coalesce(note, '') AS note)", "column note differs"),
        ("* REPLACE (nullif(city, '') AS city)", "column city differs"),
        ("* REPLACE (sent_at + INTERVAL 1 microsecond AS sent_at)", "column sent_at differs"),
        ("* REPLACE (lag(score) OVER () AS score)", "column score differs"),
    ],
)
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_cell_that_is_wrong_is_seen(database: Path, select: str, fault: str, form: str) -> None:
    wanted = rows.expected(database, 1_000)
    assert rows.differences(wanted, rows.found(files(database, select, form), form)) == [fault]


def test_a_row_that_is_missing_and_a_type_that_is_another_are_seen(database: Path) -> None:
    wanted = rows.expected(database, 1_000)
    assert rows.differences(wanted, rows.found(files(database, "*", "parquet", 999), "parquet")) == ["999 rows came, not 1,000"]
    with pytest.raises(ValueError, match="the columns of the files are"):
        rows.found(files(database, "* REPLACE (CAST(amount AS DOUBLE) AS amount)", "parquet"), "parquet")


def test_the_rows_have_what_is_hard(database: Path) -> None:
    with gzip.open(files(database, "*", "csv")[0], "rt", encoding="utf-8") as text:
        lines = text.read()
    assert '""동""' in lines
    assert ",," in lines
    assert ',"",' in lines
    numbers = rows.expected_totals(database, 1_000)
    assert numbers[:2] == (1_000, 499_500)


class _Lossy:
    """A process that exports nothing."""

    def __init__(self, *given: Any) -> None:
        pass

    def __enter__(self) -> _Lossy:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def do(self, *, repeat: int = 1, **arguments: Any) -> Any:
        return SimpleNamespace(seconds=[1.0], memory=1, peak=1, found={"manifest": "all/_manifest.json"})


def test_wrong_content_is_reported_not_timed_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Aws:
        """A bucket with a manifest that lists nothing."""

        def __init__(self, kind: str) -> None:
            pass

        __enter__, __exit__ = _Lossy.__enter__, _Lossy.__exit__

        def bucket(self, name: str) -> None:
            pass

        def client(self, service: str) -> None:
            pass

    monkeypatch.setattr(measure, "AwsSandbox", Aws)
    monkeypatch.setattr(measure, "Exporter", _Lossy)
    monkeypatch.setattr(measure, "_listed", lambda client, prefix="all/": [])
    monkeypatch.setattr(measure, "_parts", lambda client, manifest: [])
    lost = {**dict.fromkeys(rows.COLUMNS, 0), "rows": 1_999}
    monkeypatch.setattr(rows, "found", lambda files, form: lost)
    assert export_s3.main(["duckdb", "--quick", "--rows", "2000"]) == 1
    said = capsys.readouterr().out
    assert "duckdb: FAILED: content of 2,000 rows in parquet is wrong: 1,999 rows came, not 2,000" in said
    assert "- duckdb to Parquet, 2,000 rows: **WRONG**: 1,999 rows came, not 2,000" in said
    assert "rows/s" not in said


def test_an_unknown_engine_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        export_s3.main(["snowflake"])
    assert ended.value.code == 2
    assert "unknown: snowflake; allowed: postgres, duckdb" in capsys.readouterr().err


def test_the_table_compares_rates_and_marks_a_missed_target() -> None:
    results, megabyte = Results(quick(1_000)), 1 << 20
    results.exports = [
        Exported("postgres", OURS, "parquet", 1_000, 0.5, 200 * megabyte, 300 * megabyte, megabyte),
        Exported("postgres", OURS, "parquet", 10_000, 5.0, 200 * megabyte, 360 * megabyte, 10 * megabyte),
        Exported("postgres", "pandas", "parquet", 1_000, 2.0, 250 * megabyte, 1_000 * megabyte, megabyte),
        Exported("postgres", "polars", "parquet", 500, 0.6, 250 * megabyte, 500 * megabyte, megabyte),
    ]
    text = table.render(results, "python -m benchmarks.export_s3")
    row = "| postgres | Parquet | `SqlToS3Operator`, pandas | 1,000 | 2.00 s | 500 | 1 MiB | 1,000 MiB | 750 MiB | 4.0× |"
    assert row in text
    assert "| faster than pandas, postgres to Parquet | ≥ 5× | 4.0× | **no** |" in text
    assert "| faster than polars, postgres to Parquet | ≥ 2× | 2.4× | yes |" in text
    assert "| peak memory beside pandas, 1,000 rows, postgres to Parquet | ≤ 1/3 | 0.30 | yes |" in text
    assert "beside polars" not in text  # it exported fewer rows, so its memory cannot be compared
    assert "| growth of peak memory from 1,000 to 10,000 rows, postgres to Parquet | < 15% | +20.0% | **no** |" in text
    assert results.good
    results.exact["postgres", "csv", 1_000] = ["column note differs"]
    assert not results.good


def test_the_sizes_of_a_real_measurement() -> None:
    sizes = full(20_000_000)
    assert (sizes.rows, sizes.few, sizes.warm) == (2_000_000, 200_000, 1_000)
    assert sizes.all() == [1_000, 200_000, 2_000_000, 20_000_000]


def test_the_published_document_has_the_marks() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert [text.count(mark) for mark in table.MARKS] == [1, 1]


def test_a_way_that_does_not_work_is_told_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: measure.Measurement, *given: Any, **more: Any) -> Exported:
        raise BenchmarkError("no such frame")

    monkeypatch.setattr(measure.Measurement, "_export", fail)
    measurement = measure.Measurement(quick(1_000), ["postgres"], tmp_path, print)
    measurement._peer(SimpleNamespace(engine="postgres"), "polars", "csv")  # type: ignore[arg-type]
    assert "postgres: polars to csv does not work: no such frame" in capsys.readouterr().out
    assert measurement._results.good
    assert "- postgres, polars to CSV.gz: does not work here, no such frame" in table.render(measurement._results, "x")
