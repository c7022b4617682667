"""``activation rejects``: what it shows, what it writes, and the run that it asks Airflow for."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import DAG, ObjectStoragePath

from activation.cli import main
from activation.dags.build import build_dag
from activation.delivery.folder import Folder
from activation.delivery.journal import Journal
from activation.spec import Pipeline
from tests.cli.conftest import register, runs_of

SECRET = "010-1234-5678"


def reject(reason: str, user: str, run: str, **row: Any) -> dict[str, Any]:
    columns = {"EXTERNAL_ID": user, "PHONE": None, "PAYLOAD": json.dumps({"name": "김민준", "n": [1, None]}), **row}
    message = f"It is {reason}, and that is bad."
    at = "2026-07-19T09:00:01Z"
    return {"code": reason, "message": message, "updated_at": at, "row": columns, "pipeline": "p", "run": run, "attempt": 1}


@pytest.fixture(params=["disk", "object storage"])
def state(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """The state folder, in which two runs of the pipeline ``p`` have rejected something."""
    root = f"file://{tmp_path}/state" if request.param == "disk" else f"memory://bucket-{uuid4().hex}/activation"
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", root)
    folder: Folder = tmp_path / "state" / "p" if request.param == "disk" else ObjectStoragePath(root) / "p"
    for run, records in {
        "scheduled__1": [reject("bad", "ann", "scheduled__1"), reject("long", "bob", "scheduled__1", PHONE=SECRET)],
        "manual__2": [reject("bad", "cid", "manual__2", code="x,\n=1")],
    }.items():
        (folder / "rejects" / run).mkdir(parents=True)
        text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
        (folder / "rejects" / run / "part-000001.jsonl").write_text(text, encoding="utf-8")
    return folder


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was printed; what Airflow logs goes to the standard error."""
    return capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("state")
