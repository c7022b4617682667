"""The rejects that runs have kept: finding them, and putting those aside that were replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import ObjectStoragePath

from activation.delivery.folder import Folder
from activation.delivery.kept import Chosen, Kept
from activation.delivery.rejects import Origin, Rejects, parts_in


@pytest.fixture(params=["disk", "object storage"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    """The folder ``rejects`` of a pipeline, on a disk and in object storage."""
    yield tmp_path / "rejects" if request.param == "disk" else ObjectStoragePath(f"memory://bucket-{uuid4().hex}/p/rejects")


def record(code: str, user: str | None, run: str = "r", **row: Any) -> dict[str, Any]:
    """A reject as :class:`Rejects` writes it."""
    columns = {"EXTERNAL_ID": user, **row}
    return {
        "code": code,
        "message": f"It is {code}.",
        "updated_at": None,
        "row": columns,
        "pipeline": "p",
        "run": run,
        "attempt": 1,
    }


def write(folder: Folder, run: str, part: str, *records: dict[str, Any]) -> None:
    (folder / run).mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    (folder / run / part).write_text(text, encoding="utf-8")


def found(folder: Folder, **chosen: str) -> list[Any]:
    return [one["row"]["EXTERNAL_ID"] for one in Kept(folder).records(Chosen(**chosen))]


def fill(folder: Folder) -> None:
    write(folder, "r-1", "part-000001.jsonl", record("bad", "ann"), record("long", "bob"))
    write(folder, "r-1", "part-000002.jsonl", record("bad", "cid", PAYLOAD='{"n": "anna"}'))
    write(folder, "r2", "part-000001.jsonl", record("bad", None))


def test_nothing_is_kept_where_no_run_was(folder: Folder) -> None:
    assert (Kept(folder).runs(), list(Kept(folder).records()), Kept(folder).put_aside(Chosen(), "x")) == ([], [], 0)


def test_runs_by_reason_with_a_sample(folder: Folder) -> None:
    fill(folder)
    runs = Kept(folder).runs()
    assert [(run.folder, run.reasons) for run in runs] == [("r-1", {"bad": 2, "long": 1}), ("r2", {"bad": 1})]
    assert runs[0].samples == {"bad": "It is bad.", "long": "It is long."}
    assert [run.folder for run in Kept(folder, but="r+1").runs()] == ["r2"]


@pytest.mark.parametrize(
    ("chosen", "users"),
    [
        ({}, ["ann", "bob", "cid", None]),
        ({"run": "r+1"}, ["ann", "bob", "cid"]),
        ({"run": "r"}, []),
        ({"code": "long"}, ["bob"]),
        ({"text": "ann"}, ["ann", "cid"]),
        ({"text": "ann", "code": "bad", "run": "r-1"}, ["ann", "cid"]),
        ({"text": "nobody"}, []),
    ],
)
def test_rejects_are_chosen_by_run_reason_and_text(folder: Folder, chosen: dict[str, str], users: list[Any]) -> None:
    fill(folder)
    assert found(folder, **chosen) == users


def test_what_was_replayed_is_put_aside_and_nothing_is_lost(folder: Folder) -> None:
    fill(folder)
    assert Kept(folder).put_aside(Chosen(code="bad"), "replay 1") == 3
    assert found(folder) == ["bob"]
    assert Kept(folder).put_aside(Chosen(code="bad"), "replay 2") == 0
    aside = [one for run in folder.iterdir() for one in run.iterdir() if one.name.startswith("replayed-replay-1-")]
    lines = [json.loads(line) for one in aside for line in one.read_text(encoding="utf-8").splitlines()]
    assert sorted(str(one["row"]["EXTERNAL_ID"]) for one in lines) == ["None", "ann", "cid"]


def test_values_that_look_like_line_ends_break_no_line(folder: Folder) -> None:
    odd = "a\u2028b\u2029c\x85d\x0be\r\nf"
    write(folder, "r", "part-000001.jsonl", record("bad", odd), record("bad", "x"))
    assert found(folder) == [odd, "x"]
    Kept(folder).put_aside(Chosen(text="x"), "replay")
    assert found(folder) == [odd]


def test_a_line_that_a_crash_cut_off_and_foreign_files_do_no_harm(folder: Folder) -> None:
    fill(folder)
    whole = (folder / "r2" / "part-000001.jsonl").read_text(encoding="utf-8")
    (folder / "r2" / "part-000001.jsonl").write_text(whole + '{"code": "ba', encoding="utf-8")
    (folder / ".DS_Store").write_text("x")
    (folder / "r2" / "notes.txt").write_text("x")
    assert found(folder) == ["ann", "bob", "cid", None]
    assert Kept(folder).put_aside(Chosen(run="r2"), "replay") == 1
    assert (folder / "r2" / "part-000001.jsonl").read_text(encoding="utf-8") == '{"code": "ba'


def test_a_retry_removes_the_parts_behind_its_progress_and_nothing_else(folder: Folder) -> None:
    write(folder, "r", "part-000001.jsonl", record("bad", "ann"))
    write(folder, "r", "part-000002.jsonl", record("bad", "bob"))
    write(folder, "r", "replayed-x-part-000001.jsonl", record("bad", "cid"))
    assert parts_in(folder / "r") == 2
    Rejects(folder / "r", Origin("p", "r", 2), parts=1)
    assert found(folder) == ["ann"]
    assert (folder / "r" / "replayed-x-part-000001.jsonl").exists()
    assert parts_in(folder / "nobody") == 0
