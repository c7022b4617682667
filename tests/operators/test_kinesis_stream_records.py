"""The journal of a stream that runs every few seconds stays small."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from activation.delivery.journal import Journal
from sandbox.kinesis import KinesisSandbox

from .stream_world import StreamWorld, fresh


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox() as running:
        yield running


@pytest.fixture
def world(kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamWorld:
    """Seven runs of earlier minutes; the second one has rejects."""
    world = fresh(kinesis, tmp_path, monkeypatch)
    world.profiles("p")
    world.member("a", "p")
    for number in range(7):
        began = datetime.now(timezone.utc) - timedelta(minutes=10 - number)
        journal(world).note(f"old-{number}", began.isoformat(timespec="milliseconds"), "success")
    (tmp_path / "state" / "p" / "rejects" / "old-1").mkdir(parents=True)
    (tmp_path / "state" / "p" / "rejects" / "old-1" / "part-000001.jsonl").write_text("{}")
    return world


def journal(world: StreamWorld) -> Journal:
    return Journal(world.folder / "state" / "p")


def runs(world: StreamWorld) -> list[str]:
    return [one["run"] for one in journal(world).latest(99)]


def test_the_oldest_records_beyond_the_greatest_number_go_unless_there_are_rejects(
    world: StreamWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__ACTIVATION__KEEP_STREAM_RUNS", "4")
    world.run()
    assert runs(world) == ["run-1", "old-6", "old-5", "old-4", "old-1"]
    assert journal(world).last() is not None
    world.run()
    assert runs(world) == ["run-1", "old-6", "old-5", "old-4", "old-1"], "a run that finds nothing neither adds nor removes"


@pytest.mark.parametrize("setting", [None, "0", "many"], ids=["by default", "for ever", "no number"])
def test_otherwise_all_records_stay(
    world: StreamWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, setting: str | None
) -> None:
    if setting is not None:
        monkeypatch.setenv("AIRFLOW__ACTIVATION__KEEP_STREAM_RUNS", setting)
    world.run()
    assert len(runs(world)) == 8
    assert ("keep_stream_runs = many is no number" in caplog.text) is (setting == "many")


def test_a_storage_that_cannot_remove_fails_no_run(
    world: StreamWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Journal, most: int) -> int:
        raise PermissionError("the bucket forbids deleting")

    monkeypatch.setattr(Journal, "thin_out", broken)
    assert world.run()["status"] == "success"
    assert "Old records and rejects could not be removed: the bucket forbids deleting" in caplog.text