def test_f22_list_counts_by_run_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rejects", "list", "p"]) == 0
    assert lines(capsys) == [
        "run           reason  rows  message of the first",
        "manual__2     bad        1  It is bad, and that is bad.",
        "scheduled__1  bad        1  It is bad, and that is bad.",
        "scheduled__1  long       1  It is long, and that is bad.",
        "3 rejects of 2 runs.",
    ]


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("filters", "last"),
    [
        (["--run", "scheduled__1"], "2 rejects of 1 run."),
        (["--code", "bad"], "2 rejects of 2 runs."),
        (["--user", "cid"], "1 reject of 1 run."),
        (["--user", "nobody"], "0 rejects of 0 runs."),
        (["--run", "scheduled__1", "--code", "bad", "--user", "ann"], "1 reject of 1 run."),
    ],
)
def test_f22_list_can_be_narrowed(filters: list[str], last: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rejects", "list", "p", *filters]) == 0
    assert lines(capsys)[-1] == last


@pytest.mark.usefixtures("state")
def test_f22_details_name_the_row_and_mask_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rejects", "list", "p", "--run", "scheduled__1", "--details", "9"]) == 0
    shown = [json.loads(line) for line in lines(capsys)[-2:]]
    assert shown[1] == {
        "run": "scheduled__1",
        "code": "long",
        "updated_at": "2026-07-19T09:00:01Z",
        "row": {"EXTERNAL_ID": "bob", "PHONE": "0***", "PAYLOAD": {"name": "김***", "n": ["***", None]}},
    }
    assert main(["rejects", "list", "p", "--details", "1"]) == 0
    assert len([line for line in lines(capsys) if line.startswith("{")]) == 1


@pytest.mark.usefixtures("state")
def test_f22_export_as_json_lines_is_what_was_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.jsonl"
    assert main(["rejects", "export", "p", "-o", str(file), "--code", "long"]) == 0
    assert lines(capsys) == [f"1 reject in {file}."]
    assert [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] == [
        reject("long", "bob", "scheduled__1", PHONE=SECRET)
    ]
    assert file.stat().st_mode & 0o077 == 0, "it holds data of customers"


@pytest.mark.usefixtures("state")
def test_f22_export_as_csv_has_a_column_for_every_column_of_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.csv"
    assert main(["rejects", "export", "p", "-o", str(file), "--format", "csv"]) == 0
    assert lines(capsys) == [f"3 rejects in {file}."]
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    heads = ["code", "message", "updated_at", "pipeline", "run", "attempt", "EXTERNAL_ID", "PHONE", "PAYLOAD", "row.code"]
    assert list(rows[0]) == heads
    assert [(row["EXTERNAL_ID"], row["code"], row["PHONE"], row["row.code"]) for row in rows] == [
        ("cid", "bad", "", "x,\n=1"),
        ("ann", "bad", "", ""),
        ("bob", "long", SECRET, ""),
    ]


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("action", [["export", "-o", "never"], ["replay"]])
def test_nothing_to_do_is_told(
    action: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rejects", action[0], "p", *action[1:], "--code", "nothing"]) == 2
    assert capsys.readouterr().err == "activation: p has no such rejects. Fix: Look at activation rejects list p.\n"
    assert not Path("never").exists()


@pytest.mark.usefixtures("state")
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rejects", "export", "p", "-o", str(tmp_path / "no" / "file")]) == 2
    assert "cannot be written: No such file or directory." in capsys.readouterr().err


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(("name", "hint"), [("pp", "Did you mean p?"), ("other", "Known there: p."), ("../p", "Known there: p.")])
def test_an_unknown_pipeline_is_told(name: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rejects", "list", name]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"activation: No run of a pipeline {name} has left anything in ")
    assert hint in told or name == "../p"
    assert "AIRFLOW__ACTIVATION__STATE_FOLDER" in told


def a_dag(name: str) -> DAG:
    source = {"type": "duckdb", "connection": "w", "table": "main.users"}
    destination = {"type": "braze", "connection": "braze", "data": "attributes"}
    return build_dag(Pipeline.model_validate({"id": name, "source": source, "destination": destination}))


@pytest.mark.usefixtures("state", "metadata_db")
def test_f23_replay_asks_airflow_for_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    name = f"p_{uuid4().hex}"
    register(a_dag(name))
    capsys.readouterr()
    assert main(["rejects", "replay", "p", "--dag", name]) == 0
    (told,) = lines(capsys)
    assert told.startswith("3 rejects of 2 runs to replay. Airflow starts the run manual__")
    assert told.endswith(f" of {name}.")
    assert main(["rejects", "replay", "p", "--dag", name, "--run", "scheduled__1", "--code", "long"]) == 0
    assert lines(capsys)[0].startswith("1 reject of 1 run to replay.")
    assert runs_of(name) == [
        {"mode": "replay"},
        {"mode": "replay", "replay_run": "scheduled__1", "replay_code": "long"},
    ]


@pytest.mark.usefixtures("state", "metadata_db")
def test_a_paused_dag_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    name = f"p_{uuid4().hex}"
    register(a_dag(name), paused=True)
    capsys.readouterr()
    assert main(["rejects", "replay", "p", "--dag", name]) == 0
    assert lines(capsys)[0].endswith(f"It waits: the DAG is paused (airflow dags unpause {name}).")


@pytest.mark.usefixtures("state", "metadata_db")
def test_a_dag_that_would_ignore_the_order_is_not_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, ours = f"plain_{uuid4().hex}", f"p_{uuid4().hex}"
    register(DAG(plain, schedule=None))
    register(a_dag(ours))
    assert main(["rejects", "replay", "p", "--dag", plain]) == 2
    assert f"The DAG {plain} has no parameter mode, so it would do an ordinary run. Fix: " in capsys.readouterr().err
    monkeypatch.setenv("AIRFLOW__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS", "False")
    assert main(["rejects", "replay", "p", "--dag", ours]) == 2
    assert "Fix: Set AIRFLOW__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS=True." in capsys.readouterr().err
    assert runs_of(plain) == runs_of(ours) == []


@pytest.mark.usefixtures("state", "metadata_db")
def test_a_dag_that_airflow_does_not_know_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rejects", "replay", "p", "--dag", "nobody"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("activation: Airflow knows no DAG nobody. Fix: Look at `airflow dags list`")


def test_a_pipeline_that_sends_whole_lists_has_nothing_to_replay(
    state: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("activation.cli.metadata_db.trigger", lambda *_: pytest.fail("a run was asked for"))
    Journal(state).note("scheduled__1", "2026-07-19T09:00:00+00:00", "partial", data="advertising_ids")
    assert main(["rejects", "replay", "p"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("activation: p has nothing to replay: every run reads and sends its whole list")
    assert "Fix: Correct the ids in the warehouse, and let the DAG run again (airflow dags trigger p)." in told
    assert main(["rejects", "list", "p"]) == 0
