"""The run journal: what it records, what it gives back, and what it removes when it is old."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import ObjectStoragePath

from activation.cursor.recovery import Move
from activation.cursor.timestamps import from_text
from activation.cursor.watermark import Watermark
from activation.delivery.folder import Folder
from activation.delivery.journal import Journal
from activation.errors import ConfigurationError, TransientError

NOW = datetime(2026, 9, 1, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
W1, W2 = (
    Watermark(from_text("2026-07-19T09:07:23.123456789Z"), 5, run="r1"),
    Watermark(from_text("2026-07-20T00:00:00Z"), run="r2"),
)


@pytest.fixture(params=["disk", "object storage"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    """A pipeline's folder, on a disk and in object storage."""
    if request.param == "disk":
        yield tmp_path / "p"
        return
    path = ObjectStoragePath(f"memory://bucket-{uuid4().hex}/activation") / "p"
    yield path


def started(days: float) -> str:
    """When a run began that is so many days old, as the operator writes it."""
    return (NOW - days * DAY).isoformat(timespec="milliseconds")


def rejects(folder: Folder, run: str, *files: str) -> None:
    """Rejects of a run."""
    (folder / "rejects" / run).mkdir(parents=True, exist_ok=True)
    for file in files or ("part-000001.jsonl",):
        (folder / "rejects" / run / file).write_text("{}\n")


def clean(folder: Folder, *, rejects: float | None = 30, runs: float | None = 365) -> int:
    days = [None if given is None else given * DAY for given in (rejects, runs)]
    return Journal(folder).clean(NOW, rejects=days[0], runs=days[1])


def left(folder: Folder) -> tuple[list[str], list[str]]:
    """The runs with a record, and those with rejects."""
    records = [str(one["run"]) for one in reversed(Journal(folder).latest(100))]
    kept = folder / "rejects"
    return records, sorted(one.name for one in kept.iterdir() if list(one.iterdir())) if kept.exists() else []


def test_a_move_is_read_back_to_the_letter(folder: Folder) -> None:
    journal = Journal(folder)
    assert journal.last() is None
    journal.write(Move(None, W1), {"status": "success", "run": "r1"}, started=started(2), ended=started(1.9), mode="incremental")
    journal.write(Move(W1, W2), {"status": "partial", "run": "r2"}, started=started(1), ended=started(0.9), mode="full")
    assert journal.last() == Move(W1, W2)
    assert [(one["run"], one["status"], one["mode"]) for one in journal.latest(9)] == [
        ("r2", "partial", "full"),
        ("r1", "success", "incremental"),
    ]
    assert len(journal.latest(1)) == 1


def test_a_note_leaves_the_last_move_alone_and_the_end_of_a_run_replaces_it(folder: Folder) -> None:
    journal = Journal(folder)
    journal.write(Move(None, W1), {"status": "success", "run": "r1"}, started=started(2), ended=started(1.9))
    journal.note("r2", started(1), "running", attempt=1)
    assert journal.last() == Move(None, W1)
    assert [one["status"] for one in journal.latest(9)] == ["running", "success"]
    journal.note("r2", started(1), "error", attempt=1, error="why")
    journal.write(Move(W1, W2), {"status": "success", "run": "r2"}, started=started(1), ended=started(0))
    assert [(one["run"], one["status"], one.get("error")) for one in journal.latest(9)] == [
        ("r2", "success", None),
        ("r1", "success", None),
    ]


def test_a_record_that_a_crash_cut_off_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note("r1", started(2), "running")
    journal.note("r2", started(1), "running")
    torn = sorted((tmp_path / "runs").iterdir())[-1]
    torn.write_text(torn.read_text(encoding="utf-8")[:20], encoding="utf-8")
    (tmp_path / "runs" / f"{torn.name[:10]}T00-00-00_list.json").write_text("[]", encoding="utf-8")
    assert [one["run"] for one in journal.latest(9)] == ["r1"]


