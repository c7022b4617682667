"""A file by its id, and files that make room for newer ones (contracts: kakao_moment 6.3)."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.operators.kakao_run import KakaoRun

from .kakao_world import KakaoWorld, connect
from .test_kakao_retry import Killed

UPPER = "6D92078A-8246-4BA4-AE5B-76104861E7DC"


def day(kakao: KakaoWorld, number: int, *, count: int = 3, **changed: Any) -> dict[str, Any]:
    """The run of a day, which makes files of its own name; gives its report."""
    kakao.many(count)
    kakao.destination["file_name"] = f"VIP {number}"
    return kakao.run(**changed)


def removed(report: dict[str, Any]) -> list[tuple[str, str]]:
    """What became of the files of earlier runs."""
    return [(one["name"], one["became"]) for one in report["removed"]]


def there(kakao: KakaoWorld) -> list[str]:
    """The names of the files that are not deleted."""
    kakao.kakao.advance(600)
    return list(kakao.files())


@pytest.mark.parametrize("name", ["VIP", "VIP of today"])
def test_feature_edit_by_id(kakao: KakaoWorld, caplog: pytest.LogCaptureFixture, name: str) -> None:
    first, second = kakao.by_hand("VIP", "VIP")
    kakao.ids(UPPER)
    kakao.destination |= {"mode": "edit", "file_name": name, "file": {"id": second["id"]}}
    report = kakao.run()
    assert [(one["id"], one["name"], one["bytes"]) for one in report["files"]] == [(second["id"], "VIP", 37)]
    assert kakao.kakao.content(second["id"]) == [UPPER] != kakao.kakao.content(first["id"])
    assert [one["name"] for one in kakao.kakao.files()] == ["VIP", "VIP"]
    told = f"The customer file {second['id']} of destination.file.id is called 'VIP', not 'VIP of today'"
    assert (told in caplog.text) == (name != "VIP")


def test_an_id_that_there_is_not_is_told_before_anything_is_read(kakao: KakaoWorld) -> None:
    (file,) = kakao.by_hand("VIP")
    kakao.destination |= {"mode": "edit", "file": {"id": file["id"] + 1}}
    kakao.source = {"table": "crm.is_not_read"}
    with pytest.raises(AirflowFailException, match=rf"no customer file {file['id'] + 1}\..*Correct destination\.file\.id"):
        kakao.run()


def test_feature_old_files_make_room_for_the_newest_runs(kakao: KakaoWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    by_hand = kakao.by_hand("VIP 1_7", "VIP 0")
    kakao.destination["file"] = {"limit": "1KB", "keep": 2}
    reports = [day(kakao, number, count=60 if number == 1 else 3) for number in range(1, 5)]
    assert [removed(report) for report in reports] == [
        [],
        [],
        [("VIP 1", "deleted"), ("VIP 1_1", "deleted"), ("VIP 1_2", "deleted")],
        [("VIP 2", "deleted")],
    ]
    assert [one["id"] for one in reports[3]["removed"]] == [one["id"] for one in reports[1]["files"]]
    assert there(kakao) == [*(one["name"] for one in by_hand), "VIP 3", "VIP 4"]
    assert kakao.journal()[-1]["report"]["removed"] == reports[3]["removed"]
    assert "is left from an earlier run: deleted" in caplog.text


def test_nothing_is_deleted_before_the_new_files_are_ready(kakao: KakaoWorld) -> None:
    kakao.destination["file"] = {"keep": 1}
    day(kakao, 1)
    kakao.destination["file_name"] = "VIP 2"
    assert kakao.start() is None
    assert list(kakao.files()) == ["VIP 1", "VIP 2"]
    kakao.kakao.advance(600)
    assert removed(kakao.finish()) == [("VIP 1", "deleted")]


def test_a_run_that_does_not_wait_deletes_after_its_upload(kakao: KakaoWorld) -> None:
    kakao.destination |= {"file": {"keep": 1}, "output": {"wait": "none"}}
    day(kakao, 1)
    assert removed(day(kakao, 2)) == [("VIP 1", "deleted")]


def test_a_file_that_targeting_uses_stays_until_it_is_free(kakao: KakaoWorld) -> None:
    kakao.destination["file"] = {"keep": 1}
    used = day(kakao, 1)["files"][0]["id"]
    kakao.kakao.use(used, 7)
    assert removed(day(kakao, 2)) == [("VIP 1", "in_use")]
    kakao.kakao.use(used, None)
    assert removed(day(kakao, 3)) == [("VIP 1", "deleted"), ("VIP 2", "deleted")]


def test_without_the_right_to_delete_the_file_stays_and_the_run_ends_well(
    kakao: KakaoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    kakao.destination["file"] = {"keep": 1}
    day(kakao, 1)
    with monkeypatch.context() as patch:
        patch.setattr(kakao.kakao, "token", kakao.kakao.mint(scopes=["moment_management"]))
        connect(kakao.kakao, monkeypatch)
        report = day(kakao, 2)
    assert (report["status"], removed(report)) == ("success", [("VIP 1", "failed")])
    assert "activation kakao-login world_kakao" in report["removed"][0]["why"]
    assert there(kakao) == ["VIP 1", "VIP 2"]


def test_what_other_runs_made_is_left_alone(kakao: KakaoWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kakao.destination["file"] = {"keep": 1}
    kakao.destination["ad_account_id"] = kakao.kakao.other_account
    day(kakao, 1)
    del kakao.destination["ad_account_id"]
    monkeypatch.setenv("AIRFLOW_CONN_ANOTHER", kakao.kakao.connection(table={"pace": {"write_seconds": 0.0}}))
    kakao.destination["connection"] = "another"
    day(kakao, 2)
    del kakao.destination["connection"]
    day(kakao, 3, pipeline_id="q")
    kakao.kakao.faults([{"do": "extraction_error", "requests": 1}])
    with pytest.raises(AirflowFailException):
        day(kakao, 4)
    (edited,) = kakao.by_hand("VIP 5")
    day(kakao, 5, destination=kakao.operator().destination | {"mode": "edit", "file_name": "VIP 5", "file": {}})
    assert removed(day(kakao, 6)) == []
    assert len(kakao.kakao.files()) == 6 and edited["id"] in {one["id"] for one in kakao.kakao.files()}


def test_runs_into_another_account_do_not_count(kakao: KakaoWorld) -> None:
    kakao.destination["file"] = {"keep": 2}
    day(kakao, 1)
    kakao.destination["ad_account_id"] = kakao.kakao.other_account
    day(kakao, 2)
    del kakao.destination["ad_account_id"]
    assert removed(day(kakao, 3)) == []
    assert removed(day(kakao, 4)) == [("VIP 1", "deleted")]


def test_a_run_that_makes_no_file_deletes_none_and_does_not_count(kakao: KakaoWorld) -> None:
    kakao.destination["file"] = {"keep": 2}
    day(kakao, 1)
    assert removed(day(kakao, 2, count=0)) == []
    assert removed(day(kakao, 3)) == []
    assert removed(day(kakao, 4)) == [("VIP 1", "deleted")]


def test_what_a_run_made_before_it_was_cleared_counts_as_an_earlier_run(kakao: KakaoWorld) -> None:
    kakao.destination["file"] = {"keep": 1}
    day(kakao, 1)
    kakao.runs -= 1
    assert removed(day(kakao, 2)) == [("VIP 1", "deleted")]
    assert [one["run"] for one in kakao.journal()] == ["run-1", "run-1"]


def test_a_retry_after_the_deletion_ends_the_run(kakao: KakaoWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kakao.destination["file"] = {"keep": 1}
    day(kakao, 1)

    def end(run: KakaoRun, report: dict[str, Any]) -> dict[str, Any]:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(KakaoRun, "_end", end)
        day(kakao, 2)
    assert there(kakao) == ["VIP 2"]
    report = kakao.run(retry=True)
    assert (removed(report), report["files"][0]["status"]) == ([], "COMPLETE")
    assert there(kakao) == ["VIP 2"]
    assert removed(day(kakao, 3)) == [("VIP 2", "deleted")]
