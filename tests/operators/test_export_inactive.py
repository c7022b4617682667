"""Every run of an export that was made inactive is refused before anything is read (contracts: s3_export 1.2)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.delivery.inactive import Inactive, write_mark
from activation.delivery.journal import Journal
from activation.errors import TransientError
from sandbox.aws import AwsSandbox
from tests.support.servers import shared

from .export_world import ExportWorld, make

DAY = (datetime.now(timezone.utc) - timedelta(days=2)).strftime("%Y-%m-%d")
HOUR = (f"{DAY}T09:00:00+00:00", f"{DAY}T10:00:00+00:00")
OTHER = {"interval_start": f"{DAY}T11:00:00+00:00", "interval_end": f"{DAY}T12:00:00+00:00"}
MARK = Inactive("2026-07-21T11:02:10+00:00", "minji", "계약 종료")


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    return shared(AwsSandbox, "storage")


@pytest.fixture
def exports(aws: AwsSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportWorld:
    world = make(aws, tmp_path, f"bucket-{uuid.uuid4().hex[:12]}", monkeypatch)
    world.events(f"1, 'e', 'u', '{DAY} 09:00:00+00', 1, NULL")
    return world


def mark(world: ExportWorld, text: str = "") -> None:
    folder = world.folder / "state" / world.pipeline
    write_mark(folder, MARK)
    if text:
        (folder / "inactive.json").write_text(text)


@pytest.mark.parametrize("compat", ["dfinery", "none"])
def test_s_l6_no_run_of_an_inactive_export_goes_on(exports: ExportWorld, compat: str) -> None:
    exports.destination["export"] = {"compat": compat, "timezone": "Asia/Seoul"}
    exports.run(*HOUR)
    bucket, before = exports.bucket, exports.objects()
    mark(exports)
    (exports.folder / "warehouse.duckdb").unlink()  # it is not even opened
    exports.bucket = "bucket-that-is-not-there"
    tries: list[tuple[str, tuple[str, str], dict[str, Any]]] = [
        ("", HOUR, {}),  # cleared
        ("manual__1", ("", ""), OTHER),
        ("manual__2", ("", ""), {}),
    ]
    for run, interval, given in tries:
        with pytest.raises(AirflowFailException) as refused:
            exports.run(*interval, run_id=run, **given)
        assert str(refused.value) == (
            "invalid_parameter: The export events was made inactive on 2026-07-21 by minji (계약 종료); Inactive is final. "
            "Fix: Give the pipeline another id."
        )
    records = Journal(exports.folder / "state" / "events").latest(9)
    assert {(str(one["run"]).partition("__")[0], one["status"]) for one in records} == {
        ("scheduled", "config_error"), ("manual", "config_error"), ("scheduled", "success")
    }  # fmt: skip
    assert exports.aws.objects(bucket, "crm/") == before


def test_a_one_time_export_too_and_a_mark_that_cannot_be_read_is_one(exports: ExportWorld) -> None:
    exports.destination["export"] = {"type": "one_time", "from_date": DAY, "to_date": DAY}
    mark(exports, "{")
    with pytest.raises(AirflowFailException, match=r"The export events was made inactive; Inactive is final\."):
        exports.run("", "", run_id="manual__1")
    assert exports.objects() == {}


def test_another_id_exports(exports: ExportWorld) -> None:
    mark(exports)
    exports.pipeline = "events_2"
    assert exports.run(*HOUR)["rows"]["read"] == 1


def test_a_state_folder_that_cannot_be_read_is_tried_again(exports: ExportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(folder: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("activation.operators.export_limits.read_mark", unreachable)
    with pytest.raises(TransientError, match=r"^ddb update fail: The state folder of events could not be read"):
        exports.run(*HOUR)
    assert exports.objects() == {}
