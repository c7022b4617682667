"""The mode ``check`` of all four operators: source and destination are looked at, and nothing is moved or remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.operators.checking import FINDINGS
from sandbox.aws import AwsSandbox
from sandbox.kakao import KakaoSandbox
from sandbox.kinesis import KinesisSandbox
from tests.support.servers import shared

from . import export_world, stream_world
from .kakao import kakao_world
from .partitioned import Split
from .world import World

LOOK = {"mode": "check"}


def verdicts(pushed: dict[str, Any]) -> dict[str, str]:
    return {one["check"]: one["verdict"] for one in pushed[FINDINGS]}


@pytest.mark.allows("empty")  # the check asks Braze with nothing in the request
def test_an_import_looks_at_the_table_and_at_braze(world: World) -> None:
    world.table("EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR")
    report = world.run(LOOK)
    assert report == {"status": "checked", "findings": world.pushed[FINDINGS]}
    assert verdicts(world.pushed) == dict.fromkeys(("source", "table", "connection"), "ok")
    assert (world.braze.users(), world.stores["p"].values, world.task.values) == ([], {}, {})


@pytest.mark.allows("empty")
def test_what_is_wrong_fails_the_run_and_is_kept_all_the_same(world: World) -> None:
    world.sql("CREATE SCHEMA crm; CREATE TABLE crm.source (ID VARCHAR)")
    with pytest.raises(AirflowFailException, match=r"^table: crm.source has no column UPDATED_AT"):
        world.run(LOOK)
    assert verdicts(world.pushed) == {"source": "ok", "table": "wrong", "connection": "ok"}
    assert world.stores["p"].get("summary") is None


def test_what_may_pass_is_told_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.table("EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR")
    nowhere = {"conn_type": "braze", "host": "http://127.0.0.1:9", "password": "key-0000000000"}
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_BRAZE", json.dumps(nowhere))
    with pytest.raises(AirflowFailException, match=r"^connection: "):
        world.run(LOOK)
    assert verdicts(world.pushed) == {"source": "ok", "table": "ok", "connection": "wrong"}


@pytest.mark.allows("empty")
def test_a_split_import_looks_in_one_task(world: World) -> None:
    world.table("EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR")
    split = Split(world, 3)
    report = split.run(mode="check")
    assert (report["status"], split.slices, split.events) == ("checked", [{"index": 0, "of": 1}], [])
    assert verdicts(world.pushed) == dict.fromkeys(("source", "table", "connection"), "ok")


def test_a_stream_looks_at_the_table_and_at_the_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with KinesisSandbox() as kinesis:
        world = stream_world.fresh(kinesis, tmp_path, monkeypatch)
        world.profiles("p1")
        world.member("a", "p1")
        assert world.run(LOOK)["status"] == "checked"
        assert set(verdicts(world.pushed).values()) <= {"ok", "skipped"}
        assert {"source", "table"} < verdicts(world.pushed).keys()
        assert (world.arrived(), world.stores["p"].values) == ([], {})


def test_an_export_looks_at_the_table_and_at_the_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = export_world.make(shared(AwsSandbox, "storage"), tmp_path, f"bucket-{uuid4().hex[:12]}", monkeypatch)
    world.events("1, 'df_login', 'u-1', '2026-07-19 09:00:00+00', 1.50, NULL")
    hour = "2026-07-19T09:00:00+00:00", "2026-07-19T10:00:00+00:00"
    assert world.run(*hour, order=LOOK)["status"] == "checked"
    found = verdicts(world.pushed)
    assert {"source", "table"} < found.keys() and set(found.values()) <= {"ok", "skipped"}
    assert (world.objects(), world.stores["events"].values) == ({}, {})
    world.bucket = "bucket-that-is-not-there"
    with pytest.raises(AirflowFailException):
        world.run(*hour, order=LOOK)
    assert "wrong" in verdicts(world.pushed).values()


def test_an_upload_looks_at_the_table_and_at_the_ad_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with KakaoSandbox(generation="both") as kakao:
        world = kakao_world.make(kakao, tmp_path, monkeypatch)
        world.ids("38400000-8cf0-11bd-b23e-10b96e4ef00d")
        report = world.start(order=LOOK)
        assert report is not None and report["status"] == "checked"
        found = verdicts(world.pushed)
        assert {"source", "table"} < found.keys() and set(found.values()) <= {"ok", "skipped"}
        assert (world.files(), world.store.values) == ({}, {})


@pytest.mark.parametrize("mode", ["chek", "incremental"])
def test_a_mode_that_makes_no_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    with KakaoSandbox() as kakao:
        world = kakao_world.make(kakao, tmp_path, monkeypatch)
        with pytest.raises(AirflowFailException, match=f"There is no mode '{mode}'. Fix: Choose one of run, preview, check."):
            world.start(order={"mode": mode})
