"""``activation new``: a commented file to begin with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from activation.cli import main
from activation.spec import load_file
from activation.spec.destinations import DESTINATIONS
from activation.spec.schema import pipeline_schema
from activation.spec.sources import SOURCES
from activation.spec.starter import FILLED, SHOWN, starter

OPTION = re.compile(r"^#(?=(?:  )*[a-z_]+:)", re.MULTILINE)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default folder, in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = Path("dags/pipelines")
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("source", SOURCES)
def test_each_starter_is_valid_as_it_is(folder: Path, source: str, destination: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"{source}_to_{destination}"
    assert main(["new", source, destination]) == 0
    told = capsys.readouterr()
    assert told.out == (
        f"dags/pipelines/{name}.yaml is written. Put your own connections, table and names into it, "
        f"then run: activation validate dags/pipelines/{name}.yaml\n"
    )
    assert told.err == "For completion in an editor: activation schema -o dags/pipelines/pipeline.schema.json\n"
    assert main(["validate"]) == 0
    assert capsys.readouterr().out == f"dags/pipelines/{name}.yaml: good\n1 file, 0 broken files, 0 problems.\n"
    pipeline = load_file(folder / f"{name}.yaml")
    assert (pipeline.source.type, pipeline.destination.type) == (source, destination)
    text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
    assert Draft202012Validator(pipeline_schema()).is_valid(yaml.safe_load(text))
    assert max(len(line) for line in text.splitlines()) <= 160


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_each_optional_line_shows_what_holds_without_it(folder: Path, destination: str) -> None:
    text = starter("snowflake", destination, name="x.yaml", schema="s.json")
    (folder / "short.yaml").write_text(text, encoding="utf-8")
    (folder / "long.yaml").write_text(OPTION.sub("", text), encoding="utf-8")
    short, long = (load_file(folder / f"{name}.yaml").model_copy(update={"id": ""}) for name in ("short", "long"))
    assert long == short
    given = {f"{key}:" for path in SHOWN[destination] for key in path.split(".") if path not in FILLED[destination]}
    assert {line.strip("# ").partition(":")[0] + ":" for line in text.splitlines()} >= given


def test_every_line_of_a_starter_is_a_key_or_says_something(folder: Path) -> None:
    text = starter("postgres", "braze", name="users.yaml", schema="../pipeline.schema.json")
    assert text.startswith("# yaml-language-server: $schema=../pipeline.schema.json\n# Rows of postgres to braze. ")
    assert text.endswith("#  pool: null # such as braze\n")
    assert (
        "\n  # The Airflow connection of the warehouse. Jinja and `${env:NAME}` are allowed.\n  connection: warehouse\n" in text
    )
    assert '\nschedule: "*/15 * * * *"\n' in text
    assert "\n#delivery:\n  # Most requests that wait for their answer at the same time.\n#  in_flight: 16\n" in text


def test_the_schema_is_looked_for_around_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("docs").mkdir()
    assert main(["schema", "-o", "docs/pipeline.schema.json"]) == 0
    assert main(["new", "duckdb", "s3", "--id", "events"]) == 0
    assert capsys.readouterr().err == ""
    first = (folder / "events.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../docs/pipeline.schema.json"
    assert json.loads((folder / first.partition("=")[2]).read_text(encoding="utf-8")) == pipeline_schema()


def test_a_file_is_never_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "users.yaml").write_text("mine", encoding="utf-8")
    assert main(["new", "duckdb", "braze", "--id", "users"]) == 2
    assert capsys.readouterr() == (
        "",
        "activation: dags/pipelines/users.yaml is there already, and is not overwritten. Fix: Choose another --id or --output.\n",
    )
    assert (folder / "users.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (["-o", "elsewhere/users.yml"], "elsewhere/users.yml"),
        (["-o", "elsewhere"], "elsewhere/duckdb_to_braze.yaml"),
        (["-o", "elsewhere", "--id", "users"], "elsewhere/users.yaml"),
        (["-o", "elsewhere/users.yaml", "--id", "users"], "elsewhere/users.yaml"),
    ],
)
def test_output_names_a_file_or_a_folder(arguments: list[str], written: str) -> None:
    Path("elsewhere").mkdir()
    assert main(["new", "duckdb", "braze", *arguments]) == 0
    assert [str(path) for path in Path().rglob("*.y*ml")] == [written]


def test_output_may_be_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "duckdb", "braze", "-o", "-"]) == 0
    printed = capsys.readouterr()
    (folder / "users.yaml").write_text(printed.out, encoding="utf-8")
    assert load_file(folder / "users.yaml").destination.type == "braze"
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "No source is named. Fix: Write activation new SOURCE DESTINATION. "
         "Allowed: duckdb, postgres, snowflake, redshift, bigquery, databricks."),
        (["duckdb"], "No destination is named. Fix: Write activation new SOURCE DESTINATION. "
         "Allowed: braze, s3, kinesis, kakao_moment."),
        (["postgresql", "braze"], "There is no source 'postgresql'. Fix: Did you mean postgres? "
         "Allowed: duckdb, postgres, snowflake, redshift, bigquery, databricks."),
        (["braze", "duckdb"], "There is no source 'braze'. Fix: "
         "Allowed: duckdb, postgres, snowflake, redshift, bigquery, databricks. Write the source first."),
        (["duckdb", "braze", "--id", "My users"], "'My users' is not a pipeline id. Fix: An id has 1 to 100 characters: "
         "a lower-case letter, then lower-case letters, digits and _."),
        (["duckdb", "braze", "-o", "users.txt"], "users.txt is not called like a pipeline file. Fix: Write users.yaml."),
        (["duckdb", "braze", "-o", "users.yaml", "--id", "orders"],
         "The id is orders, but the file is called users.yaml. Fix: Leave out --id, or rename the file."),
        (["duckdb", "braze", "-o", "nowhere/users.yaml"],
         "nowhere/users.yaml cannot be written: No such file or directory. "
         "Fix: Make the folder nowhere, or name another one by --output."),
    ],
)  # fmt: skip
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", *arguments]) == 2
    assert capsys.readouterr() == ("", f"activation: {message}\n")
    assert not list(Path().rglob("*.y*ml"))


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "--list"]) == 0
    assert capsys.readouterr().out == (
        "Sources: duckdb, postgres, snowflake, redshift, bigquery, databricks\n"
        "Destinations: braze, s3, kinesis, kakao_moment\n"
        "Each source goes to each destination.\n"
    )
