"""No file is made twice: killed tasks, lost answers, and waits that a retry goes on with (contracts: kakao_moment 2.6, 8 C10)."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import TransientError
from tests.operators.world import Store

from .kakao_world import KakaoWorld, connect


class Killed(BaseException):
    """The end of the worker's process."""


class Dying(Store):
    """A task state whose process is killed at one of its writes.

    :param at: which one.
    :param kept: whether that write is there after all.
    """

    def __init__(self, at: int, *, kept: bool) -> None:
        super().__init__()
        self.left, self.kept = at, kept

    def set(self, key: str, value: Any) -> None:
        if key == "kakao":
            self.left -= 1
        if key != "kakao" or self.left or self.kept:
            super().set(key, value)
        if key == "kakao" and not self.left:
            raise Killed


def killed(kakao: KakaoWorld, at: int, *, kept: bool) -> None:
    """Begin a run that is killed; the state is what the next try finds."""
    kakao.runs, kakao.tries, kakao.task = kakao.runs + 1, 0, Dying(at, kept=kept)
    with pytest.raises(Killed):
        kakao.start(retry=True)


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_killed_task_makes_no_file_twice(kakao: KakaoWorld, at: int, kept: bool) -> None:
    kakao.many(60)
    kakao.destination["file"] = {"limit": "1KB"}
    killed(kakao, at, kept=kept)
    report = kakao.run(retry=True)
    assert sorted(one["name"] for one in kakao.kakao.files(kakao.kakao.account)) == ["VIP", "VIP_1", "VIP_2"]
    assert [one["id"] for one in report["files"]] == [kakao.files()[name]["id"] for name in ("VIP", "VIP_1", "VIP_2")]
    assert report["rows"] == {"read": 60, "sent": 60, "rejected": 0, "skipped": 0}


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_killed_edit_is_not_repeated(kakao: KakaoWorld, at: int, kept: bool) -> None:
    (before,) = kakao.by_hand("VIP")
    kakao.kakao.forget()
    kakao.many(60)
    kakao.destination["mode"] = "edit"
    killed(kakao, at, kept=kept)
    report = kakao.run(retry=True)
    assert kakao.kakao.calls()["edit"] == 1
    assert [one["id"] for one in report["files"]] == [before["id"]]
    assert kakao.files()["VIP"]["unique"] == 60


def test_an_uploaded_list_is_not_read_again(kakao: KakaoWorld) -> None:
    kakao.many(60)
    assert kakao.start() is None
    kakao.sql("DROP TABLE crm.push_ids")
    report = kakao.run(retry=True)
    assert report["rows"]["read"] == 60
    assert kakao.kakao.calls()["register"] == 1


def test_a_list_that_has_changed_since_is_reported_as_it_was_sent(kakao: KakaoWorld) -> None:
    kakao.many(20)
    killed(kakao, 2, kept=False)  # uploaded, but the state does not know
    kakao.many(25)
    report = kakao.run(retry=True)
    assert (report["rows"]["read"], report["rows"]["sent"], report["files"][0]["ids"]) == (20, 20, 20)
    assert len(kakao.kakao.files()) == 1


def test_half_of_a_list_that_has_changed_since_is_not_mixed_with_another(kakao: KakaoWorld) -> None:
    kakao.many(60)
    kakao.destination["file"] = {"limit": "1KB"}
    killed(kakao, 3, kept=True)
    kakao.many(61, start=1000)
    with pytest.raises(AirflowFailException, match="1 of 3 files of another list"):
        kakao.start(retry=True)
    assert len(kakao.kakao.files()) == 1


