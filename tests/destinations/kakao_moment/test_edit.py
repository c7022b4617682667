"""Edits: which file is meant, when it can be edited, and that a retry does no harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from activation.destinations.kakao_moment.edit import edit
from activation.destinations.kakao_moment.register import register
from activation.destinations.kakao_moment.registered import Registered
from activation.errors import ConfigurationError, TransientError
from sandbox.kakao import KakaoSandbox
from tests.destinations.kakao_moment.support import Memory, ids, planned, talk

HOURS = 7 * 3600


def change(kakao: KakaoSandbox, files: Any, memory: Memory, wanted: str | int = "VIP", **more: Any) -> list[Registered]:
    return talk(kakao, lambda client: edit(client, wanted, files[0], memory.last, memory.keep), **more)


@pytest.fixture
def file(kakao: KakaoSandbox, tmp_path: Path) -> int:
    """A file VIP that is COMPLETE."""
    (made,) = talk(kakao, lambda client: register(client, planned(tmp_path, "VIP", 5), [], Memory().keep))
    kakao.advance(HOURS)
    assert made.id is not None
    return made.id


@pytest.mark.parametrize("by_id", [False, True])
def test_c7_an_edit_replaces_all_ids_and_keeps_the_file(kakao: KakaoSandbox, tmp_path: Path, file: int, by_id: bool) -> None:
    (before,) = kakao.files()
    memory = Memory()
    (made,) = change(kakao, planned(tmp_path, "VIP", 8), memory, file if by_id else "VIP")
    (after,) = kakao.files()
    assert (made.id, made.state, made.ids) == (file, "sent", 8)
    assert kakao.content(file) == ids(8)
    assert after["originalCreatedDate"] == before["originalCreatedDate"]
    assert [each[0]["state"] for each in memory.states] == ["sending", "sent"]


def test_61_no_file_of_the_name_lists_what_is_there(kakao: KakaoSandbox, tmp_path: Path, file: int) -> None:
    with pytest.raises(ConfigurationError) as raised:
        change(kakao, planned(tmp_path, "VIPs", 8), Memory(), "VIPs")
    assert raised.value.problem == (f"The ad account 12345 has no customer file 'VIPs'. There are: 'VIP' ({file}, COMPLETE).")
    assert raised.value.fix == "Correct destination.file_name, or make the file once with mode: register."


def test_63_an_id_that_there_is_not_names_the_key_of_the_id(kakao: KakaoSandbox, tmp_path: Path, file: int) -> None:
    with pytest.raises(ConfigurationError) as raised:
        change(kakao, planned(tmp_path, "VIP", 8), Memory(), file + 1)
    assert raised.value.problem == f"The ad account 12345 has no customer file {file + 1}. There are: 'VIP' ({file}, COMPLETE)."
    assert raised.value.fix == "Correct destination.file.id, or remove it to find the file by destination.file_name."


def test_63_a_file_that_is_edited_by_its_id_keeps_its_name(kakao: KakaoSandbox, tmp_path: Path, file: int) -> None:
    (made,) = change(kakao, planned(tmp_path, "Another", 8), Memory(), file)
    assert (made.id, made.name) == (file, "VIP")
    assert [each["name"] for each in kakao.files()] == ["VIP"]
    assert kakao.content(file) == ids(8)


def test_61_several_files_of_the_name_are_listed(kakao: KakaoSandbox, tmp_path: Path, file: int) -> None:
    files = planned(tmp_path, "VIP", 5)
    talk(kakao, lambda client: register(client, files, [], Memory().keep), limits={"names_unique": False})
    with pytest.raises(ConfigurationError, match=rf"has 2 customer files 'VIP': .*'VIP' \({file}, COMPLETE\)"):
        change(kakao, files, Memory())
    assert "edit" not in kakao.calls()


@pytest.mark.parametrize("state", ["WAITING", "MODIFYING"])
def test_24_a_file_that_kakao_is_busy_with_is_not_edited_but_a_retry_may(
    kakao: KakaoSandbox, tmp_path: Path, file: int, state: str
) -> None:
    kakao.set_status(file, state)
    with pytest.raises(TransientError, match=rf"still is busy with 'VIP' \({file}, {state}\)"):
        change(kakao, planned(tmp_path, "VIP", 8), Memory())
    assert "edit" not in kakao.calls()


def test_24_a_file_in_error_is_edited(kakao: KakaoSandbox, tmp_path: Path, file: int) -> None:
    kakao.set_status(file, "ERROR")
    change(kakao, planned(tmp_path, "VIP", 8), Memory())
    assert kakao.content(file) == ids(8)


def test_another_state_is_an_error_that_names_the_table(kakao: KakaoSandbox, tmp_path: Path, file: int) -> None:
    with pytest.raises(ConfigurationError, match=r"in the state COMPLETE, in which it cannot be edited.*states\.editable"):
        change(kakao, planned(tmp_path, "VIP", 8), Memory(), states={"editable": ["ERROR"]})


@pytest.mark.parametrize("how", ["silent", "reset"])
def test_c10_an_edit_whose_answer_was_lost_is_seen_in_the_list(kakao: KakaoSandbox, tmp_path: Path, file: int, how: str) -> None:
    kakao.faults([{"do": "lost", "how": how, "operation": "edit"}])
    (made,) = change(kakao, planned(tmp_path, "VIP", 8), Memory(), pace={"idle_seconds": 1})
    assert (made.id, kakao.calls()["edit"]) == (file, 1)
    assert kakao.content(file) == ids(8)


def test_an_edit_that_was_not_carried_out_is_repeated(kakao: KakaoSandbox, tmp_path: Path, file: int) -> None:
    kakao.faults([{"do": "http", "status": 502, "operation": "edit", "requests": 2}])
    change(kakao, planned(tmp_path, "VIP", 8), Memory())
    assert kakao.calls()["edit"] == 3
    assert kakao.content(file) == ids(8)


def test_a_task_that_dies_after_an_edit_does_not_repeat_it(kakao: KakaoSandbox, tmp_path: Path, file: int) -> None:
    files, memory = planned(tmp_path, "VIP", 8), Memory()
    change(kakao, files, memory)
    memory.states.pop()  # what is left is that it was about to be sent
    (made,) = change(kakao, files, memory)
    assert (made.id, made.state) == (file, "sent")
    assert change(kakao, files, memory) == [made]
    kakao.advance(HOURS)
    memory.states[:] = memory.states[:1]
    change(kakao, files, memory)
    assert kakao.calls()["edit"] == 1


def test_a_route_that_turns_out_otherwise_is_changed_in_the_table(kakao: KakaoSandbox, tmp_path: Path, file: int) -> None:
    kakao.change(shape={"edit": "POST", "name": "fileName", "file": "csv"})
    changed = {
        "customer_files": {"edit": "POST /openapi/v4/customerFiles/{id}"},
        "api": {"name_part": "fileName", "file_part": "csv"},
    }
    change(kakao, planned(tmp_path, "VIP", 8), Memory(), **changed)
    assert kakao.content(file) == ids(8)
