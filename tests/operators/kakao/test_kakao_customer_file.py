"""What Treasure Data's connector does (contracts: kakao_moment 6.1), against the server on a socket."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import ConfigurationError
from activation.operators.kakao_customer_file import KakaoCustomerFileOperator

from .kakao_world import KakaoWorld, connect

LOWER, UPPER = "38400000-8cf0-11bd-b23e-10b96e4ef00d", "6D92078A-8246-4BA4-AE5B-76104861E7DC"
ZERO = "00000000-0000-0000-0000-000000000000"
LINE = 37
LIMIT = 27 * LINE
"""Bytes of 27 ids, and the least limit that a pipeline takes: "1KB" is 27.03 lines."""


def test_feature_register(kakao: KakaoWorld) -> None:
    kakao.ids(LOWER, UPPER)
    report = kakao.run()
    file = kakao.files()["VIP"]
    assert sorted(kakao.kakao.content(file["id"])) == [LOWER, UPPER]
    assert report["files"] == [
        {
            "name": "VIP",
            "id": file["id"],
            "ids": 2,
            "bytes": 74,
            "status": "COMPLETE",
            "population": 1,
            "api": "customer_files",
        }
    ]
    assert (report["status"], report["rows"]) == ("success", {"read": 2, "sent": 2, "rejected": 0, "skipped": 0})
    assert (report["bytes"], report["stale"], report["rejects"]) == (74, [], "")


def test_feature_android_and_apple_ids_keep_their_case(kakao: KakaoWorld) -> None:
    kakao.ids(UPPER, LOWER)
    assert kakao.run()["rows"]["sent"] == 2
    assert set(kakao.kakao.content(kakao.files()["VIP"]["id"])) == {LOWER, UPPER}


@pytest.mark.parametrize(("case", "expected"), [("lower", {LOWER, UPPER.lower()}), ("upper", {LOWER.upper(), UPPER})])
def test_case_policy(kakao: KakaoWorld, case: str, expected: set[str]) -> None:
    kakao.ids(UPPER, LOWER)
    kakao.destination["ids"] = {"case": case}
    kakao.run()
    assert set(kakao.kakao.content(kakao.files()["VIP"]["id"])) == expected


def test_feature_column_in_any_case(kakao: KakaoWorld) -> None:
    kakao.sql(f"CREATE SCHEMA crm; CREATE TABLE crm.push_ids AS SELECT '{LOWER}' AS \"AdId\", 1 AS more")
    assert kakao.run()["rows"]["sent"] == 1


def test_feature_mapped_column_and_alias_of_a_query(kakao: KakaoWorld) -> None:
    kakao.sql(f"CREATE SCHEMA crm; CREATE TABLE crm.push_ids AS SELECT '{LOWER}' AS GAID, '{UPPER}' AS idfa")
    kakao.destination["ids"] = {"column": "gaid"}
    kakao.run()
    kakao.destination |= {"file_name": "Apple", "ids": {"column": "adid"}}
    kakao.source = {"query": "SELECT idfa AS adid FROM crm.push_ids"}
    kakao.run()
    files = kakao.files()
    assert [kakao.kakao.content(files[name]["id"]) for name in ("VIP", "Apple")] == [[LOWER], [UPPER]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [("1 AS adid", "has the type INTEGER"), ("'x' AS device", "has no column 'adid'"), ("uuid() AS adid", "has the type UUID")],
)
def test_feature_column_is_text_checked_before_reading(kakao: KakaoWorld, columns: str, message: str) -> None:
    kakao.sql(f"CREATE SCHEMA crm; CREATE TABLE crm.push_ids AS SELECT {columns}")
    with pytest.raises(AirflowFailException, match=message):
        kakao.run()
    assert "register" not in kakao.kakao.calls()


@pytest.mark.parametrize("first_index", [1, 2])
def test_feature_split_names(kakao: KakaoWorld, first_index: int) -> None:
    kakao.many(3 * 27 - 1)
    kakao.destination["file"] = {"limit": "1KB", "first_index": first_index}
    report = kakao.run()
    names = ["VIP", f"VIP_{first_index}", f"VIP_{first_index + 1}"]
    assert [(one["name"], one["ids"], one["bytes"]) for one in report["files"]] == [
        (names[0], 27, LIMIT),
        (names[1], 27, LIMIT),
        (names[2], 26, LIMIT - LINE),
    ]
    sent = [line for name in names for line in kakao.kakao.content(kakao.files()[name]["id"])]
    assert sorted(sent) == sorted(row[0] for row in kakao.sql("SELECT adid FROM crm.push_ids"))
    assert report["rows"]["sent"] == len(sent) == 80


def test_the_same_ids_give_the_same_bytes(kakao: KakaoWorld) -> None:
    digests = []
    for order in ("ASC", "DESC"):
        kakao.many(60)
        kakao.source = {"query": f"SELECT adid FROM crm.push_ids ORDER BY adid {order}"}
        kakao.destination |= {"file": {"limit": "1KB"}, "file_name": f"VIP {order}"}
        kakao.run()
        digests.append([one["parts"][0]["sha256"] for name, one in kakao.files().items() if order in name])
    assert digests[0] == digests[1] and len(digests[0]) == 3


@pytest.mark.parametrize(("ids", "stops"), [(27, False), (28, True)])
@pytest.mark.parametrize("mode", ["register", "edit"])
def test_feature_stop_over_the_limit(kakao: KakaoWorld, mode: str, ids: int, stops: bool) -> None:
    before = kakao.by_hand("VIP")[0] if mode == "edit" else None
    kakao.many(ids)
    kakao.destination |= {"mode": mode, "file": {"when_over_limit": "stop", "limit": "1KB"}}
    if stops:
        with pytest.raises(AirflowFailException, match="28 ids, 1,036 bytes; a customer file takes 1,000"):
            kakao.run()
        assert kakao.files() == ({} if before is None else {"VIP": before})
        assert kakao.journal()[-1]["status"] == "limit_exceeded"
    else:
        assert kakao.run()["rows"]["sent"] == 27


@pytest.mark.parametrize(("ids", "left"), [(27, 0), (28, 1)])
def test_feature_edit_first_200mb(kakao: KakaoWorld, ids: int, left: int) -> None:
    kakao.by_hand("VIP")
    kakao.many(ids)
    kakao.destination |= {"mode": "edit", "file": {"when_over_limit": "first_200mb", "limit": "1KB"}}
    report = kakao.run()
    assert report["rows"] == {"read": ids, "sent": 27, "rejected": 0, "skipped": left}
    assert report["skips"] == ({"over_limit": 1} if left else {})
    assert len(kakao.kakao.content(kakao.files()["VIP"]["id"])) == 27


def test_feature_edit_replaces_all_ids_of_the_named_file(kakao: KakaoWorld) -> None:
    (before,) = kakao.by_hand("VIP")
    kakao.ids(UPPER)
    kakao.destination["mode"] = "edit"
    report = kakao.run()
    after = kakao.files()["VIP"]
    assert (after["id"], kakao.kakao.content(after["id"])) == (before["id"], [UPPER])
    assert after["adidListKey"] != before["adidListKey"]
    assert report["files"][0]["id"] == before["id"]


@pytest.mark.parametrize(
    ("names", "message"), [([], "has no customer file 'VIP'"), (["VIP", "VIP"], "has 2 customer files 'VIP'")]
)
def test_an_edit_of_none_or_several_says_so_before_it_reads(kakao: KakaoWorld, names: list[str], message: str) -> None:
    kakao.by_hand(*names)
    kakao.destination["mode"] = "edit"
    kakao.source = {"table": "crm.is_not_read"}
    with pytest.raises(AirflowFailException, match=message):
        kakao.run()


def test_feature_file_name_in_korean(kakao: KakaoWorld) -> None:
    kakao.ids(LOWER)
    kakao.destination["file_name"] = "우수 고객 2026-07-19"
    assert kakao.run()["files"][0]["name"] == "우수 고객 2026-07-19"
    assert list(kakao.files()) == ["우수 고객 2026-07-19"]


@pytest.mark.parametrize(("name", "parts", "message"), [("가" * 51, 1, "has 51 characters"), ("가" * 50, 2, "has 52 characters")])
def test_a_name_that_is_too_long_is_told_before_the_upload(
    kakao: KakaoWorld,
    name: str,
    parts: int,
    message: str,
) -> None:
    kakao.many(27 * parts)
    kakao.destination |= {"file_name": name, "file": {"limit": "1KB"}}
    with pytest.raises(AirflowFailException, match=message):
        kakao.run()
    assert kakao.files() == {}


def test_feature_ad_account_of_the_pipeline(kakao: KakaoWorld) -> None:
    kakao.ids(LOWER)
    kakao.destination["ad_account_id"] = str(kakao.kakao.other_account)
    kakao.run()
    assert [len(kakao.kakao.files(number)) for number in (kakao.kakao.account, kakao.kakao.other_account)] == [0, 1]


def test_an_account_without_a_role_says_what_to_do(kakao: KakaoWorld) -> None:
    kakao.destination["ad_account_id"] = kakao.kakao.foreign_account
    with pytest.raises(AirflowFailException, match="a role in the ad account 99999"):
        kakao.run()


@pytest.mark.parametrize("kind", ["login", "garbled"])
def test_a_token_that_is_refused_says_that_a_person_must_consent(
    kakao: KakaoWorld,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    token = kakao.kakao.mint(kind="login") if kind == "login" else "garbled-token-0123456789"
    monkeypatch.setattr(kakao.kakao, "token", token)
    connect(kakao.kakao, monkeypatch)
    with pytest.raises(AirflowFailException, match="activation kakao-login world_kakao") as raised:
        kakao.run()
    assert token not in str(raised.value)
    assert kakao.journal()[-1]["status"] == "config_error"


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({"destination": {"type": "braze"}}, "does not serve destinations of type braze"),
        ({"destination": {"mode": "register", "file_name": "VIP"}}, "needs the key 'ad_account_id'"),
        ({"columns": {"fields": {"a": "A"}}}, "Kakao's API takes ids alone"),
    ],
)
def test_wrong_blocks_are_told_when_the_operator_is_made(blocks: dict[str, object], message: str) -> None:
    good = {"ad_account_id": 1, "mode": "register", "file_name": "VIP"}
    given = {"source": {"type": "duckdb", "connection": "w", "table": "a.b"}, "destination": good, **blocks}
    with pytest.raises(ConfigurationError, match=message):
        KakaoCustomerFileOperator(task_id="upload", pipeline_id="p", **given)  # type: ignore[arg-type]


def test_an_unknown_mode_is_told(kakao: KakaoWorld) -> None:
    with pytest.raises(AirflowFailException, match=r"no mode 'rum'.*Choose one of run, preview"):
        kakao.run(order={"mode": "rum"})
