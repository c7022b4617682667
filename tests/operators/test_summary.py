"""What a run keeps for the Pipelines page in the state of its asset, after every kind of run and every kind of end."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import TransientError
from activation.operators.summary import summarize, summed
from sandbox.aws import AwsSandbox
from sandbox.braze import Fault
from sandbox.kakao import KakaoSandbox
from sandbox.kinesis import KinesisSandbox
from tests.support.servers import shared

from . import export_world
from .kakao import kakao_world
from .partitioned import Split
from .stream_world import fresh
from .test_data_types import USERS, many, stamp, user
from .world import Store, World

BEGIN = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


def record(day: int = 0, status: str = "success", **more: Any) -> dict[str, Any]:
    """The record of a run that took 90 seconds, some days after the first of July."""
    started = BEGIN + timedelta(days=day)
    times = {"started": started.isoformat(), "ended": (started + timedelta(seconds=90)).isoformat()}
    return {"run": f"run-{day}", "status": status, "mode": "incremental", **times, **more}


def moved(read: int, sent: int, rejected: int = 0, after: str = "2026-07-01T00:00:00Z") -> dict[str, Any]:
    rows = {"read": read, "sent": sent, "rejected": rejected, "skipped": read - sent - rejected}
    return {"report": {"rows": rows, "watermark": {"before": "none", "after": after}}}


def counts(runs: int, failed: int = 0, read: int = 0, sent: int = 0, rejected: int = 0) -> dict[str, int]:
    return {"runs": runs, "failed": failed, "read": read, "sent": sent, "rejected": rejected}


def test_the_first_run() -> None:
    assert summed(None, record(**moved(10, 7, 2))) == {
        "last": {
            "run": "run-0",
            "status": "success",
            "mode": "incremental",
            "started": "2026-07-01T12:00:00+00:00",
            "ended": "2026-07-01T12:01:30+00:00",
            "seconds": 90.0,
            "read": 10,
            "sent": 7,
            "rejected": 2,
            "skipped": 1,
            "error": "",
        },
        "days": {"2026-07-01": counts(1, 0, 10, 7, 2)},
        "watermark": "2026-07-01T00:00:00Z",
    }


def test_eight_days_are_kept() -> None:
    known: Any = None
    for day in range(12):
        known = summed(known, record(day, **moved(day, day)))
    assert known["days"] == {f"2026-07-{day + 1:02d}": counts(1, 0, day, day) for day in range(4, 12)}
    assert len(json.dumps(known)) < 2_000


def test_a_day_is_one_of_utc_and_the_one_in_which_the_run_ended() -> None:
    late = {**record(), "started": "2026-07-02T08:59:00+09:00", "ended": "2026-07-02T09:00:00+09:00"}
    assert summed(None, late)["days"] == {"2026-07-02": counts(1)}
    assert summed(None, {**late, "ended": "2026-07-02T08:59:59+09:00"})["days"] == {"2026-07-01": counts(1)}


def test_the_tries_of_one_run_count_once_as_the_last_one_ended() -> None:
    failed = summed(None, record(status="error", error="x" * 1_000))
    assert (failed["days"], failed["last"]["error"]) == ({"2026-07-01": counts(1, 1)}, "x" * 300)
    well = summed(failed, {**record(**moved(5, 5)), "ended": "2026-07-02T00:00:01+00:00"})
    assert (well["days"]["2026-07-01"], well["days"]["2026-07-02"]) == (counts(0), counts(1, 0, 5, 5))
    again = summed(well, {**record(**moved(1, 1)), "started": "2026-07-02T01:00:00+00:00", "ended": "2026-07-02T01:00:01+00:00"})
    assert again["days"]["2026-07-02"] == counts(2, 0, 6, 6), "a run that is cleared begins anew"


def test_a_failure_keeps_the_watermark_and_an_export_tells_the_end_of_its_latest_interval() -> None:
    known = summed(None, record(**moved(1, 1)))
    assert summed(known, record(1, "error"))["watermark"] == "2026-07-01T00:00:00Z"
    report = {"rows": {}, "exports": [{"end": "2026-07-03T00:00:00+09:00"}, {"end": "2026-07-02T16:00:00+00:00"}]}
    assert summed(known, record(1, report=report))["watermark"] == "2026-07-02T16:00:00+00:00"
    assert summed({"watermark": "2026-08-01T00:00:00Z"}, record(1, report=report))["watermark"] == "2026-08-01T00:00:00Z"


@pytest.mark.parametrize("known", ["text", [1], {"days": 3}, {"last": {"run": "run-0"}}])
def test_what_a_person_has_put_there_does_not_fail_a_run(known: Any, caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    store.set("summary", known)
    with caplog.at_level(logging.WARNING):
        summarize(store, record())
    assert store.get("summary")["last"]["run"] == "run-0"
    assert caplog.messages == []


def test_a_store_that_does_not_answer_is_a_warning(world: World, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def refuse(self: Store, key: str, value: Any) -> None:
        if key == "summary":
            raise RuntimeError("secret-canary")
        self.values[key] = json.dumps(value)

    monkeypatch.setattr(Store, "set", refuse)
    world.table(USERS, user(1, "u", {"n": 1}))
    assert world.run()["rows"]["sent"] == 1
    assert "could not be kept (RuntimeError)" in caplog.text
    assert "secret-canary" not in caplog.text


def summary(store: Store) -> Any:
    """Status and rows of the last run, and the only day."""
    known = store.get("summary")
    last, (day,) = known["last"], known["days"].values()
    return last["run"], last["status"], last["mode"], last["read"], last["sent"], last["rejected"], day


def test_an_import_tells_of_success_rejects_a_replay_and_a_reset(world: World) -> None:
    world.table(USERS, user(1, "u", {"n": 1}), [stamp(2), "u3", None, None, None, "[]"])
    world.run()
    assert summary(world.stores["p"]) == ("run-1", "partial", "incremental", 2, 1, 1, counts(1, 0, 2, 1, 1))
    assert world.stores["p"].get("summary")["watermark"] == "2026-07-19T09:00:02Z"
    world.run({"mode": "preview"})
    world.run({"dry_run": True})
    assert summary(world.stores["p"])[0] == "run-1", "what only looks tells nothing"
    world.run({"mode": "replay"})
    assert summary(world.stores["p"]) == ("run-4", "partial", "replay", 1, 0, 1, counts(2, 0, 3, 1, 2))
    world.run({"mode": "reset", "reset_to": "2026-01-01T00:00:00Z"})
    assert summary(world.stores["p"]) == ("run-5", "reset", "reset", 0, 0, 0, counts(3, 0, 3, 1, 2))
    assert world.stores["p"].get("summary")["watermark"] == "2026-01-01T00:00:00Z"


def test_a_failure_and_the_retry_that_mends_it(world: World) -> None:
    world.table(USERS)
    many(world, 100)
    world.braze.add_faults(Fault("503"))
    with pytest.raises(TransientError):
        world.run(delivery={"attempts": 2, "max_delay": "1ms"})
    run, status, *rest, day = summary(world.stores["p"])
    assert (run, status, rest, day) == ("run-1", "error", ["incremental", None, None, None], counts(1, 1))
    world.braze.clear_faults()
    world.run(retry=True)
    assert summary(world.stores["p"]) == ("run-1", "success", "incremental", 100, 100, 0, counts(1, 0, 100, 100))


def test_what_is_wrong_with_the_configuration_is_told(world: World) -> None:
    with pytest.raises(AirflowFailException):
        world.run()
    assert summary(world.stores["p"])[1] == "config_error"
    assert "Enter the path of an existing file" in world.stores["p"].get("summary")["last"]["error"]


def test_a_split_import_counts_once_and_a_slice_that_failed_once_too(world: World) -> None:
    world.table(USERS)
    many(world, 40)
    split = Split(world, 2)
    split.run(mode="incremental")
    assert summary(world.stores["p"]) == ("run-1", "success", "incremental", 40, 40, 0, counts(1, 0, 40, 40))
    world.sql("UPDATE crm.source SET UPDATED_AT = UPDATED_AT + INTERVAL 1 DAY")
    world.blocks = {"delivery": {"attempts": 1}}
    split.new()
    split.check()
    world.braze.add_faults(Fault("503"))
    for slice in (0, 1):
        with pytest.raises(TransientError):
            split.slice(slice)
    assert summary(world.stores["p"]) == ("run-2", "error", "incremental", None, None, None, counts(2, 1, 40, 40))
    world.braze.clear_faults()
    for slice in (0, 1):
        split.slice(slice)
    split.publish()
    assert summary(world.stores["p"]) == ("run-2", "success", "incremental", 40, 40, 0, counts(2, 0, 80, 80))


@pytest.fixture(scope="module")
def kinesis() -> KinesisSandbox:
    return shared(KinesisSandbox)


def test_a_stream_tells_of_what_it_sent_and_nothing_of_quiet_runs(
    kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = fresh(kinesis, tmp_path, monkeypatch)
    world.run()
    world.profiles("p1", "p2")
    world.member("a", "p1", "p2")
    world.run()
    told = summary(world.stores["p"])
    assert told[:6] == ("run-2", "success", "incremental", 2, 2, 0)
    world.run()
    assert world.runs == 3
    assert summary(world.stores["p"]) == told
    assert world.stores["p"].get("summary")["watermark"] == world.watermark()


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    return shared(AwsSandbox, "storage")


def test_an_export_tells_of_its_rows_and_of_what_failed(aws: AwsSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = (datetime.now(timezone.utc) - timedelta(days=2)).strftime("%Y-%m-%d")
    world = export_world.make(aws, tmp_path, f"bucket-{uuid4().hex[:12]}", monkeypatch)
    world.events(
        f"1, 'df_login', 'u-1', '{day} 09:00:00+00', 1.50, NULL", f"2, 'df_login', 'u-1', '{day} 09:10:00+00', 1.5, NULL"
    )
    hour = f"{day}T09:00:00+00:00", f"{day}T10:00:00+00:00"
    world.run(*hour, run_id="run-0", order={"mode": "preview"})
    assert world.stores["events"].get("summary") is None, "what only looks tells nothing"
    world.run(*hour, run_id="run-1")
    assert summary(world.stores["events"]) == ("run-1", "success", "", 2, 2, 0, counts(1, 0, 2, 2))
    assert world.stores["events"].get("summary")["watermark"] == hour[1]
    world.destination["files"] = {"on_exists": "fail"}
    world.sql("DROP TABLE crm.events")
    with pytest.raises(AirflowFailException):
        world.run(*hour, run_id="run-2")
    assert summary(world.stores["events"]) == ("run-2", "config_error", "", None, None, None, counts(2, 1, 2, 2))
    assert world.stores["events"].get("summary")["watermark"] == hour[1]


def test_a_customer_file_tells_when_it_is_ready_and_of_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with KakaoSandbox(generation="both", limits={"write_seconds": 0}, states={"frozen": True, "complete_seconds": 600}) as kakao:
        world = kakao_world.make(kakao, tmp_path, monkeypatch)
        world.ids("38400000-8cf0-11bd-b23e-10b96e4ef00d", "no id")
        assert world.start() is None
        assert world.store.get("summary") is None, "the run waits for its file"
        kakao.advance(3600)
        world.finish()
        assert summary(world.store) == ("run-1", "partial", "register", 2, 1, 1, counts(1, 0, 2, 1, 1))
        world.sql("DROP TABLE crm.push_ids")
        with pytest.raises(AirflowFailException):
            world.run()
        assert summary(world.store) == ("run-2", "config_error", "register", None, None, None, counts(2, 1, 2, 1, 1))
