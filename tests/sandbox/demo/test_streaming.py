"""The demo's waves of changes, and what it expects of the stream's reader."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from activation.spec import KinesisDestination, load_file
from sandbox.demo import messages, profiles, streaming, waves
from sandbox.demo.consumer import Consumer
from sandbox.demo.source import ROOT, STREAM
from sandbox.kinesis import KinesisSandbox


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(profiles, "PEOPLE", 5_000)
    path = tmp_path / "warehouse.duckdb"
    profiles.seed(path)
    return path


def test_the_sample_maps_the_audiences_that_change() -> None:
    destination = load_file(ROOT / "dags" / "pipelines" / f"{STREAM}.yaml").destination
    assert isinstance(destination, KinesisDestination)
    assert destination.audiences == profiles.MAPPED


def test_nobody_changes_twice_in_a_wave_or_in_two_that_follow_each_other() -> None:
    before: frozenset[str] = frozenset()
    for number in range(waves.WAVES):
        wave = waves.wave(number)
        ids = [one for group in wave.people.values() for one in group]
        assert len(ids) == len(set(ids))
        assert all(wave.people.values())
        assert not before & set(ids)
        before = frozenset(ids)


def test_a_wave_changes_what_is_expected_of_those_who_are_due_a_message(database: Path) -> None:
    before = messages.expect(database)
    assert before.keys() == messages.members(database)
    wave = waves.wave(0)
    waves.change(database, wave)
    after = messages.expect(database)
    changed = {one for one in after if before.get(one) != after[one]}
    assert changed == wave.changed - set(wave.people["same"])
    left, entered, added = (wave.people[name][0] for name in ("leave", "enter", "add"))
    assert {one["status"] for one in after[left]["segmentMembership"]["ups"].values() if "name" in one} == {"exited"}
    assert after[entered]["segmentMembership"]["ups"]["vip"]["name"] == "VIP 고객"
    assert after[added]["identityMap"]["phone"] == [{"id": f"+82-{added}"}]
    assert "email_lc_sha256" not in after[wave.people["remove"][0]]["identityMap"]
    assert left not in messages.members(database)


def test_an_expected_message_is_told_whole(database: Path) -> None:
    message = messages.expect(database)["p-000005"]
    entered = message["segmentMembership"]["ups"]["vip"].pop("lastQualificationTime")
    assert (len(entered), entered[-1]) == (20, "Z")
    assert message == {
        "person": {"name": {"firstName": "하은"}},
        "personalEmail": {"address": "p5@example.com"},
        "loyalty": {"tier": "gold", "points": 35},
        "segmentMembership": {"ups": {"vip": {"status": "realized", "name": "VIP 고객"}}},
        "identityMap": {"crm": [{"id": "고객-5"}]},
    }
    risky = messages.expect(database)["p-000012"]["segmentMembership"]["ups"]
    assert {name: "name" in one for name, one in risky.items()} == {"newsletter": True, "risk": False}


def test_the_reader_keeps_the_latest_message_and_counts_all() -> None:
    with KinesisSandbox(shards=2) as kinesis:
        kinesis.create("profiles")
        put = kinesis.client().put_record
        with Consumer(kinesis, "profiles") as consumer:
            for key, number in (("a", 1), ("b", 2), ("a", 3)):
                put(StreamName="profiles", PartitionKey=key, Data=json.dumps({"n": number}).encode())
            consumer.finish()
        assert (consumer.latest, consumer.count, consumer.error) == ({"a": {"n": 3}, "b": {"n": 2}}, 3, None)


def test_a_profile_that_differs_is_shown(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    latest: dict[str, Any] = messages.expect(database)
    assert streaming._compare(database, _reader(latest)) == []
    latest["p-000004"] = {**latest["p-000004"], "loyalty": {"tier": "silver", "points": 29}}
    del latest["p-000005"]
    assert streaming._compare(database, _reader(latest)) == [f"{STREAM}: 2 profiles differ from the warehouse"]
    assert "p-000004 is {" in capsys.readouterr().out


def _reader(latest: dict[str, Any]) -> Any:
    return SimpleNamespace(latest=latest)
