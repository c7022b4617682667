"""What earlier runs have left: parts of a larger list, and files of other names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.files import CustomerFile
from activation.destinations.kakao_moment.leftovers import Leftover, remove_earlier, stale_parts
from activation.destinations.kakao_moment.register import register
from activation.destinations.kakao_moment.registered import Registered
from sandbox.kakao import KakaoSandbox
from tests.destinations.kakao_moment.support import Memory, planned, talk


@pytest.fixture
def made(kakao: KakaoSandbox, tmp_path: Path) -> Sequence[Registered]:
    """VIP to VIP_3 of an earlier list, and files that only look like parts."""
    files = planned(tmp_path, "VIP", 5, 5, 5, 5)
    more = [planned(tmp_path, name, 5)[0] for name in ("VIP_2026", "VIP_x", "VIPS_2")]
    made = talk(kakao, lambda client: register(client, [*files, *more], [], Memory().keep))
    return made[:4]


def tidy(kakao: KakaoSandbox, made: Sequence[Registered], *, delete: bool, token: str = "") -> list[Leftover]:
    return talk(kakao, lambda client: stale_parts(client, "VIP", made, delete=delete), token=token)


def test_63_parts_beyond_those_of_the_run_are_reported(kakao: KakaoSandbox, made: Sequence[Registered]) -> None:
    assert tidy(kakao, made[:2], delete=False) == [Leftover(each.name, each.id or 0, "left") for each in made[2:]]
    assert tidy(kakao, made, delete=False) == []
    assert len(kakao.files()) == 7


def test_63_c8_they_are_deleted_if_asked_to_but_not_what_targeting_uses(kakao: KakaoSandbox, made: Sequence[Registered]) -> None:
    kakao.use(made[2].id or 0, 77)
    found = tidy(kakao, made[:1], delete=True)
    assert [(each.name, each.became) for each in found] == [("VIP_1", "deleted"), ("VIP_2", "in_use"), ("VIP_3", "deleted")]
    kakao.advance(3600)
    assert [each["name"] for each in kakao.files()] == ["VIP", "VIP_2", "VIP_2026", "VIP_x", "VIPS_2"]


def test_c3_without_the_right_to_delete_it_is_told_and_the_run_goes_on(kakao: KakaoSandbox, made: Sequence[Registered]) -> None:
    (found,) = tidy(kakao, made[:3], delete=True, token=kakao.mint(scopes=["moment_management"]))
    assert (found.name, found.became) == ("VIP_3", "failed")
    assert "The consent lacks moment_delete. A person must consent again: activation kakao-login kakao" in found.why


def test_a_delete_whose_answer_was_lost_is_seen_in_the_list(kakao: KakaoSandbox, made: Sequence[Registered]) -> None:
    kakao.faults([{"do": "lost", "how": "reset", "operation": "delete"}])
    (found,) = tidy(kakao, made[:3], delete=True)
    assert (found.became, kakao.calls()["delete"]) == ("deleted", 1)


def remove(kakao: KakaoSandbox, made: Sequence[Registered], own: Sequence[Registered], generation: str = "") -> list[Leftover]:
    earlier = {(generation or each.generation, each.id or 0) for each in made}
    return talk(kakao, lambda client: remove_earlier(client, earlier, own))


def test_63_files_of_earlier_runs_go_by_their_ids_but_not_what_targeting_uses(
    kakao: KakaoSandbox, made: Sequence[Registered]
) -> None:
    kakao.use(made[1].id or 0, 77)
    found = remove(kakao, made[:3], made[2:])
    assert [(each.name, each.became) for each in found] == [("VIP", "deleted"), ("VIP_1", "in_use")]
    kakao.advance(3600)
    assert remove(kakao, made[:1], []) == []  # it is gone
    assert [each["name"] for each in kakao.files()] == ["VIP_1", "VIP_2", "VIP_3", "VIP_2026", "VIP_x", "VIPS_2"]


def test_a_number_of_the_other_generation_is_another_file(kakao: KakaoSandbox, made: Sequence[Registered]) -> None:
    assert remove(kakao, made, [], "customer_data") == []
    assert {"usages", "delete"}.isdisjoint(kakao.calls())


def test_a_file_that_somebody_deletes_meanwhile_is_no_failure(
    kakao: KakaoSandbox, made: Sequence[Registered], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Client.is_used

    async def meanwhile(client: Client, file: CustomerFile) -> bool:
        used = await ask(client, file)
        await client.delete(file)
        return used

    monkeypatch.setattr(Client, "is_used", meanwhile)
    assert [(each.name, each.became) for each in remove(kakao, made[:1], [])] == [("VIP", "deleted")]
    assert kakao.calls()["delete"] == 2


@pytest.mark.parametrize("operation", ["usages", "delete"])
def test_a_file_that_cannot_be_deleted_stays_and_is_told(kakao: KakaoSandbox, made: Sequence[Registered], operation: str) -> None:
    kakao.faults([{"do": "error", "code": -5, "operation": operation, "requests": 1}])
    found = remove(kakao, made[:2], [])
    assert [each.became for each in found] == ["failed", "deleted"]
    assert f"({made[0].id})" in found[0].why
