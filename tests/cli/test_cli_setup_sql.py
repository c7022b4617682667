"""``activation setup-sql``: which pipeline it finds, what it prints, what it returns."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from activation.cli import main
from activation.setup import KITS

PIPELINE = """source: {{type: {engine}, connection: w, table: {table}}}
destination: {{type: braze, connection: b, data: attributes}}
alerts: {{email: [crm@example.com]}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default folder with a pipeline for each engine."""
    monkeypatch.chdir(tmp_path)
    path = Path("dags/pipelines")
    path.mkdir(parents=True)
    for engine in KITS:
        (path / f"{engine}_users.yaml").write_text(PIPELINE.format(engine=engine, table="crm.users"), encoding="utf-8")
    return path


@pytest.mark.parametrize("engine", KITS)
def test_a_table_whose_columns_are_mapped_is_there_already(engine: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapped = "columns: {identifiers: {external_id: USER_ID}, fields: {city: CITY}}\n"
    (folder / "mapped.yaml").write_text(PIPELINE.format(engine=engine, table="crm.people") + mapped, encoding="utf-8")
    assert main(["setup-sql", "mapped"]) == 0
    said = capsys.readouterr().out
    assert "CREATE TABLE" not in said
    assert engine == "duckdb" or "people" in said.casefold(), "who reads it is still said"


@pytest.mark.parametrize("engine", KITS)
def test_a_pipeline_is_found_by_its_id_and_by_its_path(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup-sql", f"{engine}_users"]) == 0
    by_id = capsys.readouterr()
    assert main(["setup-sql", f"dags/pipelines/{engine}_users.yaml"]) == 0
    assert capsys.readouterr() == by_id
    assert by_id.err == ""
    assert f"-- What the pipeline {engine}_users needs in" in by_id.out.splitlines()[0]
    assert "CREATE TABLE IF NOT EXISTS" in by_id.out


def test_the_script_of_duckdb_runs_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup-sql", "duckdb_users"]) == 0
    script = capsys.readouterr().out
    with duckdb.connect() as connection:
        for _ in range(2):
            connection.execute(script)
        connection.execute("INSERT INTO crm.users (external_id, payload) VALUES ('a', '{}')")
        assert connection.execute("SELECT count(*) FROM crm.users WHERE updated_at <= now()").fetchone() == (1,)


def test_the_options_reach_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--role", "READERS", "--user", "CARRIER", "--warehouse", "SMALL_WH", "--without-table"]
    assert main(["setup-sql", "snowflake_users", *options]) == 0
    script = capsys.readouterr().out
    for name in ("READERS", "CARRIER", "SMALL_WH"):
        assert name in script
    assert "CREATE TABLE" not in script
    assert "ACTIVATION_" not in script


def test_a_query_gets_a_note_instead_of_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PIPELINE.format(engine="postgres", table="x").replace("table: x", "query: SELECT 1")
    (folder / "asked.yaml").write_text(text, encoding="utf-8")
    assert main(["setup-sql", "asked"]) == 0
    script = capsys.readouterr().out
    assert "-- The pipeline reads a query." in script
    assert "CREATE TABLE" not in script
    assert "GRANT SELECT ON <schema>.<table>" in script


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "activation: There is no pipeline nowhere: neither a file of that name, nor dags/pipelines/nowhere.yaml. "),
        (["notes.txt"], "activation: notes.txt is not called like a pipeline file (*.yaml or *.yml, not _* or .*).\n"),
        (["redshift_users", "--role", "x"], "activation: A setup of Amazon Redshift has no use for --role. "),
        (["templated"], "activation: The table name is a template that was not rendered. "),
        (["broken"], "activation: dags/pipelines/broken.yaml:1:1: "),
    ],
)
def test_what_cannot_be_done_is_told(
    folder: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("notes.txt").touch()
    (folder / "templated.yaml").write_text(PIPELINE.format(engine="duckdb", table='"{{ params.t }}"'), encoding="utf-8")
    (folder / "broken.yaml").write_text("- x\n", encoding="utf-8")
    assert main(["setup-sql", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(message)


def test_without_the_default_folder_a_path_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["setup-sql", str(tmp_path / "dags/pipelines/duckdb_users.yaml")]) == 0
    assert main(["setup-sql", "duckdb_users"]) == 2


def test_an_export_reads_a_table_that_is_there_already(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "events.yaml"
    file.write_text(
        "schedule: '@daily'\nsource: {type: postgres, connection: w, table: crm.events}\n"
        "destination: {type: s3, connection: aws, data: event, path: s3://bucket/folder}\n"
    )
    assert main(["setup-sql", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "GRANT SELECT" in printed
    assert "CREATE TABLE" not in printed


@pytest.mark.parametrize("engine", KITS)
def test_a_stream_of_profiles_has_five_tables(engine: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "streamed.yaml").write_text(
        f"source: {{type: {engine}, connection: w, table: crm.profiles, related: {{identities: cdp.ids, writes: crm.w}}}}\n"
        "columns: {fields: {person.name: FULL_NAME}}\n"
        "destination: {type: kinesis, connection: k, stream: profiles, audiences: [a]}\n",
        encoding="utf-8",
    )
    assert main(["setup-sql", "streamed"]) == 0
    said = capsys.readouterr().out
    assert said.count("CREATE TABLE IF NOT EXISTS") == 5
    assert "FULL_NAME" in said
    assert "payload" not in said.lower()
    for name in ("profiles", "ids", "w"):
        assert engine == "duckdb" or re.search(rf"GRANT[^;]*[\"`.]{name}[\"`]", said, re.IGNORECASE), name
    assert main(["setup-sql", "streamed", "--without-table"]) == 0
    without = capsys.readouterr().out
    assert "CREATE TABLE" not in without
    assert without.count("GRANT") == said.count("GRANT")
