"""Registers of customer files against the contract's server: split, cap, lost answers, retries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.register import register
from activation.destinations.kakao_moment.registered import Registered
from activation.errors import ConfigurationError, FatalError, TransientError
from sandbox.kakao import KakaoSandbox
from tests.destinations.kakao_moment.support import Memory, ids, planned, talk


def send(kakao: KakaoSandbox, files: Any, memory: Memory, **more: Any) -> list[Registered]:
    return talk(kakao, lambda client: register(client, files, memory.last, memory.keep), **more)


def names(kakao: KakaoSandbox) -> list[str]:
    return [each["name"] for each in kakao.files()]


def test_c5_c6_a_list_becomes_numbered_files_with_exactly_its_ids(kakao: KakaoSandbox, tmp_path: Path) -> None:
    memory = Memory()
    made = send(kakao, planned(tmp_path, "VIP", 30, 30, 7), memory)
    assert names(kakao) == ["VIP", "VIP_1", "VIP_2"] == [each.name for each in made]
    assert [each.id for each in made] == [each["id"] for each in kakao.files()]
    received = [kakao.content(each.id or 0) for each in made]
    assert received == [ids(30), ids(30, 1000), ids(7, 2000)]
    assert [each.state for each in memory.last] == ["sent"] * 3
    assert kakao.calls()["register"] == 3


def test_63_several_parts_go_in_one_request_where_that_is_allowed(kakao: KakaoSandbox, tmp_path: Path) -> None:
    from activation.destinations.kakao_moment.plan import plan
    from activation.destinations.kakao_moment.table import TABLE
    from tests.destinations.kakao_moment.support import csv

    files = plan("VIP", [csv(tmp_path, 5, 1000 * number) for number in range(12)], TABLE.limits)
    made = send(kakao, files, Memory())
    assert [len(each["parts"]) for each in kakao.files()] == [10, 2]
    assert sorted(kakao.content(made[0].id or 0)) == sorted(one for number in range(10) for one in ids(5, 1000 * number))
    assert [each.ids for each in made] == [50, 10]


@pytest.mark.parametrize("answer", ["object", "id", "array", "empty"])
def test_c6_the_id_is_found_whatever_a_register_answers(kakao: KakaoSandbox, tmp_path: Path, answer: str) -> None:
    kakao.change(answers={"write": answer})
    made = send(kakao, planned(tmp_path, "고객 VIP", 5, 5), Memory())
    assert [each.id for each in made] == [each["id"] for each in kakao.files()]


@pytest.mark.parametrize("how", ["silent", "reset"])
def test_c10_a_register_whose_answer_was_lost_is_not_repeated(kakao: KakaoSandbox, tmp_path: Path, how: str) -> None:
    kakao.faults([{"do": "lost", "how": how, "operation": "register", "after": 1}])
    made = send(kakao, planned(tmp_path, "VIP", 5, 5, 5), Memory(), pace={"idle_seconds": 1})
    assert names(kakao) == ["VIP", "VIP_1", "VIP_2"]
    assert [each.id for each in made] == [each["id"] for each in kakao.files()]
    assert kakao.calls()["register"] == 3


def test_an_older_file_of_the_name_is_not_taken_for_the_lost_one(kakao: KakaoSandbox, tmp_path: Path) -> None:
    files = planned(tmp_path, "VIP", 5)
    (old,) = send(kakao, files, Memory())
    kakao.faults([{"do": "http", "status": 500, "operation": "register"}])
    (new,) = send(kakao, files, Memory(), limits={"names_unique": False})
    assert new.id != old.id
    assert len(kakao.files()) == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "http", "status": 500},
        {"do": "http", "status": 408},
        {"do": "error", "code": -9798},
        {"do": "error", "code": -1},
        {"do": "error", "code": -603},
        {"do": "error", "code": -10},
        {"do": "error", "code": -813, "status": 429},
        {"do": "envelope_200", "code": -1},
        {"do": "reset_before"},
        {"do": "reset_upload", "bytes": 10},
    ],
    ids=str,
)
def test_c10_what_may_pass_is_repeated_and_makes_one_file(kakao: KakaoSandbox, tmp_path: Path, fault: dict[str, Any]) -> None:
    kakao.faults([{**fault, "operation": "register", "requests": 2}])
    send(kakao, planned(tmp_path, "VIP", 5), Memory())
    assert names(kakao) == ["VIP"]
    assert kakao.calls()["register"] == 3


@pytest.mark.parametrize(
    ("fault", "problem", "fix"),
    [
        ({"do": "error", "code": -2}, "Kakao Moment refused to register 'VIP': 400, code -2", "docs/kakao.md"),
        ({"do": "error", "code": -813, "detail": 9004, "status": 403}, "detail code 9004", "a role in the ad account 12345"),
        ({"do": "error", "code": -401}, "401, code -401", "activation kakao-login kakao"),
        ({"do": "error", "code": -402}, "403, code -402", "activation kakao-login kakao"),
        ({"do": "error", "code": -5}, "403, code -5", "Ask Kakao to grant"),
        ({"do": "envelope_200", "code": -813, "detail": 21500}, "detail code 21500", "Wait until the file is COMPLETE"),
        ({"do": "envelope_200", "variant": "extras"}, "Kakao Moment refused to register 'VIP'", "docs/kakao.md"),
    ],
    ids=str,
)
def test_what_cannot_pass_is_not_repeated_and_names_its_remedy(
    kakao: KakaoSandbox, tmp_path: Path, fault: dict[str, Any], problem: str, fix: str
) -> None:
    kakao.faults([{**fault, "operation": "register"}])
    with pytest.raises(ConfigurationError) as raised:
        send(kakao, planned(tmp_path, "VIP", 5), Memory())
    assert problem in raised.value.problem
    assert fix in raised.value.fix
    assert kakao.calls()["register"] == 1
    assert kakao.token not in str(raised.value)


def test_a_task_that_dies_after_an_upload_goes_on_behind_it(kakao: KakaoSandbox, tmp_path: Path) -> None:
    files, memory = planned(tmp_path, "VIP", 5, 5, 5), Memory()

    class Died(Exception):
        pass

    def dies(items: Any) -> None:
        if sum(each.state == "sent" for each in items) == 2:  # the second is there, but that is not kept any more
            raise Died
        memory.keep(items)

    with pytest.raises(Died):
        talk(kakao, lambda client: register(client, files, [], dies))
    assert [each.state for each in memory.last] == ["sent", "sending", "planned"]
    made = send(kakao, files, memory)
    assert names(kakao) == ["VIP", "VIP_1", "VIP_2"]
    assert [each.id for each in made] == [each["id"] for each in kakao.files()]


def test_a_finished_list_is_not_sent_again_even_if_its_ids_changed_meanwhile(kakao: KakaoSandbox, tmp_path: Path) -> None:
    memory = Memory()
    made = send(kakao, planned(tmp_path, "VIP", 5, 5), memory)
    assert send(kakao, planned(tmp_path, "VIP", 6, 6), memory) == made
    assert kakao.calls()["register"] == 2


def test_half_a_list_is_not_completed_with_other_ids(kakao: KakaoSandbox, tmp_path: Path) -> None:
    memory = Memory()
    kakao.faults([{"do": "http", "status": 503, "operation": "register", "after": 1, "requests": None}])
    with pytest.raises(TransientError):
        send(kakao, planned(tmp_path, "VIP", 5, 5), memory, pace={"tries": 2})
    kakao.clear_faults()
    with pytest.raises(FatalError, match=r"An earlier attempt has registered 'VIP' \(\d+\), 1 of 2 files of another list"):
        send(kakao, planned(tmp_path, "VIP", 6, 6), memory)
    assert names(kakao) == ["VIP"]


def test_nothing_sent_begins_anew_with_other_ids(kakao: KakaoSandbox, tmp_path: Path) -> None:
    memory = Memory()
    kakao.faults([{"do": "http", "status": 503, "operation": "register", "requests": 2}])
    with pytest.raises(TransientError):
        send(kakao, planned(tmp_path, "VIP", 5, 5), memory, pace={"tries": 2})
    send(kakao, planned(tmp_path, "VIP", 6), memory)
    assert [each["lines"] for each in kakao.files()] == [6]


def test_63_the_cap_is_checked_before_the_first_upload(kakao: KakaoSandbox, tmp_path: Path) -> None:
    send(kakao, planned(tmp_path, "OLD", 5, 5), Memory())
    with pytest.raises(ConfigurationError) as raised:
        send(kakao, planned(tmp_path, "VIP", 5, 5), Memory(), limits={"files_per_account": 3})
    assert raised.value.problem.startswith(
        "The run needs 2 customer files, but the ad account 12345 has 2 of 3: 'OLD' (",
    )
    assert kakao.calls()["register"] == 2
    send(kakao, planned(tmp_path, "VIP", 5), Memory(), limits={"files_per_account": 3})
    assert len(kakao.files()) == 3


def test_a_name_that_is_taken_is_refused_before_the_first_upload(kakao: KakaoSandbox, tmp_path: Path) -> None:
    send(kakao, planned(tmp_path, "VIP_1", 5), Memory())
    with pytest.raises(ConfigurationError, match=r"There already is a customer file of that name: 'VIP_1' \(\d+, WAITING\)"):
        send(kakao, planned(tmp_path, "VIP", 5, 5), Memory())
    assert kakao.calls()["register"] == 1


def test_c13_auto_goes_on_with_the_newer_generation_and_stays_there(kakao: KakaoSandbox, tmp_path: Path) -> None:
    kakao.change(generation="retired")

    async def twice(client: Client) -> str:
        await register(client, planned(tmp_path, "VIP", 5), [], Memory().keep)
        await client.files()
        return client.generation

    assert talk(kakao, twice) == "customer_data"
    assert [each["generation"] for each in kakao.requests()] == ["customerFiles"] + ["customerData"] * 3
    assert names(kakao) == ["VIP"]


def test_c13_a_generation_that_was_chosen_is_not_left(kakao: KakaoSandbox, tmp_path: Path) -> None:
    kakao.change(generation="retired")
    with pytest.raises(ConfigurationError, match="shut down") as raised:
        send(kakao, planned(tmp_path, "VIP", 5), Memory(), generation="customer_files")
    assert raised.value.fix == "Set destination.output.api to the other one of customer_files and customer_data, or to auto."


def test_c12_the_newer_generation_alone(kakao: KakaoSandbox, tmp_path: Path) -> None:
    kakao.change(generation="customer_data")
    (made,) = send(kakao, planned(tmp_path, "VIP", 5), Memory(), generation="customer_data")
    assert made.generation == "customer_data"
    assert kakao.content(made.id or 0) == ids(5)


def test_the_memory_of_a_run_is_plain_json(kakao: KakaoSandbox, tmp_path: Path) -> None:
    import json

    memory = Memory()
    send(kakao, planned(tmp_path, "VIP", 5), memory)
    assert json.loads(json.dumps(memory.states)) == memory.states
    assert kakao.token not in json.dumps(memory.states)
