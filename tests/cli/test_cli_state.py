"""``activation state``: where a pipeline stands, how its runs went, and the reset that it asks Airflow for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import DAG, ObjectStoragePath

from activation.cli import main
from activation.cursor.recovery import Move
from activation.cursor.timestamps import from_text
from activation.cursor.watermark import Watermark
from activation.dags.build import build_dag
from activation.delivery.folder import Folder
from activation.delivery.journal import Journal
from activation.operators.memory import WATERMARK, asset_of
from activation.spec import Pipeline
from tests.cli.conftest import register, runs_of

W1 = Watermark(from_text("2026-07-19T09:07:23.123456789Z"), 5, run="manual__1")
W2 = Watermark(from_text("2026-07-20T00:00:00Z"), 1, run="manual__2")
STARTED = "2026-07-21T10:00:0{}.000+00:00"


@pytest.fixture(params=["disk", "object storage"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """The state folder."""
    url = f"file://{tmp_path}/state" if request.param == "disk" else f"memory://bucket-{uuid4().hex}/activation"
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", url)
    found: Folder = tmp_path / "state" if request.param == "disk" else ObjectStoragePath(url)
    return found


@pytest.fixture
def name(metadata_db: None) -> str:
    """A pipeline with a DAG."""
    name = f"p_{uuid4().hex}"
    register(a_dag(name))
    return name


def a_dag(name: str) -> DAG:
    source = {"type": "duckdb", "connection": "w", "table": "main.users"}
    destination = {"type": "braze", "connection": "braze", "data": "attributes"}
    return build_dag(Pipeline.model_validate({"id": name, "source": source, "destination": destination}))


def keep(name: str, value: Any) -> None:
    """Keep an asset state, as a task does."""
    from airflow.models.asset import AssetModel
    from airflow.state import AssetScope, get_state_backend
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        asset_id = session.scalar(select(AssetModel.id).where(AssetModel.name == asset_of(name).name))
        assert asset_id is not None
        get_state_backend().set(AssetScope(asset_id=asset_id), WATERMARK, json.dumps(value), session=session)


def history(root: Folder, name: str) -> None:
    """Three runs: one that moved the watermark, one that failed, one that moved it on."""
    journal = Journal(root / name)
    rows = {"read": 1200, "sent": 1190, "rejected": 10, "skipped": 0}
    report = {"status": "partial", "run": "manual__1", "rows": rows, "seconds": 12.34}
    journal.write(Move(None, W1), report, started=STARTED.format(1), ended=STARTED.format(2), mode="incremental")
    journal.note("manual__x", STARTED.format(3), "config_error", mode="incremental", error="No such table.\nFix: Make it.")
    report = {"status": "success", "run": "manual__2", "rows": dict.fromkeys(rows, 0), "seconds": 0.5}
    journal.write(Move(W1, W2), report, started=STARTED.format(4), ended=STARTED.format(5), mode="full")
    journal.note("manual__3", STARTED.format(6), "running", mode="incremental")


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was printed; what Airflow logs goes to the standard error."""
    return capsys.readouterr().out.splitlines()