def test_an_unreadable_latest_record_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "latest.json").write_text("{", encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match=r"cannot be read: .* Fix: Restore it from its newest good copy in the folder runs/"
    ):
        Journal(tmp_path).last()


def test_what_cannot_be_written_passes(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    journal = Journal(tmp_path / "file" / "p")
    with pytest.raises(TransientError, match="could not be written to"):
        journal.note("r", started(0), "running")
    with pytest.raises(TransientError, match="could not be written to"):
        journal.write(Move(None, W1), {"status": "success", "run": "r"}, started=started(0), ended=started(0))


def test_f22_old_rejects_go_first_then_old_records_and_the_rest_stays(folder: Folder) -> None:
    journal = Journal(folder)
    for run, age in {"very_old": 400.0, "old": 31.0, "young": 29.9, "now": 0.0}.items():
        journal.note(f"scheduled__{run}+1", started(age), "success")
        rejects(folder, f"scheduled__{run}-1", "part-000001.jsonl", "replayed-x-part-000001.jsonl")
    journal.write(Move(None, W1), {"status": "success", "run": "last"}, started=started(0.5), ended=started(0.5))
    assert clean(folder) == 2 + 2 + 1
    assert left(folder) == (
        ["scheduled__old+1", "scheduled__young+1", "last", "scheduled__now+1"],
        ["scheduled__now-1", "scheduled__young-1"],
    )
    assert journal.last() == Move(None, W1)
    assert clean(folder) == 0


@pytest.mark.parametrize(
    ("days", "stays"),
    [
        ({"rejects": None, "runs": None}, (["r"], ["r"])),
        ({"rejects": None, "runs": 10}, (["r"], ["r"])),
        ({"rejects": 10, "runs": None}, (["r"], [])),
        ({"rejects": 30, "runs": 10}, (["r"], ["r"])),
        ({"rejects": 10, "runs": 10}, ([], [])),
    ],
)
def test_a_record_stays_as_long_as_its_rejects(folder: Folder, days: dict[str, Any], stays: tuple[list[str], list[str]]) -> None:
    Journal(folder).note("r", started(20), "partial")
    rejects(folder, "r")
    clean(folder, **days)
    assert left(folder) == stays


def test_a_run_that_was_cleared_keeps_the_rejects_of_its_last_life(folder: Folder) -> None:
    for age in (40.0, 5.0):
        Journal(folder).note("r", started(age), "partial")
    rejects(folder, "r")
    assert clean(folder) == 0
    assert left(folder) == (["r", "r"], ["r"])


def test_names_that_are_not_the_journals_are_left_alone(folder: Folder) -> None:
    Journal(folder).note("r", started(40), "partial")
    rejects(folder, "r")
    strange = (".DS_Store", "0_x.json", "2020-99-99T00-00-00_r.json", "2020-01-01T00-00-00_r.json.bak", "2020-01-01_r.json")
    for name in strange:
        (folder / "runs" / name).write_text("{}")
    (folder / "rejects" / "a file").write_text("x")
    rejects(folder, "nobody's")
    (folder / "rejects" / "r" / "deeper").mkdir()
    (folder / "rejects" / "r" / "deeper" / "file").write_text("x")
    assert clean(folder) == 1
    names = {one.name for one in (folder / "runs").iterdir()}
    assert set(strange) < names
    assert (folder / "rejects" / "a file").exists()
    assert (folder / "rejects" / "nobody's" / "part-000001.jsonl").exists()
    assert (folder / "rejects" / "r" / "deeper" / "file").exists()


def test_cleaning_nothing(folder: Folder) -> None:
    assert clean(folder) == 0


def test_a_folder_on_disk_does_not_stay_empty(tmp_path: Path) -> None:
    Journal(tmp_path).note("r", started(40), "partial")
    rejects(tmp_path, "r")
    clean(tmp_path)
    assert list((tmp_path / "rejects").iterdir()) == []
    assert json.loads(next((tmp_path / "runs").iterdir()).read_text(encoding="utf-8"))["status"] == "partial"