@pytest.mark.parametrize("how", ["reset", "silent"])
def test_a_lost_answer_makes_no_second_file(kakao: KakaoWorld, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    connect(kakao.kakao, monkeypatch, table={"pace": {"write_seconds": 0.0, "first_pause": 0.01, "idle_seconds": 1.0}})
    kakao.many(60)
    kakao.destination["file"] = {"limit": "1KB"}
    kakao.kakao.faults([{"do": "lost", "operation": "register", "after": 1, "how": how}])
    report = kakao.run()
    assert sorted(kakao.files()) == ["VIP", "VIP_1", "VIP_2"] and len(kakao.kakao.files()) == 3
    assert [one["population"] for one in report["files"]] == [14, 14, 3]


def test_a_connection_that_breaks_in_the_upload_is_taken_up_again(kakao: KakaoWorld) -> None:
    kakao.many(20_000)
    kakao.kakao.faults([{"do": "reset_upload", "bytes": 100_000}, {"do": "error", "code": -9798, "operation": "register"}])
    report = kakao.run()
    assert report["retried"] == 2
    assert kakao.files()["VIP"]["unique"] == 20_000


def test_an_error_within_a_200_is_seen(kakao: KakaoWorld) -> None:
    kakao.many(3)
    kakao.kakao.faults([{"do": "envelope_200", "operation": "register"}])
    with pytest.raises(AirflowFailException, match="refused to register 'VIP'"):
        kakao.run()


def test_a_server_that_stays_away_is_a_matter_of_a_later_try(kakao: KakaoWorld) -> None:
    kakao.many(3)
    kakao.kakao.faults([{"do": "http", "status": 503, "requests": None}])
    with pytest.raises(TransientError):
        kakao.run()
    kakao.kakao.clear_faults()
    assert kakao.run(retry=True)["rows"]["sent"] == 3
    assert [one["status"] for one in kakao.journal()] == ["success"]


def test_feature_waits_for_complete_in_the_triggerer(kakao: KakaoWorld) -> None:
    kakao.many(10)
    assert kakao.start() is None
    assert kakao.deferred is not None and kakao.deferred.timeout.total_seconds() == 6 * 3600 + 600
    assert kakao.files()["VIP"]["customerFileStatus"] == "WAITING"
    assert kakao.journal()[-1]["status"] == "running"
    kakao.kakao.advance(600)
    report = kakao.finish()
    assert (report["files"][0]["status"], report["files"][0]["population"]) == ("COMPLETE", 5)
    assert kakao.journal()[-1]["status"] == "success"
    assert kakao.task.values == {}


def test_an_error_of_the_extraction_fails_with_what_to_do(kakao: KakaoWorld) -> None:
    kakao.many(60)
    kakao.destination["file"] = {"limit": "1KB"}
    kakao.kakao.faults([{"do": "extraction_error", "after": 1}])
    with pytest.raises(AirflowFailException, match=r"could not make a target of 'VIP_1' \(\d+\): ERROR. Look at the file"):
        kakao.run()
    assert kakao.journal()[-1]["status"] == "error"
    assert "kakao" not in kakao.task.values  # a task that is cleared begins anew


def test_a_wait_that_takes_too_long_is_taken_up_by_the_next_try(kakao: KakaoWorld) -> None:
    kakao.many(10)
    kakao.destination["output"] = {"wait": {"timeout": "1s", "poll": "200ms"}}
    assert kakao.start() is None
    with pytest.raises(TransientError, match="'VIP': WAITING"):
        kakao.finish()
    kakao.kakao.advance(600)
    assert kakao.run(retry=True)["files"][0]["status"] == "COMPLETE"
    assert kakao.kakao.calls()["register"] == 1


def test_a_consent_that_ends_during_the_wait_is_told_and_then_waited_on(
    kakao: KakaoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    kakao.many(10)
    monkeypatch.setattr(kakao.kakao, "token", kakao.kakao.mint(user="user-2"))
    connect(kakao.kakao, monkeypatch)
    assert kakao.start() is None
    kakao.kakao.revoke(kakao.kakao.token)
    with pytest.raises(AirflowFailException, match="activation kakao-login world_kakao"):
        kakao.finish()
    monkeypatch.setattr(kakao.kakao, "token", kakao.kakao.mint())
    connect(kakao.kakao, monkeypatch)
    assert kakao.run(retry=True)["rows"]["sent"] == 10
    assert kakao.kakao.calls()["register"] == 1


def test_wait_until_none_ends_after_the_upload(kakao: KakaoWorld) -> None:
    kakao.many(10)
    kakao.destination["output"] = {"wait": "none"}
    report = kakao.start()
    assert report is not None
    assert [(one["status"], one["population"]) for one in report["files"]] == [("uploaded", None)]


def test_a_second_edit_waits_its_turn(kakao: KakaoWorld) -> None:
    kakao.by_hand("VIP")
    kakao.many(10)
    kakao.destination |= {"mode": "edit", "output": {"wait": "none"}}
    kakao.run()
    with pytest.raises(TransientError, match="still is busy with 'VIP'"):
        kakao.run()
    kakao.kakao.advance(3600)
    kakao.many(12)
    assert kakao.run(retry=True)["rows"]["sent"] == 12
