"""What the reference leaves open and this does (contracts: kakao_moment 6.3)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.cli import main

from .kakao_world import KakaoWorld, connect

GOOD = "38400000-8cf0-11bd-b23e-10b96e4ef00d"
ZERO = "00000000-0000-0000-0000-000000000000"
DIRTY = (GOOD, GOOD.upper(), f" \ufeff'{GOOD}'\r\n", ZERO, "김철수@example.com", "x" * 32, None, "", "  ")


def test_feature_ids_are_checked_and_rejects_are_reported(kakao: KakaoWorld) -> None:
    kakao.ids(*DIRTY)
    report = kakao.run()
    assert report["rows"] == {"read": 9, "sent": 1, "rejected": 5, "skipped": 3}
    assert report["reasons"] == {"missing": 3, "not_an_advertising_id": 2}
    assert report["skips"] == {"duplicate": 2, "all_zero": 1}
    assert report["samples"] == {"not_an_advertising_id": ["김***", "x***"], "missing": ["", " ***"]}
    assert report["status"] == "partial"
    kept = kakao.rejects()
    assert [(one["code"], one["row"]) for one in kept] == [
        ("not_an_advertising_id", {"adid": "김철수@example.com"}),
        ("not_an_advertising_id", {"adid": "x" * 32}),
        ("missing", {"adid": None}),
        ("missing", {"adid": ""}),
        ("missing", {"adid": "  "}),
    ]
    assert {(one["pipeline"], one["run"], one["attempt"], one["updated_at"]) for one in kept} == {("p", "run-1", 1, None)}


def test_rejects_are_listed_and_exported_by_the_command(
    kakao: KakaoWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kakao.ids(*DIRTY)
    kakao.run()
    assert main(["rejects", "list", "p"]) == 0
    assert "not_an_advertising_id" in (shown := capsys.readouterr().out) and "5 rejects of 1 run" in shown
    assert main(["rejects", "export", "p", "-o", str(tmp_path / "rejects.csv"), "--format", "csv"]) == 0
    assert "김철수@example.com" in (tmp_path / "rejects.csv").read_text(encoding="utf-8")


def test_a_retry_replaces_the_rejects_of_the_try_before(kakao: KakaoWorld) -> None:
    kakao.ids(*DIRTY)
    kakao.kakao.faults([{"do": "http", "status": 503, "requests": 3, "operation": "register"}])
    with pytest.raises(Exception, match="could not register"):
        kakao.run()
    kakao.run(retry=True)
    assert len(kakao.rejects()) == 5


def test_many_rejects_are_kept_in_several_files(kakao: KakaoWorld) -> None:
    kakao.sql("CREATE SCHEMA crm; CREATE TABLE crm.push_ids AS SELECT '\"' || n || chr(10) AS adid FROM range(120000) r(n)")
    kakao.sql(f"INSERT INTO crm.push_ids VALUES ('{GOOD}')")
    report = kakao.run(max_reject_share=1.0)
    assert report["rows"]["rejected"] == len(kakao.rejects()) == 120_000
    assert {one["row"]["adid"] for one in kakao.rejects()} == {f'"{n}\n' for n in range(120_000)}
    assert len(list(Path(report["rejects"]).iterdir())) >= 2


def test_feature_duplicates_go_whatever_their_case(kakao: KakaoWorld) -> None:
    kakao.ids(GOOD, GOOD.upper(), GOOD)
    assert kakao.run()["skips"] == {"duplicate": 2}
    assert len(kakao.kakao.content(kakao.files()["VIP"]["id"])) == 1


def test_what_is_no_id_can_be_skipped(kakao: KakaoWorld) -> None:
    kakao.ids(*DIRTY)
    kakao.destination["ids"] = {"on_invalid": "skip"}
    report = kakao.run()
    assert (report["status"], report["rejects"], kakao.rejects()) == ("success", "", [])
    assert report["skips"] == {"missing": 3, "not_an_advertising_id": 2, "duplicate": 2, "all_zero": 1}


@pytest.mark.parametrize(("bad", "stops"), [(500, False), (501, True)])
def test_a_list_with_too_many_rejects_is_not_sent(kakao: KakaoWorld, bad: int, stops: bool) -> None:
    kakao.many(1000 - bad)
    kakao.sql(f"INSERT INTO crm.push_ids SELECT 'no id' FROM range({bad})")
    if stops:
        with pytest.raises(AirflowFailException, match="501 of 1,000 rows were rejected"):
            kakao.run()
        assert kakao.files() == {} and len(kakao.rejects()) == 501
    else:
        assert kakao.run()["rows"]["sent"] == 500


@pytest.mark.parametrize(("most", "stops"), [(10, False), (9, True)])
def test_a_table_with_too_many_rows_is_not_read(kakao: KakaoWorld, most: int, stops: bool) -> None:
    kakao.many(10)
    if stops:
        with pytest.raises(AirflowFailException, match=r"10 rows, more than errors\.max_rows = 9"):
            kakao.run(max_rows=most)
        assert kakao.files() == {} and kakao.journal()[-1]["status"] == "limit_exceeded"
    else:
        assert kakao.run(max_rows=most)["rows"]["sent"] == 10


def test_feature_the_cap_of_50_files_is_checked_before_the_upload(kakao: KakaoWorld) -> None:
    kakao.by_hand(*(f"old {number}" for number in range(48)))
    kakao.kakao.forget()
    kakao.many(60)
    kakao.destination["file"] = {"limit": "1KB"}
    with pytest.raises(AirflowFailException, match="needs 3 customer files, but the ad account 12345 has 48 of 50"):
        kakao.run()
    assert "register" not in kakao.kakao.calls()
    kakao.many(54)
    assert len(kakao.run()["files"]) == 2


def test_a_name_that_is_taken_is_told_before_anything_is_read(kakao: KakaoWorld) -> None:
    kakao.by_hand("VIP")
    kakao.source = {"table": "crm.is_not_read"}
    with pytest.raises(AirflowFailException, match=r"already is a customer file 'VIP'.*mode: edit"):
        kakao.run()


@pytest.mark.parametrize(("stale", "became"), [("report", "left"), ("delete", "deleted")])
def test_feature_stale_parts_of_a_larger_list(
    kakao: KakaoWorld, monkeypatch: pytest.MonkeyPatch, stale: str, became: str
) -> None:
    old = {one["name"]: one["id"] for one in kakao.by_hand("VIP_1", "VIP_2", "VIP_3", "VIP_x", "Other_2")}
    kakao.kakao.change(limits={"duplicate_names": True})
    connect(kakao.kakao, monkeypatch, table={"limits": {"names_unique": False}, "pace": {"write_seconds": 0.0}})
    kakao.many(28)
    kakao.destination["file"] = {"limit": "1KB", "stale_parts": stale}
    report = kakao.run()
    assert [(one["name"], one["id"], one["became"]) for one in report["stale"]] == [
        ("VIP_2", old["VIP_2"], became),
        ("VIP_3", old["VIP_3"], became),
    ]
    left = {"VIP_1", "VIP_x", "Other_2", "VIP"} | ({"VIP_2", "VIP_3"} if stale == "report" else set())
    kakao.kakao.advance(600)
    assert set(kakao.files()) == left


def test_a_stale_part_that_targeting_uses_stays(kakao: KakaoWorld) -> None:
    (old,) = kakao.by_hand("VIP_1")
    kakao.kakao.use(old["id"], 7)
    kakao.many(10)
    kakao.destination["file"] = {"stale_parts": "delete"}
    assert [(one["name"], one["became"]) for one in kakao.run()["stale"]] == [("VIP_1", "in_use")]
    assert "VIP_1" in kakao.files()


def test_stale_parts_are_found_after_a_kill(kakao: KakaoWorld) -> None:
    kakao.by_hand("VIP_1")
    kakao.many(10)
    assert kakao.start() is None
    sent = kakao.task.get("kakao")
    del sent["report"]["stale"]  # killed before it had looked
    kakao.task.set("kakao", sent)
    assert [one["name"] for one in kakao.run(retry=True)["stale"]] == ["VIP_1"]


@pytest.mark.parametrize("order", [{"mode": "preview"}, {"mode": "run", "dry_run": "True"}], ids=["preview", "dry run"])
def test_feature_preview_sends_nothing(kakao: KakaoWorld, order: dict[str, str]) -> None:
    kakao.many(60)
    kakao.sql(f"INSERT INTO crm.push_ids VALUES ('{ZERO}'), ('no id')")
    kakao.destination["file"] = {"limit": "1KB"}
    report = kakao.run(order=order)
    assert report["status"] == "preview" and report["fits"] and report["account"] == {"files": 0, "of": 50}
    assert report["rows"] == {"read": 62, "sent": 60, "rejected": 1, "skipped": 1}
    assert report["files"] == [
        {"name": "VIP", "ids": 27, "bytes": 999},
        {"name": "VIP_1", "ids": 27, "bytes": 999},
        {"name": "VIP_2", "ids": 6, "bytes": 222},
    ]
    assert (kakao.files(), kakao.rejects(), kakao.task.values) == ({}, [], {})
    assert {"register", "edit"}.isdisjoint(kakao.kakao.calls())
    assert not (kakao.folder / "state" / "p" / "runs").exists()


def test_a_preview_of_an_edit_says_that_it_would_stop(kakao: KakaoWorld) -> None:
    kakao.by_hand("VIP")
    kakao.many(28)
    kakao.destination |= {"mode": "edit", "file": {"limit": "1KB"}}
    report = kakao.run(order={"mode": "preview"})
    assert (report["fits"], report["account"]) == (False, {"files": 1, "of": 50})


@pytest.mark.parametrize("api", ["customer_data", "auto"])
def test_feature_customer_data(kakao: KakaoWorld, api: str) -> None:
    kakao.kakao.change(generation="retired" if api == "auto" else "both")
    kakao.many(60)
    kakao.destination |= {"output": {"api": api}, "file": {"limit": "1KB"}}
    report = kakao.run()
    assert {one["api"] for one in report["files"]} == {"customer_data"}
    assert [one["status"] for one in report["files"]] == ["COMPLETE"] * 3
    assert {one["generation"] for one in kakao.kakao.requests() if one["status"] == 200} == {"customerData"}


def test_a_generation_that_was_shut_down_says_which_to_choose(kakao: KakaoWorld) -> None:
    kakao.kakao.change(generation="retired")
    kakao.many(3)
    kakao.destination["output"] = {"api": "customer_files"}
    with pytest.raises(AirflowFailException, match=r"was shut down.*destination.output.api"):
        kakao.run()


def test_an_empty_list_makes_no_file(kakao: KakaoWorld, caplog: pytest.LogCaptureFixture) -> None:
    kakao.ids(ZERO)
    report = kakao.run()
    assert (report["files"], report["rows"]["skipped"], report["stale"]) == ([], 1, [])
    assert "no advertising id" in caplog.text
    assert kakao.task.values == {}


def test_an_edit_by_an_empty_list_fails(kakao: KakaoWorld) -> None:
    kakao.by_hand("VIP")
    kakao.ids()
    kakao.destination["mode"] = "edit"
    with pytest.raises(AirflowFailException, match="keeps the ids that it has"):
        kakao.run()
    assert len(kakao.kakao.content(kakao.files()["VIP"]["id"])) == 1


def test_a_limit_beyond_what_kakao_takes_is_refused(kakao: KakaoWorld) -> None:
    kakao.many(3)
    kakao.destination["file"] = {"limit": "201MB"}
    with pytest.raises(AirflowFailException, match="201,000,000 bytes, more than the 200,000,000 that Kakao takes"):
        kakao.run()


def test_no_secret_and_no_id_in_report_record_and_log(kakao: KakaoWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kakao.ids(*DIRTY)
    report = kakao.run()
    kakao.kakao.revoke(kakao.kakao.token)
    try:
        with pytest.raises(AirflowFailException) as raised:
            kakao.run()
    finally:
        kakao.kakao.token = kakao.kakao.mint()
    seen: list[Any] = [report, kakao.journal(), caplog.text, str(raised.value)]
    for secret in (kakao.kakao.token, GOOD, GOOD.upper(), "김철수@example.com"):
        assert all(secret not in str(one) for one in seen)
