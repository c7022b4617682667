"""``activation deactivate``: the mark that nothing takes back, and the DAG that is paused (contracts: s3_export 1.2)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import DAG

from activation.cli import main
from activation.cli.metadata_db import asset_state
from activation.delivery.inactive import read_mark
from activation.operators.s3_export import S3ExportOperator
from activation.operators.summary import INACTIVE
from tests.cli.conftest import register
from tests.cli.listing import DAY, NOW, ONCE, SOURCE, USERS, Listing, change, events, is_paused, iso, unread


@pytest.fixture
def listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metadata_db: None) -> Listing:
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", f"file://{tmp_path}/state")
    monkeypatch.setenv("LOGNAME", "minji")
    monkeypatch.chdir(tmp_path)
    return Listing(tmp_path)


@pytest.fixture
def name() -> str:
    return f"p_{uuid4().hex[:8]}"


def status(capsys: pytest.CaptureFixture[str], name: str) -> tuple[str, str]:
    capsys.readouterr()
    assert main(["status", name, "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["pipelines"]
    return found["status"], found["note"]


@pytest.mark.parametrize("kind", ["periodic", "one_time"])
def test_s_l6_an_export_is_inactive_for_good(listing: Listing, name: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    listing.add(name, events(name) if kind == "periodic" else SOURCE + ONCE)
    assert main(["deactivate", name, "--yes", "--reason", "계약 종료"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{name} is Inactive from now on: its runs are refused.",
        f"Its DAG {name} is paused.",
    ]
    assert is_paused(name)
    assert asset_state(f"activation/{name}", f"x-activation://pipeline/{name}", INACTIVE).endswith("by minji (계약 종료)")
    change(name, is_paused=False)  # somebody resumes it in the UI
    found, note = status(capsys, name)
    assert found == "Inactive"
    assert re.fullmatch(r"made inactive on \d{4}-\d\d-\d\d by minji \(계약 종료\); its runs are refused", note)
    listing.add(name, events(name, schedule="@hourly"))  # and writes its file anew
    assert status(capsys, name)[0] == "Inactive"


def test_the_first_mark_stays_and_the_dag_is_paused_again(
    listing: Listing, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listing.add(name, events(name))
    assert main(["deactivate", name, "--yes"]) == 0
    mark = (listing.state / name / "inactive.json").read_bytes()
    change(name, is_paused=False)
    capsys.readouterr()
    assert main(["deactivate", name, "--reason", "another"]) == 0  # nothing to ask
    out = capsys.readouterr().out
    assert out.startswith(f"{name} was made inactive on ")
    assert (listing.state / name / "inactive.json").read_bytes() == mark
    assert is_paused(name)


@pytest.mark.parametrize(("answer", "off"), [("y", True), ("", False)])
def test_a_person_at_a_terminal_is_asked(
    listing: Listing, name: str, answer: str, off: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listing.add(name, events(name))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert main(["deactivate", name]) == 0
    assert f"{name} will be Inactive: none of its runs exports anything any more, and there is no way" in capsys.readouterr().out
    assert (read_mark(listing.state / name) is not None, is_paused(name)) == (off, off)


def test_where_nobody_can_answer_nothing_is_changed(listing: Listing, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    listing.add(name, events(name))
    assert main(["deactivate", name]) == 2
    assert "To make an export inactive is final, and nobody is there to confirm it. Fix: Add --yes." in capsys.readouterr().err
    assert (read_mark(listing.state / name), is_paused(name)) == (None, False)


def test_only_an_export_can_be_made_inactive(listing: Listing, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    listing.add(name, SOURCE + USERS)
    listing.journal(name).note("r1", iso(NOW), "success", ended=iso(NOW), mode="full")
    assert main(["deactivate", name, "--yes"]) == 2
    assert f"Nothing says that {name} is an export" in capsys.readouterr().err
    assert main(["deactivate", f"{name}x", "--yes"]) == 2
    assert f"There is no pipeline file {name}x, and no run" in capsys.readouterr().err
    assert main(["deactivate", "../p", "--yes"]) == 2
    assert not is_paused(name)
    assert not list(listing.state.rglob("inactive.json"))


def test_an_export_whose_file_is_gone_or_broken(listing: Listing, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for one, text in ((name, ""), (f"{name}_x", "schedule: 5\n")):
        listing.add(one, events(one))
        listing.exported(one, "r1", DAY)
        (listing.files / f"{one}.yaml").write_text(text)
    (listing.files / f"{name}.yaml").unlink()
    unread(name)
    assert main(["deactivate", name, "--yes"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "Airflow has no DAG of it to pause."
    assert main(["deactivate", f"{name}_x", "--yes"]) == 0
    assert is_paused(f"{name}_x")
    assert [status(capsys, one)[0] for one in (name, f"{name}_x")] == ["Inactive"] * 2


def test_a_dag_of_ones_own_goes_on(listing: Listing, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with DAG(f"own_{name}", schedule=None) as dag:
        S3ExportOperator(
            task_id="export",
            pipeline_id=name,
            source={"type": "duckdb", "connection": "warehouse", "table": "crm.events"},
            cursor={"column": "SERVER_AT", "key": ["EVENT_ID"]},
            destination={"connection": "partner", "data": "event", "path": "s3://partner/crm"},
        )
    register(dag)
    listing.journal(name).note("r1", iso(NOW), "success", ended=iso(NOW), type="periodic", connection="partner")
    capsys.readouterr()
    assert main(["deactivate", name, "--yes"]) == 0
    assert f"It is part of the DAG own_{name}, which goes on: take its task out there." in capsys.readouterr().out
    assert not is_paused(f"own_{name}")


def test_without_airflows_database_nothing_is_changed(
    listing: Listing, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sqlalchemy.exc import OperationalError

    def broken(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT 1", {}, Exception("postgresql://airflow:s3cr3t@db/airflow"))

    listing.add(name, events(name))
    monkeypatch.setattr("airflow.utils.session.create_session", broken)
    assert main(["deactivate", name, "--yes"]) == 2
    assert "Airflow's metadata database cannot be used" in capsys.readouterr().err
    assert read_mark(listing.state / name) is None


def test_a_state_folder_that_cannot_be_written(listing: Listing, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    listing.add(name, events(name))
    listing.state.mkdir()
    (listing.state / name).write_text("where a folder should be")
    assert main(["deactivate", name, "--yes"]) == 2
    assert f"activation: The state folder {listing.state / name} cannot be written: " in capsys.readouterr().err
    assert not is_paused(name)


def test_a_reason_that_is_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deactivate", "p", "--yes", "--reason", "x" * 201]) == 2
    assert capsys.readouterr().err == "activation: --reason has 201 characters. Fix: Say it in 200.\n"