def test_f21_show_tells_where_it_stands_and_how_the_runs_went(
    root: Folder, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    history(root, name)
    keep(name, W2.to_json())
    assert main(["state", "show", name]) == 0
    assert told(capsys) == [
        "watermark in Airflow      2026-07-20T00:00:00Z (1 rows there), by manual__2",
        "watermark in the journal  2026-07-20T00:00:00Z (1 rows there), by manual__2, moved there from "
        "2026-07-19T09:07:23.123456789Z",
        "",
        "started                        status        mode          read   sent  rejected  skipped  seconds  run",
        "2026-07-21T10:00:06.000+00:00  running       incremental      -      -         -        -        -  manual__3",
        "2026-07-21T10:00:04.000+00:00  success       full             0      0         0        0      0.5  manual__2",
        "2026-07-21T10:00:03.000+00:00  config_error  incremental      -      -         -        -        -  manual__x",
        "2026-07-21T10:00:01.000+00:00  partial       incremental  1,200  1,190        10        0     12.3  manual__1",
        "",
        "The last failure, of manual__x: No such table. Fix: Make it.",
    ]
    assert main(["state", "show", name, "--runs", "1"]) == 0
    assert len(told(capsys)) == 5


@pytest.mark.parametrize(
    ("value", "first", "note"),
    [
        (None, "none", "The next run: The asset state is missing; the run journal's watermark 2026-07-20T00:00:00Z is used."),
        (
            {"updated_at": "2026-01-01T00:00:00Z"},
            "2026-01-01T00:00:00Z, typed by a person",
            "The next run: The asset state was set by a person to 2026-01-01T00:00:00Z (the run journal says "
            "2026-07-20T00:00:00Z); it is honoured.",
        ),
        ({"at": 5}, "cannot be read: The asset state 'watermark' is no watermark: a watermark looks like", ""),
    ],
)
def test_show_says_which_memory_the_next_run_believes(
    root: Folder, name: str, capsys: pytest.CaptureFixture[str], value: Any, first: str, note: str
) -> None:
    history(root, name)
    if value is not None:
        keep(name, value)
    assert main(["state", "show", name]) == 0
    lines = told(capsys)
    assert lines[0].startswith(f"watermark in Airflow      {first}")
    assert lines[2] == note


def test_show_without_airflows_database_tells_what_the_journal_knows(
    root: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sqlalchemy.exc import OperationalError

    def broken(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT 1", {}, Exception("postgresql://airflow:s3cr3t@db/airflow"))

    history(root, "p")
    monkeypatch.setattr("airflow.utils.session.create_session", broken)
    assert main(["state", "show", "p"]) == 0
    out = capsys.readouterr().out
    assert "watermark in Airflow      cannot be read: Airflow's metadata database cannot be used (OperationalError). Fix: " in out
    assert "watermark in the journal  2026-07-20T00:00:00Z" in out
    assert "s3cr3t" not in out
    assert main(["state", "reset", "p", "--beginning", "--yes"]) == 2
    assert "Run this command where `airflow dags list` works" in capsys.readouterr().err


@pytest.mark.usefixtures("root")
def test_a_pipeline_that_never_ran_has_nothing_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "show", "nobody"]) == 2
    assert "No run of a pipeline nobody has left anything in" in capsys.readouterr().err


def test_f09_reset_shows_both_ends_and_asks_airflow_for_a_run(
    root: Folder, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    history(root, name)
    assert main(["state", "reset", name, "--to", "2026-07-19 09:07:23", "--yes"]) == 0
    first, second = told(capsys)
    assert first == f"{name}: from 2026-07-20T00:00:00Z to 2026-07-19T09:07:23Z."
    assert second.startswith("Airflow starts the run manual__")
    assert main(["state", "reset", name, "--beginning", "--yes"]) == 0
    assert told(capsys)[0].endswith(" to the beginning.")
    assert runs_of(name) == [{"mode": "reset", "reset_to": "2026-07-19T09:07:23Z"}, {"mode": "reset"}]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(("answer", "runs"), [("y", 1), ("YES", 1), ("", 0), ("n", 0)])
def test_a_person_at_a_terminal_is_asked(
    name: str, answer: str, runs: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert main(["state", "reset", name, "--beginning"]) == 0
    assert f"{name}: from none to the beginning." in told(capsys)[0]
    assert len(runs_of(name)) == runs


@pytest.mark.usefixtures("root")
def test_where_nobody_can_answer_nothing_is_changed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "reset", name, "--beginning"]) == 2
    assert "nobody is there to confirm it. Fix: Add --yes." in capsys.readouterr().err
    assert runs_of(name) == []


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "one of the arguments --to --beginning is required"),
        (["--to", "x", "--beginning"], "not allowed with argument"),
        (["--to", "yesterday"], "activation: --to: 'yesterday' is not an ISO 8601 timestamp"),
    ],
)
def test_wrong_usage(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "reset", "p", *arguments]) == 2
    assert text in capsys.readouterr().err
