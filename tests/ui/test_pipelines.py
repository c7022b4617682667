"""What the page is told: lines and details of pipelines whose runs were real ones, beside what Airflow keeps of them."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from activation.delivery.inactive import Inactive, write_mark
from activation.delivery.journal import Journal
from tests.cli.conftest import register
from tests.operators.test_data_types import USERS, stamp, user
from tests.operators.world import World

from .airflow_rows import asset_id, keep, ran, registered

CANARY = "canary-7f31"
NOW = datetime.now(timezone.utc).replace(microsecond=0)
HOUR = timedelta(hours=1)
S3 = {"type": "s3", "connection": "partner", "data": "event", "path": "s3://partner/crm", "export": {"start": "2026-01-01"}}


def line(clients: dict[str, Any], name: str) -> dict[str, Any]:
    """A line of the list, which is the beginning of the detail."""
    lines = clients["crm"].get("/activation/api/pipelines").json()["pipelines"]
    (found,) = (one for one in lines if one["dag_id"] == name)
    detail = clients["crm"].get(f"/activation/api/pipelines/{name}").json()
    now = "lag_seconds"
    assert {key: value for key, value in detail.items() if key in found and key != now} == {
        key: value for key, value in found.items() if key != now
    }
    return dict(found)


def imported(world: World, name: str) -> str:
    """A real run that sent one row and rejected two; gives its id."""
    world.blocks = {"pipeline_id": name}
    bad = [stamp(2), "u3", None, None, None, f'["{CANARY}"]'], [stamp(3), None, None, None, None, f'{{"mail": "{CANARY}"}}']
    world.table(USERS, user(1, "u", {"n": 1}), *bad)
    world.run()
    ran(name, "run-1", "success", NOW - HOUR, NOW - HOUR + timedelta(seconds=12))
    keep(name, "summary", world.stores[name].get("summary"))
    return "run-1"


def test_an_import_with_rejects(clients: dict[str, Any], world: World, name: str) -> None:
    registered(name, description="Users", owner="crm-team", schedule="*/15 * * * *")
    run = imported(world, name)
    shown = line(clients, name)
    last, week = shown.pop("last"), shown.pop("week")
    assert (last["run"], last["state"], last["status"], last["mode"]) == (run, "success", "partial", "incremental")
    assert [last[count] for count in ("read", "sent", "rejected", "skipped")] == [3, 1, 2, 0]
    today = datetime.now(timezone.utc).date()
    assert week[-1] == {"day": today.isoformat(), "runs": 1, "failed": 0, "read": 3, "sent": 1, "rejected": 2}
    assert [one["day"] for one in week] == [(today - timedelta(days=back)).isoformat() for back in range(6, -1, -1)]
    assert sum(one["runs"] for one in week) == 1
    behind = datetime.now(timezone.utc) - datetime(2026, 7, 19, 9, 0, 3, tzinfo=timezone.utc)
    assert 0 <= behind.total_seconds() - shown.pop("lag_seconds") < 60
    assert shown.pop("next_run") is not None
    assert shown.pop("created") <= shown.pop("changed")
    assert shown == {
        "dag_id": name,
        "pipeline": name,
        "kind": "import",
        "type": "braze",
        "data": "attributes",
        "description": "Users",
        "source": {"engine": "duckdb", "connection": "world_duckdb", "name": "crm.source"},
        "target": {"label": "attributes", "connection": "world_braze"},
        "status": "Active",
        "paused": False,
        "running": None,
        "schedule": "Every 15 minutes",
        "cron": "*/15 * * * *",
        "zone": "UTC",
        "watermark": "2026-07-19T09:00:03Z",
        "creator": "crm-team",
        "changed_by": "version 1 (tests)",
        "can": {"run": True, "edit": True},
    }


def test_one_pipeline_with_its_runs_rejects_and_file(clients: dict[str, Any], world: World, name: str, tmp_path: Any) -> None:
    from activation.dags.build import build_dag
    from activation.spec import load_one

    file = tmp_path / f"{name}.yaml"
    source = "source: {type: duckdb, connection: world_duckdb, table: crm.source}"
    to = "destination: {type: braze, connection: world_braze, data: attributes}\nalerts: {email: [crm@example.com]}"
    file.write_text(f"{source}\n{to}\n", encoding="utf-8")
    register(build_dag(*load_one(file)))
    run = imported(world, name)
    ran(name, "killed", "failed", NOW + HOUR, NOW + HOUR + timedelta(seconds=3), mode="full")
    answer = clients["reader"].get(f"/activation/api/pipelines/{name}")
    shown = answer.json()
    assert [
        (one["run_id"], one["state"], one["mode"], one["seconds"], one["sent"], one["rejected"]) for one in shown["runs"]
    ] == [
        ("killed", "failed", "full", 3.0, None, None),
        (run, "success", "incremental", 12.0, 1, 2),
    ]
    assert shown["runs"][1]["watermark"] == "2026-07-19T09:00:03Z"
    assert shown["last"]["run"] == "killed"
    rejects = {one["code"]: one for one in shown["rejects"]}
    assert {code: (one["run"], one["count"], len(one["samples"])) for code, one in rejects.items()} == {
        "payload_not_object": (run, 1, 1),
        "no_identifier": (run, 1, 1),
    }
    assert rejects["no_identifier"]["samples"][0].endswith('"PAYLOAD": {"mail": "c***"}}')
    assert CANARY not in answer.text
    assert [one["watermark"] for one in shown["watermarks"]] == ["2026-07-19T09:00:03Z"]
    assert shown["file"] == {"name": f"{name}.yaml", "text": f"{source}\n{to}"}
    assert "### Plan" in shown["plan"]
    assert "~~~~" not in shown["plan"]
    assert shown["asset_id"] == asset_id(name)
    assert {"mode", "limit", "dry_run", "reset_to"} <= set(shown["params"])


def test_rejects_are_exported_masked(clients: dict[str, Any], world: World, name: str) -> None:
    registered(name)
    run = imported(world, name)
    answer = clients["reader"].get(f"/activation/api/pipelines/{name}/rejects.csv", params={"run": run})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}-rejects.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(one["run"], one["code"]) for one in rows] == [(run, "payload_not_object"), (run, "no_identifier")]
    assert all(one["updated_at"].startswith("2026-07-19T09:00:0") for one in rows)
    assert CANARY not in answer.text
    other = clients["reader"].get(f"/activation/api/pipelines/{name}/rejects.csv", params={"run": "../../other"})
    assert other.text == "run,code,message,updated_at,row\n"


def test_an_answer_that_repeats_the_row_is_masked_too(clients: dict[str, Any], world: World, name: str) -> None:
    registered(name)
    row = {"EXTERNAL_ID": "kim@example.com", "PAYLOAD": f'{{"phone": 821012345678, "tags": ["{CANARY}"]}}'}
    message = f"kim@example.com has the wrong phone 821012345678 or tag {CANARY}"
    record = {"code": "refused", "message": message, "updated_at": None, "row": row, "pipeline": name, "run": "r", "attempt": 1}
    folder = world.folder / "state" / name / "rejects" / "r"
    folder.mkdir(parents=True)
    (folder / "part-000001.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    (shown,) = csv.DictReader(io.StringIO(clients["reader"].get(f"/activation/api/pipelines/{name}/rejects.csv").text))
    assert shown["message"] == "k*** has the wrong phone 8*** or tag c***"
    assert json.loads(shown["row"]) == {"EXTERNAL_ID": "k***", "PAYLOAD": {"phone": "***", "tags": ["c***"]}}


def test_a_pipeline_that_has_never_run(clients: dict[str, Any], name: str, world: World) -> None:
    registered(name, paused=True)
    shown = line(clients, name)
    assert (shown["status"], shown["paused"], shown["schedule"], shown["next_run"]) == ("Paused", True, "by hand", None)
    assert (shown["last"], shown["watermark"], shown["lag_seconds"], shown["running"]) == (None, None, None, None)
    detail = clients["crm"].get(f"/activation/api/pipelines/{name}").json()
    assert (detail["runs"], detail["rejects"], detail["watermarks"], detail["file"], detail["note"]) == ([], [], [], None, None)
    assert clients["crm"].get(f"/activation/api/pipelines/{name}/rejects.csv").text.count("\n") == 1


def test_a_running_pipeline_shows_its_last_run_beside_it(clients: dict[str, Any], world: World, name: str) -> None:
    registered(name)
    imported(world, name)
    ran(name, "now", "running", NOW)
    shown = line(clients, name)
    assert (shown["running"], shown["last"]["run"]) == ("now", "run-1")


def export_summary(status: str, run: str) -> dict[str, Any]:
    times = {"started": (NOW - HOUR).isoformat(timespec="milliseconds"), "ended": NOW.isoformat(timespec="milliseconds")}
    last = {"run": run, "status": status, "mode": "", **times, "seconds": 1.0, "error": "invalid arn"}
    return {"last": {**last, **dict.fromkeys(("read", "sent", "rejected", "skipped"))}, "days": {}, "watermark": None}


@pytest.mark.parametrize(
    ("export", "paused", "runs", "status"),
    [
        ({}, False, [], "Active"),
        ({}, True, [], "Paused"),
        ({}, False, [("r", "failed", "config_error")], "Failed"),
        ({}, False, [("r", "failed", "error")], "Active"),
        ({"start": "2026-01-01", "end": "2026-02-01"}, False, [("r", "success", "success")], "Ended"),
        ({"type": "one_time"}, False, [("r", "running", "")], "Extracting"),
        ({"type": "one_time"}, False, [("r", "success", "success")], "Completed"),
        ({"type": "one_time"}, False, [("r", "failed", "error")], "Failed"),
    ],
)
def test_exports_have_the_words_of_their_contract(
    export: dict[str, Any], paused: bool, runs: Any, status: str, clients: dict[str, Any], name: str
) -> None:
    once = export.get("type") == "one_time"
    to = {**S3, "export": export} | ({"data": "user_profile"} if once else {})
    registered(
        name,
        paused=paused,
        destination=to,
        **({} if once else {"schedule": "@hourly", "cursor": {"column": "AT", "key": ["ID"]}}),
    )
    for run, state, kept in runs:
        ran(name, run, state, NOW - HOUR, None if state == "running" else NOW)
        if kept:
            keep(name, "summary", export_summary(kept, run))
    shown = line(clients, name)
    assert (shown["kind"], shown["status"]) == ("export", status)
    assert (shown["schedule"], shown["target"]["label"]) == ("once" if once else "hourly", "s3://partner/crm")


def test_a_pipeline_that_a_person_made_inactive_says_so(clients: dict[str, Any], world: World, name: str) -> None:
    registered(name, paused=True)
    write_mark(world.folder / "state" / name, Inactive("2026-07-01T00:00:00+00:00", "kim", "the campaign is over"))
    shown = clients["crm"].get(f"/activation/api/pipelines/{name}").json()
    assert shown["status"] == "Inactive"
    assert shown["note"] == "made inactive on 2026-07-01 by kim (the campaign is over); its runs are refused"


def test_an_export_that_was_deactivated_is_inactive_in_the_list(clients: dict[str, Any], name: str) -> None:
    registered(name, destination=S3, schedule="@hourly", cursor={"column": "AT", "key": ["ID"]})
    keep(name, "inactive", "made inactive on 2026-07-01 by kim")
    assert line(clients, name)["status"] == "Inactive"


@pytest.mark.parametrize("conf", [{"mode": "check"}, {"mode": "preview"}, {"mode": "run", "dry_run": True}])
@pytest.mark.parametrize("state", ["running", "success", "failed"])
def test_a_run_that_only_looks_does_not_count(clients: dict[str, Any], name: str, conf: dict[str, Any], state: str) -> None:
    registered(name, destination={**S3, "export": {"type": "one_time"}, "data": "user_profile"})
    ran(name, "look", state, NOW - HOUR, None if state == "running" else NOW, **conf)
    shown = line(clients, name)
    assert (shown["status"], shown["last"]) == ("Extracting", None), "as it stands before its first run"
    ran(name, "real", "success", NOW, NOW + HOUR)
    assert line(clients, name)["status"] == "Completed"


def test_the_commit_of_the_last_change_is_told(clients: dict[str, Any], name: str) -> None:
    from airflow.models.dag_version import DagVersion
    from airflow.utils.session import create_session

    registered(name)
    with create_session() as session:
        session.add(DagVersion(dag_id=name, version_number=2, bundle_name="tests", bundle_version="a1b2c3d4e5f6"))
    assert line(clients, name)["changed_by"] == "version 2 · a1b2c3d (tests)"


def test_a_dag_that_is_gone_is_inactive(clients: dict[str, Any], name: str) -> None:
    from tests.cli.listing import unread

    registered(name)
    unread(name)
    assert line(clients, name)["status"] == "Inactive"


def test_a_pipeline_behind_another_leaves_what_that_tells_of_itself(clients: dict[str, Any], name: str) -> None:
    registered(name, description="First")
    registered(f"{name}_b", schedule={"after": [name]})
    assert line(clients, name)["description"] == "First"
    assert line(clients, f"{name}_b")["schedule"] == f"after {name}"


@pytest.mark.parametrize("value", ["text", [1], {"last": None, "days": None}])
def test_a_state_that_a_person_wrote_breaks_no_page(value: Any, clients: dict[str, Any], name: str) -> None:
    registered(name)
    keep(name, "summary", value)
    assert line(clients, name)["last"] is None


def test_a_run_that_airflow_has_forgotten_stays_in_the_journal(clients: dict[str, Any], world: World, name: str) -> None:
    registered(name)
    Journal(world.folder / "state" / name).note(
        "old", "2026-01-01T00:00:00.000+00:00", "error", ended="2026-01-01T00:00:05.000+00:00"
    )
    (shown,) = clients["crm"].get(f"/activation/api/pipelines/{name}").json()["runs"]
    assert (shown["run_id"], shown["state"], shown["started"]) == ("old", "failed", "2026-01-01T00:00:00.000+00:00")


def test_a_state_folder_that_cannot_be_read_here_is_told(
    clients: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(name)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    shown = clients["crm"].get(f"/activation/api/pipelines/{name}").json()
    assert "lies on one machine's disk" in shown["note"]
    answer = clients["crm"].get(f"/activation/api/pipelines/{name}/rejects.csv")
    assert answer.status_code == 503
    assert "AIRFLOW__ACTIVATION__STATE_FOLDER" in answer.json()["detail"]


def test_a_broken_file_keeps_its_place_in_the_list(clients: dict[str, Any], name: str, tmp_path: Path) -> None:
    from activation.dags.broken import placeholder
    from activation.spec import PipelineFileError, load_file

    registered(name)
    file = tmp_path / f"{name}.yaml"
    file.write_text("source: {}\n", encoding="utf-8")
    with pytest.raises(PipelineFileError) as error:
        load_file(file)
    dag = placeholder(name, file, error.value)
    assert dag is not None
    register(dag)
    shown = line(clients, name)
    assert (shown["status"], shown["description"]) == ("Failed", f"The pipeline file {name}.yaml is broken.")
    assert f"{name}.yaml:1:" in clients["crm"].get(f"/activation/api/pipelines/{name}").json()["plan"]


def test_the_counters_count_what_is_shown(clients: dict[str, Any], name: str) -> None:
    before = clients["crm"].get("/activation/api/pipelines").json()["counters"]
    registered(name)
    registered(f"{name}_paused", paused=True)
    registered(f"private_{name}")
    ran(name, "a", "failed", NOW - HOUR, NOW)
    ran(name, "b", "running", NOW)
    after = clients["crm"].get("/activation/api/pipelines").json()["counters"]
    assert {key: after[key] - before[key] for key in after} == {"all": 2, "active": 1, "running": 1, "completed": 0, "failing": 1}


def test_no_such_pipeline(clients: dict[str, Any], name: str) -> None:
    answer = clients["crm"].get(f"/activation/api/pipelines/{name}")
    assert (answer.status_code, answer.json()["detail"]) == (404, f"The DAG {name} has no pipeline.")
