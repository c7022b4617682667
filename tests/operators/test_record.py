"""The record of a run: its status in every way in which a run can end, and that it tells no secret."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.delivery.journal import Journal
from activation.delivery.kept import Kept
from activation.errors import TransientError
from sandbox.braze import Fault

from .test_data_types import USERS, many, stamp, user
from .world import World

KEY = "key-canary-91d0c1f2"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "p")


def only(journal: Journal) -> dict[str, Any]:
    """The one record that there is."""
    (record,) = journal.latest(9)
    return record


def test_f21_success(world: World, journal: Journal) -> None:
    world.table(USERS, user(1, "u", {"n": 1}))
    world.run()
    record = only(journal)
    assert {name: record[name] for name in ("status", "run", "mode", "attempt")} == {
        "status": "success",
        "run": "run-1",
        "mode": "incremental",
        "attempt": 1,
    }
    assert record["started"] <= record["ended"]
    assert record["report"]["rows"] == {"read": 1, "sent": 1, "rejected": 0, "skipped": 0}
    assert record["move"]["after"]["updated_at"] == "2026-07-19T09:00:01Z"


def test_f21_partial(world: World, journal: Journal) -> None:
    world.table(USERS, user(1, "u", {"n": 1}), [stamp(2), "u3", None, None, None, "[]"])
    world.run()
    assert only(journal)["status"] == "partial"
    assert only(journal)["report"]["reasons"] == {"payload_not_object": 1}


def test_f21_running_while_it_runs(world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    world.table(USERS, user(1, "u", {"n": 1}))
    seen = []
    monkeypatch.setattr("activation.operators.importing.Import._bind", lambda self, table: seen.append(only(journal)) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.run()
    assert [(one["status"], one["run"], one["attempt"], "ended" in one) for one in seen] == [("running", "run-1", 1, False)]
    assert (only(journal)["status"], only(journal)["error"]) == ("error", "ZeroDivisionError"), (
        "a foreign error's text may say much"
    )


def test_f21_error_and_a_retry_of_the_run_updates_the_same_record(world: World, journal: Journal) -> None:
    world.table(USERS, user(1, "u", {"n": 1}))
    world.braze.add_faults(Fault("503", times=4))
    for attempt in (1, 2):
        with pytest.raises(TransientError):
            world.run(retry=attempt > 1, delivery={"attempts": 2, "max_delay": "1ms"})
        record = only(journal)
        assert (record["status"], record["attempt"]) == ("error", attempt)
        assert "The destination failed 2 times" in record["error"]
        assert journal.last() is None
    assert world.run(retry=True)["rows"]["sent"] == 1
    assert (only(journal)["status"], only(journal)["attempt"], "error" in only(journal)) == ("success", 3, False)
    assert only(journal)["started"] == record["started"]


def test_f21_a_run_that_is_cleared_after_its_end_has_a_record_of_its_own(world: World, journal: Journal, tmp_path: Path) -> None:
    world.table(USERS, [stamp(1), "u1", None, None, None, "[]"])
    world.run()
    world.sql("INSERT INTO crm.source VALUES (?, 'u2', NULL, NULL, NULL, '[]')", [stamp(2)])
    world.run(retry=True)
    assert [one["run"] for one in journal.latest(9)] == ["run-1", "run-1"]
    kept = [one["row"]["EXTERNAL_ID"] for one in Kept(tmp_path / "state" / "p" / "rejects").records()]
    assert kept == ["u1", "u2"], "what its first life rejected is kept"


def test_f21_config_error_of_the_source(world: World, journal: Journal) -> None:
    with pytest.raises(AirflowFailException):
        world.run()
    assert only(journal)["status"] == "config_error"
    assert "Fix:" in only(journal)["error"]


def test_f21_config_error_of_the_destination(world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    world.table(USERS, user(1, "u", {"n": 1}))
    monkeypatch.delenv("AIRFLOW_CONN_WORLD_BRAZE")
    with pytest.raises(AirflowFailException, match="world_braze"):
        world.run()
    assert only(journal)["status"] == "config_error"


def test_f21_config_error_of_the_state(world: World, journal: Journal) -> None:
    world.table(USERS, user(1, "u", {"n": 1}))
    world.stores["p"].set("watermark", {"at": 5})
    with pytest.raises(AirflowFailException, match="cannot be read"):
        world.run()
    assert only(journal)["status"] == "config_error"


def test_f27_the_record_of_a_refused_key_does_not_hold_it(
    world: World, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.table(USERS, user(1, "u", {"n": 1}))
    connection = {"conn_type": "braze", "host": world.braze.url, "password": KEY}
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_BRAZE", json.dumps(connection))
    with pytest.raises(AirflowFailException):
        world.run()
    assert only(journal)["status"] == "config_error"
    files = [path.read_text(encoding="utf-8") for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert files
    assert not any(KEY in text for text in files)


def test_f28_limit_exceeded(world: World, journal: Journal) -> None:
    world.table(USERS)
    many(world, 20)
    with pytest.raises(AirflowFailException, match="max_rows"):
        world.run(max_rows=19)
    assert (only(journal)["status"], journal.last()) == ("limit_exceeded", None)
    assert world.braze.requests() == []


def test_f21_too_many_rejects_are_an_error(world: World, journal: Journal) -> None:
    world.table(USERS)
    many(world, 1000)
    world.sql("UPDATE crm.source SET PAYLOAD = '[]'")
    with pytest.raises(AirflowFailException, match="max_reject_share"):
        world.run()
    assert (only(journal)["status"], journal.last()) == ("error", None)


def test_f21_reset_and_what_stops_it(world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run({"mode": "reset", "reset_to": "2026-07-19T09:07:23Z"})
    record = only(journal)
    assert (record["status"], record["mode"]) == ("reset", "reset")
    assert record["move"] == {"before": None, "after": journal.last().after.to_json()}  # type: ignore[union-attr]
    monkeypatch.setattr("activation.operators.memory.Memory.guard", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.run({"mode": "reset"})
    assert [one["status"] for one in journal.latest(9)] == ["error", "reset"]


def test_f21_replay_keeps_its_own_record_and_the_last_move(world: World, journal: Journal) -> None:
    world.table(USERS, user(1, "u1", {"a": {"b": None}}), [stamp(2), "u2", None, None, None, "[]"])
    world.run()
    moved = journal.last()
    world.destination = {"data": "attributes", "lint": "off"}
    world.run({"mode": "replay"})
    newest = journal.latest(1)[0]
    assert (newest["status"], newest["mode"], newest["report"]["rows"]["read"]) == ("partial", "replay", 2)
    assert journal.last() == moved


def test_a_preview_leaves_no_record(world: World, journal: Journal) -> None:
    world.table(USERS, user(1, "u", {"n": 1}))
    world.run({"mode": "preview"})
    assert journal.latest(9) == []


def ago(days: int) -> str:
    return (datetime.now(timezone.utc) - timedelta(days=days)).isoformat(timespec="milliseconds")


def test_f22_old_records_and_rejects_go_after_a_commit(world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    world.table(USERS, user(1, "u", {"n": 1}))
    for run, days in {"ancient": 400, "old": 200}.items():
        journal.note(run, ago(days), "success")
    world.run()
    assert [one["run"] for one in journal.latest(9)] == ["run-1", "old"]
    monkeypatch.setenv("AIRFLOW__ACTIVATION__KEEP_RUNS_DAYS", "0")
    journal.note("ancient", ago(4000), "success")
    world.run()
    assert [one["run"] for one in journal.latest(9)] == ["run-2", "run-1", "old", "ancient"], "0 keeps for ever"
    monkeypatch.setenv("AIRFLOW__ACTIVATION__KEEP_RUNS_DAYS", "100")
    world.run()
    assert [one["run"] for one in journal.latest(9)] == ["run-3", "run-2", "run-1"]


@pytest.mark.parametrize("setting", ["", "-1", "a month", "9" * 30])
def test_what_keeps_from_cleaning_is_told_and_fails_no_run(
    world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, setting: str
) -> None:
    world.table(USERS, user(1, "u", {"n": 1}))
    journal.note("ancient", ago(400), "success")
    with caplog.at_level(logging.WARNING):
        monkeypatch.setenv("AIRFLOW__ACTIVATION__KEEP_RUNS_DAYS", setting)
        assert world.run()["status"] == "success"
    assert "keep_runs_days" in caplog.text or "could not be removed: OverflowError" in caplog.text
    assert len(journal.latest(9)) == 2


def test_a_storage_that_cannot_remove_fails_no_run(
    world: World, journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Journal, *args: Any, **kwargs: Any) -> int:
        raise PermissionError("the bucket forbids deleting")

    world.table(USERS, user(1, "u", {"n": 1}))
    monkeypatch.setattr(Journal, "clean", broken)
    assert world.run()["status"] == "success"
    assert "Old records and rejects could not be removed: the bucket forbids deleting" in caplog.text
    assert world.watermark() == "2026-07-19T09:00:01Z"
