"""The demo's advertising ids, and what it expects of Kakao's side."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from activation.spec import KakaoDestination, load_file
from sandbox.demo import audience, devices, profiles
from sandbox.demo.devices import Expected
from sandbox.demo.source import AUDIENCE, DAILY, ROOT
from sandbox.kakao import KakaoSandbox

REJECTED, SKIPPED = {"missing": 15, "not_an_advertising_id": 20}, {"all_zero": 10, "duplicate": 15}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, count in {"PEOPLE": 300, "LEAVE": 20, "COME": 12, "EACH": 5}.items():
        monkeypatch.setattr(devices, name, count)
    monkeypatch.setattr(profiles, "PEOPLE", 10)
    path = tmp_path / "warehouse.duckdb"
    profiles.seed(path)
    devices.seed(path)
    return path


def test_the_samples_are_of_one_file_in_the_account_of_the_server() -> None:
    found = {name: load_file(ROOT / "dags" / "pipelines" / f"{name}.yaml").destination for name in (AUDIENCE, DAILY)}
    first, daily = found[AUDIENCE], found[DAILY]
    assert isinstance(first, KakaoDestination)
    assert isinstance(daily, KakaoDestination)
    assert (first.mode, daily.mode) == ("register", "edit")
    assert first.ad_account_id == daily.ad_account_id == str(KakaoSandbox.account)
    assert first.file_name == daily.file_name
    assert first.ids == daily.ids


def test_every_kind_of_bad_row_is_counted_and_gives_no_id(database: Path) -> None:
    expected = devices.expect(database)
    assert (expected.read, len(expected.ids)) == (360, 300)
    assert (expected.rejected, expected.skipped) == (REJECTED, SKIPPED)
    assert {len(one) for one in expected.ids} == {36}
    values = devices.rows(database)["ADID"].to_pylist()
    for around in ('"', "{", "\ufeff", " "):
        assert any((value or "").startswith(around) and len(value.strip()) >= 37 - (around == " ") for value in values), around
    assert any(value and value != value.lower() for value in values)


def test_people_leave_and_come_and_the_bad_rows_stay(database: Path) -> None:
    before = devices.expect(database)
    devices.change(database)
    after = devices.expect(database)
    assert (len(before.ids - after.ids), len(after.ids - before.ids), len(after.ids)) == (20, 12, 292)
    assert (after.read, after.rejected, after.skipped) == (352, REJECTED, SKIPPED)


def test_books_that_differ_are_told() -> None:
    expected = Expected(5, frozenset({"a", "b"}), {"missing": 2}, {"duplicate": 1})
    report: dict[str, Any] = {
        "rows": {"read": 5, "sent": 2, "rejected": 2, "skipped": 1},
        "reasons": {"missing": 2},
        "skips": {"duplicate": 1},
    }
    assert audience.differences(report, expected) == []
    wrong = {**report, "skips": {"all_zero": 1}}
    assert audience.differences(wrong, expected) == ["skips {'all_zero': 1} instead of {'duplicate': 1}"]


@pytest.mark.parametrize(
    ("held", "status", "faults"),
    [
        (["a", "b"], "COMPLETE", []),
        (["a", "c", "c"], "COMPLETE", ["1 ids are missing at Kakao, 1 do not belong there, 1 are there twice"]),
        (["b", "a"], "MODIFYING", ["the file is MODIFYING instead of COMPLETE"]),
    ],
)
def test_a_file_that_differs_is_told(held: list[str], status: str, faults: list[str]) -> None:
    world: Any = SimpleNamespace(kakao=SimpleNamespace(content=lambda number: held))
    file = {"id": 1, "name": "Push", "customerFileStatus": status}
    assert audience._compare(world, file, frozenset({"a", "b"})) == faults
