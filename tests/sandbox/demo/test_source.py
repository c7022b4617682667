"""The demo's source: one model of the rows, whatever engine the pipeline reads, and a pipeline file for each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from activation.spec.loader import load_file
from sandbox.demo import __main__ as demo
from sandbox.demo import customers, devices, profiles, warehouse, waves
from sandbox.demo.source import (
    AUDIENCE,
    DAILY,
    EVENTS,
    PIPELINE,
    PIPELINES,
    PROFILES,
    ROOT,
    SERVERS,
    STREAM,
    Copied,
    Source,
    refusal,
    sample_for,
    source_of,
)
from sandbox.environments import PROGRESS
from sandbox.warehouses import SANDBOXES
from sandbox.warehouses.duckdb import DuckDBSandbox

TABLES = {
    PIPELINE: warehouse.TABLE,
    EVENTS: customers.EVENTS,
    PROFILES: customers.PROFILES,
    STREAM: ("crm", "profiles"),
    AUDIENCE: devices.TABLE,
    DAILY: devices.TABLE,
}
SAMPLE = (ROOT / "dags" / "pipelines" / f"{PIPELINE}.yaml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse, "USERS", 500)
    monkeypatch.setattr(warehouse, "UPDATES", 50)
    monkeypatch.setattr(warehouse, "AT_THE_END", 10)
    monkeypatch.setattr(customers, "AN_HOUR", 100)
    monkeypatch.setattr(customers, "PEOPLE", 30)
    monkeypatch.setattr(profiles, "PEOPLE", 2_000)
    for name, count in {"PEOPLE": 300, "LEAVE": 20, "COME": 12, "EACH": 5}.items():
        monkeypatch.setattr(devices, name, count)


class _Sandbox(DuckDBSandbox):
    """Another engine's sandbox, as far as the demo asks."""

    def start(self) -> None:
        PROGRESS.get()("installing 3 packages")
        super().start()

    def environment(self) -> Mapping[str, str]:
        return {"SSL_CERT_FILE": "ca.pem"}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copied:
    monkeypatch.setattr("sandbox.demo.source.sandbox_of", lambda engine: _Sandbox())
    return Copied("snowflake", tmp_path)


def test_every_sandbox_is_known_to_the_demo() -> None:
    assert list(SERVERS) == list(SANDBOXES)


def test_the_samples_are_the_pipelines_of_the_demo() -> None:
    assert tuple(TABLES) == PIPELINES


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("engine", SANDBOXES)
def test_a_pipeline_of_an_engine_is_the_sample_with_its_type(engine: str, name: str, tmp_path: Path) -> None:
    source = source_of(engine, tmp_path)
    file = source.dags() / "pipelines" / f"{name}.yaml"
    pipeline, sample = load_file(file), load_file(ROOT / "dags" / "pipelines" / f"{name}.yaml")
    assert pipeline.source.type == engine
    assert pipeline.source.table == sample.source.table == ".".join(TABLES[name])
    assert pipeline.destination == sample.destination
    assert (source.dags() / "activation.py").is_file()
    assert file.is_relative_to(ROOT if engine == "duckdb" else tmp_path)


def test_a_sample_without_a_type_is_noticed() -> None:
    with pytest.raises(ValueError, match="does not begin its source block with the type"):
        sample_for("postgres", SAMPLE.replace("  type: duckdb", "  kind: duckdb"))


def test_duckdb_reads_the_file_itself(tmp_path: Path) -> None:
    with source_of("duckdb", tmp_path) as source:
        assert type(source) is Source
        assert source.place() == str(tmp_path / "warehouse.duckdb")
        assert str(source.database) in source.environment()["AIRFLOW_CONN_WAREHOUSE"]
        assert warehouse.rows(source.database).num_rows == 550


def test_another_engine_gets_all_rows_and_gets_them_again(copied: Copied, capsys: pytest.CaptureFixture[str]) -> None:
    with copied:
        sandbox = copied._sandbox
        count = "SELECT COUNT(*), COUNT(UPDATED_AT), MAX(UPDATED_AT) FROM marketing.users"
        first = sandbox.execute(count)[0]
        assert first[:2] == (550, 545)
        copied.update()
        second = sandbox.execute(count)[0]
        assert second[:2] == (550, 545)
        assert second[2] > first[2]
        file = copied.place().rpartition(" ")[2]
        assert Path(file).stat().st_mode & 0o777 == 0o600
        assert "SSL_CERT_FILE=ca.pem\nAIRFLOW_CONN_WAREHOUSE='{" in Path(file).read_text(encoding="utf-8")
        assert copied.environment()["SSL_CERT_FILE"] == "ca.pem"
    assert not sandbox.file.exists()
    said = capsys.readouterr().out
    assert "   installing 3 packages\n   it answers after " in said
    assert said.count("   550 rows loaded into MARKETING.USERS in ") == 2
    assert "   400 rows loaded into MARKETING.EVENTS in " in said
    assert "   30 rows loaded into MARKETING.PROFILES in " in said


def test_another_engine_gets_the_changes_of_profiles_with_its_own_time(copied: Copied) -> None:
    with copied:
        wave = waves.wave(0)
        copied.change(wave)
        for view in profiles.VIEWS:
            shown = "* EXCLUDE (UPDATED_AT)"
            with duckdb.connect(str(copied.database)) as model:
                expected = model.execute(f"SELECT {shown} FROM crm.{view} ORDER BY ALL").fetchall()
            assert copied._sandbox.execute(f"SELECT {shown} FROM crm.{view} ORDER BY ALL") == expected
        newest = "SELECT COUNT(*), MAX(UPDATED_AT) <= now() FROM crm.memberships WHERE UPDATED_AT > now() - INTERVAL 1 MINUTE"
        ((count, past),) = copied._sandbox.execute(newest)
        assert (count >= len(wave.people["enter"]), past) == (True, True)


def test_another_engine_gets_the_list_of_ids_again(copied: Copied) -> None:
    with copied:
        count = "SELECT COUNT(*), COUNT(ADID), MAX(CUSTOMER_ID) FROM crm.push_ids WHERE CUSTOMER_ID LIKE 'c-%'"
        assert copied._sandbox.execute(count) == [(300, 300, "c-000299")]
        copied.relist()
        assert copied._sandbox.execute(count) == [(292, 292, "c-000311")]
        expected = devices.expect(copied.database)
        assert copied._sandbox.execute("SELECT COUNT(*) FROM crm.push_ids") == [(expected.read,)]


def test_a_server_whose_rows_cannot_be_loaded_is_stopped(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Sandbox, "load", lambda *given, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError), copied:
        pass
    assert not copied._sandbox.file.exists()


def test_the_rows_are_as_an_engine_takes_them(tmp_path: Path) -> None:
    warehouse.seed(tmp_path / "w.duckdb")
    rows = warehouse.rows(tmp_path / "w.duckdb")
    kinds = {field.name: field.type for field in rows.schema}
    assert kinds.pop("UPDATED_AT") == pa.timestamp("us", "UTC")
    assert set(kinds.values()) == {pa.string()}
    assert rows["UPDATED_AT"].null_count == 5
    assert '{"city": "서울"' in rows["PAYLOAD"].to_pylist()


def test_an_unknown_source_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = "error: SOURCE=oracle is unknown. Allowed: duckdb, postgres, snowflake, redshift, bigquery, databricks."
    assert demo.main("oracle") == 2
    assert capsys.readouterr() == ("", f"{line}\n")
    assert refusal("postgres") == ""
    done = subprocess.run([sys.executable, "-m", "sandbox.up", "oracle"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{line}\n")
