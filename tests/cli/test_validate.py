"""``activation validate``: formats, environments, waiting for pipelines that are not there, connections, the standard input."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from activation.cli import main, used_connections
from activation.spec.schema import pipeline_schema

GOOD = """source: {type: postgres, connection: warehouse, table: crm.users}
destination: {type: braze, connection: braze, data: attributes}
alerts: {email: [crm@example.com]}
"""
STREAM = """source: {type: postgres, connection: warehouse, table: crm.profiles}
destination: {type: kinesis, connection: aws, stream: profiles, audiences: [a1]}
"""
CONNECTIONS = {
    "AIRFLOW_CONN_WAREHOUSE": {"conn_type": "postgres", "host": "h", "password": "hunter2"},
    "AIRFLOW_CONN_BRAZE": {"conn_type": "braze", "password": "hunter2"},
    "AIRFLOW_CONN_SMTP_DEFAULT": {"conn_type": "smtp"},
    "AIRFLOW_CONN_AWS": {"conn_type": "aws"},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default folder, in the working directory, with one good file."""
    monkeypatch.chdir(tmp_path)
    path = Path("dags/pipelines")
    path.mkdir(parents=True)
    (path / "users.yaml").write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch, metadata_db: None) -> None:
    """Airflow's connections; what was looked up before is forgotten."""
    for name, value in CONNECTIONS.items():
        monkeypatch.setenv(name, json.dumps(value))
    used_connections._type_of.cache_clear()
    used_connections._stored.cache_clear()


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> list[str]:
    """The lines of an answer."""
    assert main(["validate", *arguments]) == code
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out.splitlines()


def test_json_is_one_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--format", "json", code=0) == ["[]"]
    (folder / "users.yaml").write_text(GOOD + "ownr: 고객\n", encoding="utf-8")
    (folder / "empty.yaml").write_text("", encoding="utf-8")
    assert json.loads("\n".join(told(capsys, "--format", "json"))) == [
        {
            "file": "dags/pipelines/empty.yaml",
            "line": 0,
            "column": 0,
            "message": "The file is empty.",
            "fix": "Write a pipeline, or remove the file.",
            "severity": "error",
            "pipeline": "empty",
        },
        {
            "file": "dags/pipelines/users.yaml",
            "line": 4,
            "column": 1,
            "message": "'ownr' is not a key of a pipeline file.",
            "fix": "Did you mean owner? Allowed: id, description, owner, tags, schedule, source, cursor, destination, columns, "
            "delivery, alerts, errors, task.",
            "severity": "error",
            "pipeline": "users",
        },
    ]


def test_github_gets_workflow_commands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--format", "github", code=0) == []
    (folder / "users.yaml").write_text(GOOD.replace("type: braze", 'type: "100%, a:b"'), encoding="utf-8")
    (folder / "a,b.yaml").write_text(STREAM, encoding="utf-8")
    assert told(capsys, "--format", "github") == [
        "::error file=dags/pipelines/a%2Cb.yaml,title=Pipeline a%2Cb::The file's name is not a pipeline id.%0A"
        "An id has 1 to 100 characters: a lower-case letter, then lower-case letters, digits and _.",
        "::error file=dags/pipelines/users.yaml,line=2,col=21,title=Pipeline users::destination.type does not know "
        "'100%25, a:b'.%0AAllowed: braze, s3, kinesis, kakao_moment.",
    ]


def test_a_problem_tells_in_which_environments_it_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "users.prod.yaml").write_text("delivery: {in_flight: 999}\n", encoding="utf-8")
    (folder / "_defaults.test.yaml").write_text("owner: crm\n", encoding="utf-8")
    assert told(capsys) == [
        "dags/pipelines/users.prod.yaml:1:23: delivery.in_flight is out of range.",
        "    1 | delivery: {in_flight: 999}",
        "      |                       ^",
        "        Allowed: a whole number, 1 to 256.",
        "        Only in the environment prod.",
        "1 file, 1 broken file, 1 problem.",
    ]
    (entry,) = json.loads("\n".join(told(capsys, "--format", "json")))
    assert (entry["environments"], entry["pipeline"]) == (["prod"], "users")
    (command,) = told(capsys, "--format", "github")
    assert command.endswith("Allowed: a whole number, 1 to 256.%0AOnly in the environment prod.")
    assert told(capsys, "--env", "test", code=0)[-1] == "1 file, 0 broken files, 0 problems."
    assert "Only in" not in "".join(told(capsys, "--env", "prod"))
    assert "Only in the environment prod." in "".join(told(capsys, "dags/pipelines/users.prod.yaml"))


def test_a_problem_without_an_environment_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "users.yaml").write_text(GOOD + "delivery: {in_flight: 999}\n", encoding="utf-8")
    (folder / "users.prod.yaml").write_text("delivery: {in_flight: 9}\n", encoding="utf-8")
    assert "        Only in the environment (none)." in told(capsys)


def test_an_environment_that_no_file_knows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--env", "prod", code=0)
    (folder / "users.prod.yaml").write_text("owner: crm\n", encoding="utf-8")
    assert main(["validate", "--env", "prd"]) == 2
    assert capsys.readouterr() == (
        "",
        "activation: No file is written for the environment 'prd'. Fix: Did you mean prod? Known: prod.\n",
    )


