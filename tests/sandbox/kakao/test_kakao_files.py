"""Customer files: list, register, states, edit, delete, usages (contract: kakao_moment, C4 to C8)."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.kakao import KakaoSandbox
from tests.sandbox.kakao.conftest import Moment, Part, failure, ids

FIELDS = {
    "id", "adAccountId", "name", "adidListKey", "customerFileStatus", "populationScore", "ready",
    "createdDate", "lastModifiedDate", "originalCreatedDate", "populationUpdateDate",
}  # fmt: skip
ZERO = b"00000000-0000-0000-0000-000000000000\n"


def seconds(text: str) -> datetime:
    """A date of the API."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text)
    return datetime.fromisoformat(text)


def test_c4_the_list_is_a_bare_array_of_the_account_s_files(moment: Moment) -> None:
    assert moment.ask("GET").json() == []
    numbers = [moment.new("우수 고객"), moment.new("휴면 고객 ✓")]
    first, second = moment.listed()
    assert set(first) == FIELDS
    assert [first["id"], second["id"]] == numbers
    assert (first["name"], second["name"], first["adAccountId"]) == ("우수 고객", "휴면 고객 ✓", 12345)
    assert (first["customerFileStatus"], first["ready"], first["populationScore"]) == ("WAITING", False, None)
    assert re.fullmatch(r"[0-9a-z]{32}", first["adidListKey"])
    assert first["createdDate"] == first["originalCreatedDate"] == first["lastModifiedDate"]
    assert seconds(first["createdDate"])
    assert first["populationUpdateDate"] is None


def test_c4_all_fifty_files_come_at_once(moment: Moment) -> None:
    numbers = [moment.new(f"고객 {number}", ids(1)) for number in range(50)]
    assert [one["id"] for one in moment.listed()] == numbers


def test_c4_deleted_files_are_hidden_or_shown_for_a_while(moment: Moment, server: KakaoSandbox) -> None:
    number = moment.complete()
    moment.ask("DELETE", f"/{number}")
    assert moment.listed() == []
    server.change(answers={"list_deleted": True})
    assert moment.one(number)["customerFileStatus"] == "DELETE"
    server.advance(61)
    assert moment.listed() == []


@pytest.mark.parametrize(
    ("parts", "detail"),
    [
        ([], 99001),
        ([("a.csv", ids(1))] * 11, 99002),
        ([("a.csv", ids(13_514)), ("b.csv", ids(13_514))], 99003),
        ([("a.txt", ids(1))], 99005),
        ([("a.csv", ids(1)), ("b", ids(1))], 99005),
        ([("a.csv", b"")], 99006),
        ([("a.csv", ids(1)), ("b.csv", b"")], 99006),
        ([("a.csv", b"adid\nnot an id\n")], 99007),
        ([("a.csv", ids(3).replace(b"\n", b"\r\n"))], 99007),
        ([("a.csv", b'"' + ids(1)[:36] + b'"\n')], 99007),
        ([("a.csv", ids(1).replace(b"-", b""))], 99007),
        ([("a.csv", ZERO)], 99007),
    ],
)
def test_c5_a_register_that_breaks_a_rule_leaves_nothing(moment: Moment, parts: list[Part], detail: int) -> None:
    form = {"name": (None, "고객")}
    files = [*form.items(), *(("file", part) for part in parts)]
    assert failure(moment.ask("POST", files=files)) == (400, -813, detail)
    assert moment.listed() == []


def test_c5_ten_parts_are_one_file(moment: Moment, server: KakaoSandbox) -> None:
    parts = [(f"부분 {number}.csv", ids(10, number * 5)) for number in range(10)]
    answer = moment.upload("POST", "", {"name": "고객"}, parts)
    assert answer.status_code == 200
    (file,) = server.files(12345)
    assert (file["lines"], file["valid"], file["unique"]) == (100, 100, 55)
    assert [(one["filename"], one["bytes"]) for one in file["parts"]] == [(name, 370) for name, _ in parts]
    assert server.content(file["id"]) == b"".join(data for _, data in parts).decode().split()
    assert [path.read_bytes() for path in server.parts(file["id"])] == [data for _, data in parts]


