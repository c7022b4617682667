"""Files in a folder instead of an upload, for accounts without rights for the API (contracts: kakao_moment 6.1, 6.3)."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from .kakao_world import KakaoWorld

GOOD, OTHER = "38400000-8cf0-11bd-b23e-10b96e4ef00d", "6D92078A-8246-4BA4-AE5B-76104861E7DC"


@pytest.fixture
def place(kakao: KakaoWorld) -> Path:
    """The folder of the pipeline."""
    kakao.destination["output"] = {"to": "folder", "path": f"file://{kakao.folder}/out"}
    return kakao.folder / "out"


def people(kakao: KakaoWorld) -> None:
    """Two people with three rows, and one who has no id."""
    kakao.sql("CREATE SCHEMA crm; CREATE TABLE crm.push_ids (NAME VARCHAR, ADID VARCHAR, POINTS INTEGER, SEGMENT VARCHAR)")
    rows = [
        ('박, "영희"', OTHER, 7, None),
        ("김철수", GOOD, 3, "vip"),
        ("김", f" {GOOD.upper()}", 4, "vip"),
        ("x", "no id", 1, "vip"),
    ]
    for row in rows:
        kakao.sql("INSERT INTO crm.push_ids VALUES (?, ?, ?, ?)", row)


def test_feature_files_for_a_manual_upload(kakao: KakaoWorld, place: Path) -> None:
    kakao.many(60)
    kakao.destination |= {"file_name": "VIP 고객: 7/19", "file": {"limit": "1KB"}}
    report = kakao.run()
    assert sorted(one.name for one in place.iterdir()) == ["VIP 고객- 7-19.csv", "VIP 고객- 7-19_1.csv", "VIP 고객- 7-19_2.csv"]
    content = b"".join((place / one["name"]).read_bytes() for one in report["files"])
    assert sorted(content.decode().split("\n")[:-1]) == sorted(row[0] for row in kakao.sql("SELECT adid FROM crm.push_ids"))
    assert [(one["ids"], one["bytes"], one["status"]) for one in report["files"]] == [
        (27, 999, "written"),
        (27, 999, "written"),
        (6, 222, "written"),
    ]
    assert kakao.kakao.calls().get("list") is None  # no connection to Kakao is needed
    assert kakao.journal()[-1]["status"] == "success"


def test_the_same_ids_give_the_same_file_and_replace_the_older_one(kakao: KakaoWorld, place: Path) -> None:
    digests = set()
    for order in ("ASC", "DESC"):
        kakao.many(60)
        kakao.source = {"query": f"SELECT adid FROM crm.push_ids ORDER BY adid {order}"}
        kakao.run()
        digests.add(hashlib.sha256((place / "VIP.csv").read_bytes()).hexdigest())
    assert len(digests) == 1
    kakao.many(3)
    kakao.run()
    assert len((place / "VIP.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(("stale", "became"), [("report", "left"), ("delete", "deleted")])
def test_files_of_an_older_and_larger_list(kakao: KakaoWorld, place: Path, stale: str, became: str) -> None:
    kakao.destination["file"] = {"limit": "1KB", "stale_parts": stale}
    kakao.many(80)
    kakao.run()
    kakao.many(30)
    report = kakao.run()
    assert [(one["name"], one["became"]) for one in report["stale"]] == [("VIP_2.csv", became)]
    assert len(list(place.iterdir())) == (3 if stale == "report" else 2)


@pytest.mark.parametrize(
    ("mode", "policy", "left"), [("edit", "first_200mb", 1), ("edit", "stop", None), ("register", "stop", None)]
)
def test_a_list_over_the_limit(kakao: KakaoWorld, place: Path, mode: str, policy: str, left: int | None) -> None:
    kakao.destination |= {"mode": mode, "file": {"limit": "1KB", "when_over_limit": policy}}
    kakao.many(28)
    if left is None:
        with pytest.raises(AirflowFailException, match="a customer file takes 1,000"):
            kakao.run()
        assert not place.exists()
    else:
        assert kakao.run()["skips"] == {"over_limit": left}


def read(file: Path) -> list[list[str]]:
    """The lines of a CSV file, the names first."""
    return list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))


def test_feature_output_mapping_of_all_columns(kakao: KakaoWorld, place: Path) -> None:
    people(kakao)
    kakao.destination["output"]["columns"] = "all"
    report = kakao.run()
    names, *rows = read(place / "VIP.csv")
    assert names == ["ADID", "NAME", "POINTS", "SEGMENT"]
    first = min(([f" {GOOD.upper()}", "김", "4"], [GOOD, "김철수", "3"]))
    assert sorted(rows) == sorted([[GOOD.upper(), *first[1:], "vip"], [OTHER, '박, "영희"', "7", ""]])
    assert report["rows"] == {"read": 4, "sent": 2, "rejected": 1, "skipped": 1}


def test_feature_output_mapping_of_chosen_columns_with_new_names(kakao: KakaoWorld, place: Path) -> None:
    people(kakao)
    kakao.blocks = {"columns": {"fields": {"고객": {"column": "NAME"}, "device": {"column": "adid"}}}}
    kakao.run()
    names, *rows = read(place / "VIP.csv")
    assert names == ["고객", "device"]
    assert {row[1] for row in rows} == {GOOD.upper(), OTHER}


def test_feature_output_mapping_of_strings(kakao: KakaoWorld, place: Path) -> None:
    people(kakao)
    fields: dict[str, Any] = {
        "audience_id": {"constant": 77},
        "audience_name": {"constant": 'It\'s "VIP"'},
        "made_at": {"moment": "run_start"},
        "who": {"template": "{SEGMENT}: {points}"},
        "live": {"constant": True},
    }
    kakao.blocks = {"columns": {"fields": fields}}
    kakao.run()
    names, *rows = read(place / "VIP.csv")
    assert names == ["adid", *fields]
    by_id = {row[0]: row[1:] for row in rows}
    started = kakao.journal()[-1]["started"].replace("+00:00", "Z")
    assert by_id[OTHER] == ["77", 'It\'s "VIP"', started, "", "true"]
    assert by_id[GOOD.upper()][3] == "vip: 4"


def test_a_column_that_there_is_not_is_told(kakao: KakaoWorld, place: Path) -> None:
    people(kakao)
    kakao.blocks = {"columns": {"fields": {"name": {"column": "NAMES"}}}}
    with pytest.raises(AirflowFailException, match=r"has no column NAMES .*Did you mean NAME"):
        kakao.run()


def test_rows_are_divided_as_their_ids_are(kakao: KakaoWorld, place: Path) -> None:
    kakao.many(60)
    kakao.destination["file"] = {"limit": "1KB"}
    kakao.blocks = {"columns": {"fields": {"segment": {"constant": "vip"}}}}
    kakao.run()
    found = [read(place / name) for name in ("VIP.csv", "VIP_1.csv", "VIP_2.csv")]
    assert [len(one) for one in found] == [28, 28, 7]
    assert len({row[0] for one in found for row in one[1:]}) == 60


def test_an_empty_list_leaves_the_folder_as_it_is(kakao: KakaoWorld, place: Path) -> None:
    kakao.many(3)
    kakao.run()
    kakao.ids()
    with pytest.raises(AirflowFailException, match="no advertising id"):
        kakao.run()
    assert len((place / "VIP.csv").read_text().splitlines()) == 3


def test_a_storage_that_there_is_not_is_told(kakao: KakaoWorld) -> None:
    kakao.many(3)
    kakao.destination["output"] = {"to": "folder", "path": "nosuch://bucket/folder"}
    with pytest.raises(AirflowFailException, match="names a storage that cannot be reached"):
        kakao.run()


def test_a_preview_names_the_files(kakao: KakaoWorld, place: Path) -> None:
    kakao.many(28)
    kakao.destination["file"] = {"limit": "1KB"}
    report = kakao.run(order={"mode": "preview"})
    assert [one["name"] for one in report["files"]] == ["VIP.csv", "VIP_1.csv"]
    assert report["account"] is None and not place.exists()