def test_a_pipeline_that_waits_for_nobody(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "reports.yaml").write_text(STREAM + "schedule: {after: [usres]}\n", encoding="utf-8")
    expected = [
        "dags/pipelines/reports.yaml:3:20: schedule.after[0] waits for usres, but no pipeline has that id.",
        "    3 | schedule: {after: [usres]}",
        "      |                    ^",
        "        Did you mean users? Name a pipeline by its id, which is the name of its file without .yaml.",
    ]
    assert told(capsys)[:4] == expected
    assert told(capsys, "dags/pipelines/reports.yaml", code=0)
    (folder / "usres.yaml").write_text("broken", encoding="utf-8")
    assert not any("schedule.after" in line for line in told(capsys))


def test_a_part_of_the_folder_does_not_know_the_rest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "reports").mkdir()
    (folder / "reports" / "daily.yaml").write_text(STREAM + "schedule: {after: [users]}\n", encoding="utf-8")
    assert told(capsys, "dags/pipelines/reports", code=0)
    assert told(capsys, code=0)[-1] == "2 files, 0 broken files, 0 problems."


def test_a_circle_is_told_in_each_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "users.yaml").write_text(GOOD + "schedule: {after: [profiles]}\n", encoding="utf-8")
    (folder / "profiles.yaml").write_text(STREAM + "schedule: {after: [users]}\n", encoding="utf-8")
    entries = json.loads("\n".join(told(capsys, "--format", "json")))
    assert [(one["pipeline"], one["message"].rpartition(": ")[2]) for one in entries] == [
        ("profiles", "profiles → users → profiles."),
        ("users", "users → profiles → users."),
    ]


@pytest.mark.usefixtures("connections")
def test_connections_that_are_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "profiles.yaml").write_text(STREAM, encoding="utf-8")
    (folder / "others.yaml").write_text(GOOD.replace("connection: warehouse", "connection: '{{ x }}'"), encoding="utf-8")
    assert told(capsys, "--connections", code=0)[-1] == "3 files, 0 broken files, 0 problems."


@pytest.mark.usefixtures("connections")
def test_connections_that_are_not_there_or_of_another_type(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("connection: warehouse", "connection: warehose").replace("connection: braze", "connection: aws")
    (folder / "users.yaml").write_text(text.replace("]}", "], notify: [slack]}"), encoding="utf-8")
    (folder / "profiles.yaml").write_text(STREAM.replace("postgres", "snowflake"), encoding="utf-8")
    shown = told(capsys, "--connections")
    assert shown == [
        "dags/pipelines/profiles.yaml:1:39: source.connection names the connection 'warehouse', which is of type postgres, "
        "but one of type snowflake is needed.",
        "    1 | source: {type: snowflake, connection: warehouse, table: crm.profiles}",
        "      |                                       ^",
        "        Name a connection of that type, or write type: postgres.",
        "dags/pipelines/users.yaml:1:38: source.connection names the connection 'warehose', which Airflow does not know.",
        "    1 | source: {type: postgres, connection: warehose, table: crm.users}",
        "      |                                      ^",
        "        Did you mean warehouse? Create it under Admin › Connections or as AIRFLOW_CONN_WAREHOSE, or correct the name.",
        "dags/pipelines/users.yaml:2:40: destination.connection names the connection 'aws', which is of type aws, "
        "but one of type braze is needed.",
        "    2 | destination: {type: braze, connection: aws, data: attributes}",
        "      |                                        ^",
        "        Name a connection of that type, or change the connection's type in Airflow.",
        "dags/pipelines/users.yaml:3:45: alerts.notify[0] names the connection 'slack', which Airflow does not know.",
        "    3 | alerts: {email: [crm@example.com], notify: [slack]}",
        "      |                                             ^",
        "        Create it under Admin › Connections or as AIRFLOW_CONN_SLACK, or correct the name.",
        "2 files, 2 broken files, 4 problems.",
    ]
    assert "hunter2" not in "".join(shown)
    assert told(capsys, code=0)


@pytest.mark.usefixtures("connections")
def test_a_connection_in_the_database_can_have_been_meant(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(Connection(conn_id="crm_lake", conn_type="postgres", password="hunter2"))
    try:
        (folder / "users.yaml").write_text(GOOD.replace("connection: warehouse", "connection: crm_lakes"), encoding="utf-8")
        assert "        Did you mean crm_lake? Create it" in "\n".join(told(capsys, "--connections"))
    finally:
        with create_session() as session:
            session.query(Connection).filter_by(conn_id="crm_lake").delete()


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def put(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    put(GOOD)
    assert told(capsys, "-", code=0) == ["<stdin>: good", "1 file, 0 broken files, 0 problems."]
    put("id: users_to_braze\n" + GOOD)
    assert told(capsys, "-", code=0)
    put(GOOD + "ownr: x\n")
    assert told(capsys, "-")[0] == "<stdin>:4:1: 'ownr' is not a key of a pipeline file."


def test_every_key_of_the_schema_has_a_title_a_description_and_examples() -> None:
    schema = pipeline_schema()
    Draft202012Validator.check_schema(schema)
    blocks = {"": schema, **schema["$defs"]}
    missing = {
        f"{block}.{name}"
        for block, its in blocks.items()
        for name, one in its.get("properties", {}).items()
        # What a block's own schema says already does not stand beside the reference to it.
        for key in ("title", "description", "examples")
        if key not in {**blocks.get(one.get("$ref", "").rpartition("/")[2], {}), **one}
    }
    assert not missing