@pytest.mark.parametrize(("megabyte", "limit"), [(1_000_000, 1_000_000), (1_048_576, 1_048_576)])
def test_c5_the_limit_of_bytes_is_exact_in_both_readings(moment: Moment, server: KakaoSandbox, megabyte: int, limit: int) -> None:
    server.change(limits={"megabyte": megabyte})
    content = ids(limit // 37 + 1)
    assert moment.register("고객", content[:limit]).status_code == 200
    assert failure(moment.register("고객", content[: limit + 1])) == (400, -813, 99003)
    assert len(moment.listed()) == 1
    number = moment.complete()
    assert failure(moment.edit(number, content[: limit + 1])) == (400, -813, 99003)
    assert moment.one(number)["customerFileStatus"] == "COMPLETE"
    assert moment.edit(number, content[:limit]).status_code == 200


def test_c5_an_account_has_fifty_files(moment: Moment, server: KakaoSandbox) -> None:
    server.change(limits={"files": 3})
    numbers = [moment.new(f"고객 {number}") for number in range(3)]
    assert failure(moment.register()) == (400, -813, 99004)
    assert Moment(server, server.other_account).register().status_code == 200
    moment.ask("DELETE", f"/{numbers[0]}")
    assert moment.register().status_code == 200
    server.reset()
    for number in range(50):
        moment.new(f"고객 {number}", ids(1))
    assert failure(moment.register()) == (400, -813, 99004)


@pytest.mark.parametrize(("name", "taken"), [("고" * 50, True), ("고" * 51, False), ("", False), (" ", True)])
def test_c5_a_name_has_one_to_fifty_characters(moment: Moment, name: str, taken: bool) -> None:
    answer = moment.register(name)
    if taken:
        assert answer.json()["name"] == name
    else:
        assert failure(answer) == (400, -813, 99008)


def test_c5_two_files_of_one_name_may_be_refused(moment: Moment, server: KakaoSandbox) -> None:
    assert [moment.register("고객").status_code for _ in range(2)] == [200, 200]
    server.change(limits={"duplicate_names": False})
    assert failure(moment.register("고객")) == (400, -813, 99009)
    assert moment.register("고객 2").status_code == 200


def test_c5_names_of_fields_and_codes_are_switches(moment: Moment, server: KakaoSandbox) -> None:
    assert failure(moment.upload("POST", "", {"title": "고객"}, [("a.csv", ids(1))])) == (400, -2, None)
    assert failure(moment.upload("POST", "", {"name": "고객"}, [("a.csv", ids(1))], "csv")) == (400, -813, 99001)
    server.change(shape={"name": "title", "file": "csv", "details": {"name": 12}})
    assert moment.upload("POST", "", {"title": "고객"}, [("a.csv", ids(1))], "csv").json()["name"] == "고객"
    assert failure(moment.upload("POST", "", {"title": ""}, [("a.csv", ids(1))], "csv")) == (400, -813, 12)
    assert failure(moment.upload("POST", "", {"title": "고객"}, [("a.csv", b"")], "csv")) == (400, -813, 99006)


@pytest.mark.parametrize("kind", ["text/csv", "multipart/form-data", "multipart/form-data; boundary=x"])
def test_c5_a_body_that_is_no_form_is_refused(moment: Moment, kind: str) -> None:
    assert failure(moment.ask("POST", data=ids(3), headers={"Content-Type": kind})) == (400, -2, None)


@pytest.mark.parametrize(("write", "expected"), [("id", {"id"}), ("object", FIELDS), ("array", FIELDS), ("empty", None)])
def test_c6_what_a_register_answers_is_a_switch(
    moment: Moment, server: KakaoSandbox, write: str, expected: set[str] | None
) -> None:
    server.change(answers={"write": write})
    answer = moment.register()
    assert answer.status_code == 200
    (file,) = moment.listed()
    if expected is None:
        assert answer.content == b""
        return
    body: Any = answer.json()[0] if write == "array" else answer.json()
    assert (set(body), body["id"]) == (expected, file["id"])


def test_c6_extraction_ends_by_the_clock(moment: Moment, server: KakaoSandbox) -> None:
    upper = ids(20).upper()
    number = moment.new("고객", ids(100) + upper + b"adid\n\n" + ZERO + ids(1, 500)[:-1])
    server.advance(3590)
    before = moment.one(number)
    assert (before["customerFileStatus"], before["ready"], before["populationScore"]) == ("WAITING", False, None)
    server.advance(11)
    after = moment.one(number)
    assert (after["customerFileStatus"], after["ready"]) == ("COMPLETE", True)
    assert after["populationScore"] == round(101 * 0.5)
    assert seconds(after["populationUpdateDate"]) - seconds(after["createdDate"]) == timedelta(hours=1)
    assert after["lastModifiedDate"] == after["createdDate"]
    (file,) = server.files()
    assert (file["lines"], file["valid"], file["unique"]) == (123, 121, 101)


def test_c6_population_before_the_end_and_its_ratio_are_switches(moment: Moment, server: KakaoSandbox) -> None:
    server.change(answers={"population_before": "absent"}, ids={"match_ratio": 0.31}, states={"complete_seconds": 0})
    assert "populationScore" not in moment.register().json()
    assert moment.listed()[0]["populationScore"] == 3


@pytest.mark.parametrize(
    ("switch", "content", "valid"),
    [
        ({"case": "lower"}, b"ABCDEF01-1111-4222-8333-000000000001\n" + ids(1), 1),
        ({"case": "upper"}, b"ABCDEF01-1111-4222-8333-000000000001\nabcdef01-1111-4222-8333-000000000001\n", 1),
        ({"all_zero": True}, ZERO, 1),
        ({"line_ends": "any"}, ids(3).replace(b"\n", b"\r\n") + ids(1, 7), 4),
    ],
)
def test_c6_which_lines_count_is_a_switch(
    moment: Moment, server: KakaoSandbox, switch: dict[str, Any], content: bytes, valid: int
) -> None:
    server.change(ids=switch)
    number = moment.new("고객", content)
    assert [(one["id"], one["valid"], one["unique"]) for one in server.files()] == [(number, valid, valid)]


def test_c6_a_line_without_an_end_is_no_id_and_what_follows_counts(moment: Moment, server: KakaoSandbox) -> None:
    server.change(limits={"megabytes": 5})
    moment.new("고객", b"a" * 3_000_000 + b"\n" + ids(5) + b"b" * 1_500_000)
    (file,) = server.files()
    assert (file["valid"], file["unique"], file["parts"][0]["bytes"]) == (5, 5, 4_500_001 + 5 * 37)


def test_c6_real_seconds_do_without_a_test_that_advances(moment: Moment, server: KakaoSandbox) -> None:
    server.change(states={"complete_seconds": 0.3})
    number = moment.new()
    assert moment.one(number)["customerFileStatus"] == "WAITING"
    time.sleep(0.4)
    assert moment.one(number)["customerFileStatus"] == "COMPLETE"


def test_c7_an_edit_replaces_everything(moment: Moment, server: KakaoSandbox) -> None:
    number = moment.complete("고객", ids(100))
    before = moment.one(number)
    answer = moment.edit(number, ids(10, 1_000))
    assert answer.status_code == 200
    now = moment.one(number)
    assert answer.json() == now
    assert (now["customerFileStatus"], now["ready"], now["populationScore"]) == ("MODIFYING", True, 50)
    assert now["adidListKey"] != before["adidListKey"]
    assert seconds(now["createdDate"]) > seconds(before["createdDate"])
    assert now["lastModifiedDate"] == before["lastModifiedDate"], "it is of the last edit that ended"
    server.advance(3600)
    after = moment.one(number)
    assert (after["customerFileStatus"], after["ready"], after["populationScore"]) == ("COMPLETE", True, 5)
    assert (after["adidListKey"], after["name"]) == (now["adidListKey"], "고객")
    assert after["originalCreatedDate"] == before["originalCreatedDate"]
    assert seconds(after["lastModifiedDate"]) - seconds(after["createdDate"]) == timedelta(hours=1)
    assert server.content(number) == ids(10, 1_000).decode().split()


def test_c7_a_file_is_edited_only_when_its_state_allows_it(moment: Moment, server: KakaoSandbox) -> None:
    number = moment.new()
    assert failure(moment.edit(number, ids(1))) == (400, -813, 99011)
    server.advance(3600)
    assert moment.edit(number, ids(1)).status_code == 200
    assert failure(moment.edit(number, ids(2))) == (400, -813, 99011)
    server.change(states={"edit_from": ["MODIFYING"]})
    assert moment.edit(number, ids(2)).status_code == 200
    assert failure(moment.edit(999, ids(1))) == (400, -813, 21006)


def test_c7_the_old_population_may_be_out_of_use_meanwhile(moment: Moment, server: KakaoSandbox) -> None:
    server.change(states={"ready_while_modifying": False})
    number = moment.complete()
    moment.edit(number, ids(1))
    assert moment.one(number)["ready"] is False


def test_c7_the_route_is_a_switch_and_a_name_may_come_along(moment: Moment, server: KakaoSandbox) -> None:
    server.change(shape={"edit": "POST"})
    number = moment.complete()
    assert failure(moment.edit(number, ids(1))) == (400, -3, None)
    assert failure(moment.upload("POST", f"/{number}", {"name": ""}, [("a.csv", ids(1))])) == (400, -813, 99008)
    assert moment.upload("POST", f"/{number}", {"name": "새 이름"}, [("a.csv", ids(1))]).json()["name"] == "새 이름"


def test_c7_an_edit_that_breaks_a_rule_changes_nothing(moment: Moment, server: KakaoSandbox) -> None:
    number = moment.complete("고객", ids(3))
    before = moment.one(number)
    assert failure(moment.edit(number, b"nothing\n")) == (400, -813, 99007)
    assert moment.one(number) == before
    assert server.content(number) == ids(3).decode().split()


def test_c8_one_file_is_deleted_and_then_there_is_none(moment: Moment, server: KakaoSandbox) -> None:
    number = moment.complete()
    answer = moment.ask("DELETE", f"/{number}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert failure(moment.ask("DELETE", f"/{number}")) == (400, -813, 21006)
    assert failure(moment.ask("GET", f"/usages/{number}")) == (400, -813, 21006)
    server.change(answers={"delete": "object"})
    assert moment.ask("DELETE", f"/{moment.new()}").json() == {}


@pytest.mark.parametrize("place", ["query", "body"])
def test_c8_many_are_deleted_or_none(moment: Moment, server: KakaoSandbox, place: str) -> None:
    server.change(shape={"delete_many": place})

    def delete(*numbers: int) -> requests.Response:
        if place == "query":
            return moment.ask("DELETE", params={"ids": ",".join(map(str, numbers))})
        return moment.ask("DELETE", json={"ids": list(numbers)})

    first, second, third = (moment.new(f"고객 {number}") for number in range(3))
    assert failure(delete(first, 999)) == (400, -813, 21006)
    assert failure(delete()) == (400, -2, None)
    assert delete(first, third).status_code == 200
    assert [one["id"] for one in moment.listed()] == [second]


def test_c8_a_file_in_use_stays_unless_the_switch_lets_it_go(moment: Moment, server: KakaoSandbox) -> None:
    number = moment.complete()
    assert moment.ask("GET", f"/usages/{number}").json() == []
    server.use(number, 77, "EXCLUDE")
    assert moment.ask("GET", f"/usages/{number}").json() == [{"adGroupId": 77, "inclusionType": "EXCLUDE"}]
    assert failure(moment.ask("DELETE", f"/{number}")) == (400, -813, 99010)
    assert moment.listed() != []
    server.change(states={"delete_in_use": True})
    assert moment.ask("DELETE", f"/{number}").status_code == 200
    server.change(states={"delete_in_use": False})
    free = moment.complete()
    server.use(free, 78)
    server.use(free, None)
    assert moment.ask("DELETE", f"/{free}").status_code == 200
