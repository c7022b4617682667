"""What a run can be asked to do: everything once more, a part, the rejects, a look, a reset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.delivery.kept import Kept
from activation.errors import ConfigurationError
from activation.operators.orders import Order
from activation.records.shown import masked
from sandbox.braze import Fault

from .test_data_types import USERS, stamp, user
from .world import World


def numbers(world: World) -> dict[str, Any]:
    return {one["external_id"]: one["attributes"].get("n") for one in world.braze.users()}


def test_full_sends_every_row_again_and_keeps_the_watermark_where_it_belongs(world: World) -> None:
    world.table(USERS, *(user(second, f"u{second}", {"n": second}) for second in range(5)))
    world.run()
    before = world.watermark()
    report = world.run({"mode": "full"})
    assert (report["rows"]["sent"], world.watermark()) == (5, before)
    assert world.run()["rows"]["read"] == 0


@pytest.mark.parametrize("rule", ["count", "exclusive", "inclusive", "dedup"])
def test_full_sends_what_the_rule_would_leave_out(world: World, rule: str) -> None:
    world.table(USERS, *(user(1, f"u{n}", {"n": n}) for n in range(5)))
    world.run(cursor={"rule": rule})
    assert world.run({"mode": "full"}, cursor={"rule": rule})["rows"]["sent"] == 5


@pytest.mark.parametrize("rule", ["count", "exclusive", "inclusive", "dedup"])
def test_f28_a_limit_cuts_between_timestamps_and_the_next_run_goes_on(world: World, rule: str) -> None:
    rows = [user(second, f"u{second}-{n}", {"n": n}) for second in range(6) for n in range(3)]
    world.table(USERS, *rows)
    seen = []
    for _ in range(6):
        report = world.run({"limit": 4}, cursor={"rule": rule})
        seen.append(report["rows"]["sent"])
        if len(world.braze.users()) == 18:
            break
    assert len(world.braze.users()) == 18
    assert seen[0] == 6, "the fourth row shares its timestamp with the fifth and the sixth"
    if rule in ("count", "exclusive"):
        assert seen == [6, 6, 6]


def test_a_limit_of_one_takes_all_rows_without_a_cursor_value(world: World) -> None:
    world.table(USERS, *([None, f"u{n}", None, None, None, "{}"] for n in range(3)), user(1, "u", {"n": 1}))
    assert world.run({"limit": 1})["rows"] == {"read": 3, "sent": 0, "rejected": 3, "skipped": 0}
    assert world.run()["rows"] == {"read": 1, "sent": 1, "rejected": 0, "skipped": 0}


def test_f23_rejects_are_replayed_without_touching_the_table_or_the_watermark(world: World, tmp_path: Path) -> None:
    world.table(
        USERS, user(1, "u1", {"n": 1, "a": {"b": None}}), user(2, "u2", {"n": 2}), [stamp(3), "u3", None, None, None, "[]"]
    )
    first = world.run()
    assert first["reasons"] == {"nested_null": 1, "payload_not_object": 1}
    watermark = world.watermark()
    kept = Kept(tmp_path / "state" / "p" / "rejects")
    assert [run.reasons for run in kept.runs()] == [{"nested_null": 1, "payload_not_object": 1}]

    world.destination = {"data": "attributes", "lint": "off"}
    report = world.run({"mode": "replay"})
    assert report["rows"] == {"read": 2, "sent": 1, "rejected": 1, "skipped": 0}
    assert (numbers(world), world.watermark()) == ({"u1": 1, "u2": 2}, watermark)
    assert [run.reasons for run in kept.runs()] == [{"payload_not_object": 1}], "what was sent is no reject any more"
    assert [run.folder for run in kept.runs()] == ["run-2"], "what was rejected again is kept by the replay"
    assert world.run()["rows"]["read"] == 0


def test_f23_a_replay_can_be_of_one_run_and_one_reason(world: World, tmp_path: Path) -> None:
    rows = [user(1, "u1", {"a": {"b": None}}), [stamp(2), "u2", None, None, None, "[]"]]
    world.table(USERS, *rows)
    world.run()
    world.run({"mode": "full"})
    kept = Kept(tmp_path / "state" / "p" / "rejects")
    assert len(kept.runs()) == 2
    world.destination = {"data": "attributes", "lint": "off"}
    report = world.run({"mode": "replay", "replay_run": "run-2", "replay_code": "nested_null"})
    assert report["rows"]["sent"] == 1
    assert [(run.folder, run.reasons.total()) for run in kept.runs()] == [("run-1", 2), ("run-2", 1)]
    with pytest.raises(AirflowFailException, match="has no rejects to replay of run run-2 with the code nested_null"):
        world.run({"mode": "replay", "replay_run": "run-2", "replay_code": "nested_null"})


def test_f23_a_replayed_event_keeps_the_time_of_its_row(world: World) -> None:
    world.destination = {"data": "events", "on_unknown": "reject"}
    world.table(USERS, [stamp(7), "u", None, None, None, '{"name": "e"}'])
    world.braze.add_faults(Fault("reset", times=1))
    assert world.run()["reasons"] == {"outcome_unknown": 1}
    assert world.braze.events() == []
    assert world.run({"mode": "replay"})["rows"]["sent"] == 1
    assert [one["time"] for one in world.braze.events()] == ["2026-07-19T09:00:07.000Z"]


@pytest.mark.parametrize(("mode", "rows"), [("incremental", 1), ("full", 3)])
def test_a_dry_run_shows_what_its_mode_would_send(world: World, mode: str, rows: int) -> None:
    world.table(USERS, user(1, "u1", {"n": 1}), user(2, "u2", {"n": 2}))
    world.run()
    world.sql(f"INSERT INTO crm.source VALUES (TIMESTAMP '{stamp(9)}', 'u3', NULL, NULL, NULL, '{{}}')")
    before = world.watermark()
    report = world.run({"mode": mode, "dry_run": "True"})
    assert (report["status"], report["rows"]["read"]) == ("preview", rows)
    assert (numbers(world), world.watermark()) == ({"u1": 1, "u2": 2}, before)


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ({"mode": "reset", "dry_run": "True"}, "The mode reset has no dry run."),
        ({"mode": "replay", "dry_run": True}, "The mode replay has no dry run."),
        ({"dry_run": "maybe"}, "dry_run 'maybe' is neither true nor false."),
    ],
)
def test_a_dry_run_of_what_has_none_is_refused(world: World, order: dict[str, Any], text: str) -> None:
    world.table(USERS, user(1, "u1", {}))
    with pytest.raises(AirflowFailException, match=text):
        world.run(order)
    assert world.run({"dry_run": "False"})["rows"]["sent"] == 1


def test_f33_a_preview_shows_what_a_run_would_do_and_changes_nothing(world: World, tmp_path: Path) -> None:
    payload = {"name": "김민준", "age": 31, "vip": True, "tags": ["a@x.io"], "gone": None}
    world.table(
        USERS, *(user(second, f"user-{second}", payload) for second in range(10)), [stamp(30), "x", None, None, None, "[]"]
    )
    seen = world.run({"mode": "preview"})
    assert seen["rows"] == {"read": 11, "sampled": 11, "rejected_of_sample": 1}
    assert seen["reasons"] == {"payload_not_object": 1}
    assert seen["estimate"] == {"rows_sent": 10, "requests": 1, "data_points": 50, "exact": True}
    assert seen["items"][0] == {
        "external_id": "u***",
        "name": "김***",
        "age": "***",
        "vip": True,
        "tags": ["a***"],
        "gone": None,
    }
    assert "민준" not in json.dumps(seen, ensure_ascii=False)
    assert world.braze.requests() == []
    assert world.watermark() is None
    assert not (tmp_path / "state" / "p" / "runs").exists()
    assert world.run({"mode": "preview", "limit": 4})["rows"] == {"read": 4, "sampled": 4, "rejected_of_sample": 0}


def test_f32_a_preview_counts_rows_that_share_their_timestamp(world: World) -> None:
    world.table(USERS, *(user(second, f"u{second}-{n}", {}) for second in (1, 2) for n in range(4)), user(3, "u", {}))
    assert world.run({"mode": "preview"})["timestamps"] == {"distinct": 3, "most_alike": 4}


def test_f33_a_preview_of_nothing(world: World) -> None:
    world.table(USERS)
    seen = world.run({"mode": "preview"})
    assert seen["estimate"] == {"rows_sent": 0, "requests": 0, "data_points": 0, "exact": True}
    assert seen["timestamps"] == {"distinct": 0, "most_alike": 0}


def test_masked_leaves_only_the_shape() -> None:
    assert masked({"a": ["", "b", 1.5, None, {"c": False}]}) == {"a": ["", "b***", "***", None, {"c": False}]}


def test_f09_a_reset_moves_the_watermark_and_the_journal_knows(world: World, tmp_path: Path) -> None:
    world.table(USERS, *(user(second, f"u{second}", {"n": second}) for second in range(5)))
    world.run()
    report = world.run({"mode": "reset", "reset_to": "2026-07-19T09:00:02Z"})
    assert report["watermark"] == {"before": "2026-07-19T09:00:04Z", "after": "2026-07-19T09:00:02Z"}
    assert world.watermark() == "2026-07-19T09:00:02Z"
    journal = json.loads((tmp_path / "state" / "p" / "latest.json").read_text(encoding="utf-8"))
    assert journal["move"]["after"]["updated_at"] == "2026-07-19T09:00:02Z"
    assert world.run()["rows"]["sent"] == 3, "the count rule takes the row at the mark too, because none was counted there"
    world.run({"mode": "reset"})
    assert world.watermark() is None
    assert world.run()["rows"]["sent"] == 5


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"mode": "everything"},
            "There is no mode 'everything'. Fix: Choose one of incremental, full, replay, preview, reset, check.",
        ),
        ({"limit": "0"}, "The limit '0' is no number of rows."),
        ({"limit": "many"}, "The limit 'many' is no number of rows."),
        ({"mode": "reset", "reset_to": "yesterday"}, "reset_to 'yesterday' is no instant"),
    ],
)
def test_a_wrong_order_is_a_configuration_error(values: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Order.parse(values)
    assert text in str(raised.value)


def test_what_the_trigger_form_leaves_empty_is_not_given() -> None:
    empty = {"mode": "incremental", "limit": "None", "reset_to": "", "replay_run": None, "replay_code": "None"}
    assert Order.parse(empty) == Order() == Order.parse({})
