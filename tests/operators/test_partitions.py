"""An import in several slices ends as one without, in every mode; whatever ends one of its tasks badly, nothing is lost."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.delivery.journal import Journal
from activation.delivery.kept import Kept
from activation.errors import TransientError
from sandbox.braze import Fault

from .partitioned import Split
from .test_data_types import ITEMS, USERS, items, many, stamp, user
from .world import Store, World

PEOPLE = "EXTERNAL_ID VARCHAR, EMAIL VARCHAR, PHONE VARCHAR, PAYLOAD VARCHAR"


def people(world: World, count: int) -> None:
    """A table of so many users, one a second."""
    world.table(USERS, *(user(second, f"u{second}", {"n": second}) for second in range(count)))


def numbers(world: World) -> dict[str, Any]:
    return {one["external_id"]: one["attributes"].get("n") for one in world.braze.users()}


def record(world: World) -> dict[str, Any]:
    """The newest record of the journal."""
    return Journal(world.folder / "state" / "p").latest(1)[0]


def history(world: World, run: Callable[[], dict[str, Any]]) -> list[Any]:
    """Three runs, with changes between them; gives what each of them told and left."""
    bad = [[None, f"n{n}", None, None, None, "{}"] for n in range(3)] + [
        [stamp(9), f"b{n}", None, None, None, "[]"] for n in range(4)
    ]
    world.table(USERS, *(user(second // 4, f"u{second}", {"n": 0}) for second in range(40)), *bad)
    found = []
    for round_ in range(3):
        told = run()
        held = world.stores["p"].get("watermark")
        found.append((told["rows"], told["reasons"], told["null_cursor_rows"], told["window"]["lower"], {**held, "run": ""}))
        found.append(sorted(numbers(world).items()))
        world.sql("UPDATE crm.source SET UPDATED_AT = UPDATED_AT + INTERVAL 5 SECOND WHERE EXTERNAL_ID IN ('u1', 'u2', 'u3')")
        world.sql(f"INSERT INTO crm.source SELECT max(UPDATED_AT), 'late{round_}', NULL, NULL, NULL, '{{}}' FROM crm.source")
    return found


@pytest.mark.parametrize("rule", ["count", "exclusive", "inclusive", "dedup"])
def test_slices_end_as_the_whole_does(world: World, rule: str) -> None:
    world.blocks = {"cursor": {"rule": rule, "lookback": "2s"}}
    whole = history(world, world.run)
    world.stores["p"] = Store()
    shutil.rmtree(world.folder / "state")
    world.braze.reset()
    world.braze.change(rate={"enabled": False})
    split = Split(world, 3)
    assert history(world, split.run) == whole
    assert len(split.events) == 3, "one event a run, from the last task"


def test_the_report_of_all_is_the_sum(world: World) -> None:
    people(world, 40)
    split = Split(world, 4)
    report = split.run()
    assert report["rows"] == {"read": 40, "sent": 40, "rejected": 0, "skipped": 0}
    assert [one["read"] for one in report["partitions"]] == [split.reports[n]["rows"]["read"] for n in range(4)]
    assert report["requests"]["sent"] == sum(one["requests"]["sent"] for one in split.reports.values()) >= 4
    assert report["bytes"] == sum(one["bytes"] for one in split.reports.values())
    assert record(world)["report"] == report
    assert (record(world)["status"], record(world)["partitions"]) == ("success", 4)
    assert split.run()["rows"]["read"] == 0
    assert split.slices == [], "nothing to read needs no slice"


def test_rows_of_one_user_go_through_one_slice_whatever_else_names_them(world: World) -> None:
    rows = [
        [stamp(second), None, f"user{n}@example.com", f"+8210{second}{n:02d}", json.dumps({"n": second})]
        for second in range(3)
        for n in range(30)
    ]
    world.table(PEOPLE, *rows)
    report = Split(world, 4).run()
    assert report["rows"]["sent"] == 90
    assert min(one["read"] for one in report["partitions"]) > 0
    assert all(one["read"] % 3 == 0 for one in report["partitions"]), "the e-mail goes before the phone number"


@pytest.mark.parametrize("data", ["catalog_items", "deletes", "events"])
def test_other_data_is_split_too(world: World, data: str) -> None:
    people(world, 20)
    if data == "catalog_items":
        world.braze.create_catalog("shops", name="string")
        world.destination = {"data": data, "catalog": {"name": "shops"}}
        world.table(ITEMS, *([stamp(n), f"i{n}", '{"name": "n"}', False] for n in range(20)))
    elif data == "deletes":
        world.run(pipeline_id="before")
        world.table("EXTERNAL_ID VARCHAR", *([stamp(n), f"u{n}"] for n in range(20)))
        world.destination = {"data": data}
    else:
        world.table(USERS, *(user(n, f"u{n}", {"name": f"e{n}"}) for n in range(20)))
        world.destination = {"data": data}
    report = Split(world, 3).run()
    assert report["rows"]["sent"] == 20
    assert min(one["sent"] for one in report["partitions"]) > 0
    if data == "deletes":
        assert world.braze.users() == []
    else:
        assert len(items(world) if data == "catalog_items" else world.braze.events()) == 20


def test_a_slice_that_ends_badly_stops_the_watermark_and_goes_on_where_it_stopped(world: World) -> None:
    world.table(USERS)
    many(world, 200)
    world.blocks = {"delivery": {"batch_rows": 5, "in_flight": 1, "attempts": 1, "checkpoint": "100ms"}}
    split = Split(world, 2)
    split.new()
    split.check()
    assert record(world)["status"] == "running"
    split.slice(0)
    assert record(world)["status"] == "running", "the record is the run's, not the slice's"
    waiting = sorted((n for n in range(200) if f"u{n}" not in numbers(world)), key=int)
    world.braze.add_faults(Fault("503", contains=f'"u{waiting[len(waiting) // 2]}"'))
    with pytest.raises(TransientError):
        split.slice(1)
    assert (record(world)["status"], record(world)["partition"]) == ("error", 1)
    with pytest.raises(AirflowFailException, match="The reports of 1 slices are there"):
        split.publish()
    assert world.watermark() is None
    assert split.events == []
    world.braze.clear_faults()
    report = split.slice(1)
    assert report["requests"]["sent"] < -(-report["rows"]["sent"] // 5), "what the first try has settled is not sent again"
    assert split.publish()["rows"]["sent"] == 200
    assert world.braze.summary()["resent_objects"] == 0
    assert (record(world)["status"], len(Journal(world.folder / "state" / "p").latest(9))) == ("success", 1)
    assert len(world.braze.users()) == 200


def test_a_slice_that_is_cleared_before_the_end_sends_nothing_twice(world: World) -> None:
    people(world, 20)
    split = Split(world, 2)
    split.new()
    split.check()
    first = [split.slice(index) for index in range(2)]
    again = split.slice(0)
    assert again["rows"] == first[0]["rows"]
    assert again["tail"] == first[0]["tail"]
    assert split.publish()["rows"]["sent"] == 20
    assert world.braze.summary()["resent_objects"] == 0


def test_a_retry_of_check_keeps_the_window_and_a_run_that_is_cleared_opens_another(world: World) -> None:
    people(world, 10)
    split = Split(world, 2)
    split.new()
    split.check()
    window = split.window
    world.sql("INSERT INTO crm.source SELECT now()::TIMESTAMP, 'new', NULL, NULL, NULL, '{}'")
    split.check()
    assert split.window["opened"] == window["opened"]
    assert split.window["started"] == window["started"]
    for index in range(2):
        split.slice(index)
    split.publish()
    world.blocks = {"cursor": {"settle": "0s"}}
    split.check()
    assert split.window["opened"]["watermark"]["updated_at"] == "2026-07-19T09:00:09Z"
    assert split.window["started"] != window["started"]
    for one in split.slices:
        split.slice(one["index"])
    assert split.publish()["rows"]["sent"] == 1, "the slices know that this is another window"
    assert [one["status"] for one in Journal(world.folder / "state" / "p").latest(9)] == ["success"] * 2


def test_reports_of_another_window_are_not_published(world: World) -> None:
    people(world, 10)
    split = Split(world, 2)
    split.run()
    split.order = {"mode": "full"}
    world.runs += 1
    split.check()
    with pytest.raises(AirflowFailException, match="not those of the 2 of this window"):
        split.publish()


@pytest.mark.parametrize("place", ["memory.commit", "journal.write"])
def test_publish_can_be_repeated_from_wherever_it_died(world: World, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    people(world, 10)
    split = Split(world, 2)
    split.new()
    split.check()
    for index in range(2):
        split.slice(index)
    with monkeypatch.context() as dying:

        def die(*args: Any, **kwargs: Any) -> None:
            raise OSError("died")

        owner = {
            "memory.commit": "activation.operators.memory.Memory.commit",
            "journal.write": "activation.delivery.journal.Journal.write",
        }
        dying.setattr(owner[place], die)
        with pytest.raises(OSError, match="died"):
            split.publish()
    assert world.watermark() is None
    report = split.publish()
    assert world.watermark() == "2026-07-19T09:00:09Z"
    assert split.publish() == report, "a third try finds it done"
    assert record(world)["status"] == "success"


def test_a_watermark_that_a_person_moves_meanwhile_is_left_alone(world: World) -> None:
    people(world, 10)
    split = Split(world, 2)
    split.new()
    split.check()
    for index in range(2):
        split.slice(index)
    world.stores["p"].set("watermark", {"updated_at": "2026-07-19T09:00:05Z"})
    with pytest.raises(AirflowFailException, match="was changed while this run was moving"):
        split.publish()
    assert world.watermark() == "2026-07-19T09:00:05Z"
    assert split.run()["rows"]["sent"] == 5


def test_a_typed_watermark_is_adopted_once(world: World) -> None:
    people(world, 10)
    world.stores["p"].set("watermark", {"updated_at": "2026-07-19T09:00:05Z"})
    assert Split(world, 2).run()["rows"]["sent"] == 5
    assert world.watermark() == "2026-07-19T09:00:09Z"


def test_columns_that_change_meanwhile_are_told(world: World) -> None:
    people(world, 10)
    split = Split(world, 2)
    split.new()
    split.check()
    split.slice(0)
    world.sql("ALTER TABLE crm.source RENAME EXTERNAL_ID TO USER_ID")
    world.blocks = {"columns": {"identifiers": {"external_id": "USER_ID"}}}
    with pytest.raises(AirflowFailException, match="were changed while this run was under way"):
        split.slice(1)


def test_too_many_rows_are_found_before_anything_is_sent(world: World) -> None:
    people(world, 10)
    world.blocks = {"max_rows": 9}
    split = Split(world, 2)
    split.new()
    with pytest.raises(AirflowFailException, match=r"10 rows to read, more than errors\.max_rows = 9"):
        split.check()
    assert record(world)["status"] == "limit_exceeded"
    assert world.braze.requests() == []


def test_too_many_rejects_over_all_slices_stop_the_watermark(world: World) -> None:
    row = "TIMESTAMP '2026-01-01' + to_seconds(i), 'u' || i, NULL, NULL, NULL, CASE WHEN i % 2 = 0 THEN '[]' ELSE '{}' END"
    world.table(USERS)
    world.sql(f"INSERT INTO crm.source SELECT {row} FROM range(1200) r(i)")
    world.blocks = {"max_reject_share": 0.4}
    split = Split(world, 2)
    split.new()
    split.check()
    for index in range(2):
        assert split.slice(index)["rows"]["read"] < 1_000
    with pytest.raises(AirflowFailException, match="600 of 1,200 rows were rejected"):
        split.publish()
    assert world.watermark() is None


def test_rejects_of_all_slices_are_listed_and_replayed(world: World) -> None:
    world.table(USERS, *(user(n, f"u{n}", {"n": n, "a": {"b": None}}) for n in range(20)))
    split = Split(world, 3)
    report = split.run()
    assert report["reasons"] == {"nested_null": 20}
    kept = Kept(world.folder / "state" / "p" / "rejects")
    assert [run.reasons for run in kept.runs()] == [{"nested_null": 20}]
    names = {file.name for file in Path(report["rejects"]).iterdir()}
    assert names == {f"part-{n}of3-000001.jsonl" for n in (1, 2, 3)}
    world.destination = {"data": "attributes", "lint": "off"}
    assert split.run(mode="replay")["rows"]["sent"] == 20
    assert kept.runs() == []
    assert split.events[-1]["rows"]["sent"] == 20


def test_what_is_no_whole_window_is_one_tasks_work(world: World) -> None:
    people(world, 10)
    split = Split(world, 4)
    for order in ({"mode": "preview"}, {"dry_run": True}):
        assert split.run(**order)["rows"]["read"] == 10
        assert split.slices == [{"index": 0, "of": 1}]
    assert split.events == []
    assert world.braze.requests() == []
    assert split.run(limit=4)["rows"]["sent"] == 4
    assert world.watermark() == "2026-07-19T09:00:03Z"
    assert split.run()["rows"]["sent"] == 6
    assert split.run(mode="reset", reset_to="2026-07-19T09:00:07Z")["status"] == "reset"
    assert split.run()["rows"]["sent"] == 3
    full = split.run(mode="full")
    assert (full["rows"]["sent"], len(full["partitions"])) == (10, 4)
    assert len(split.events) == 5


def test_slices_share_the_rate_limit(world: World) -> None:
    people(world, 60)
    world.blocks = {"delivery": {"batch_rows": 1}}
    world.braze.change(rate={"enabled": True, "track": {"burst": 10, "burst_seconds": 2}})
    split = Split(world, 2)
    split.new()
    split.check()
    sent = split.slice(0)["requests"]["sent"]
    windows = Counter(int(datetime.fromisoformat(one["time"]).timestamp()) // 2 for one in world.braze.requests())
    assert windows.total() == sent > 20
    assert max(windows.values()) <= 5, "one of two slices takes half of each window"
