"""Parts that an earlier and larger list has left behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from activation.destinations.kakao_moment.register import register
from activation.destinations.kakao_moment.registered import Registered
from activation.destinations.kakao_moment.stale import Stale, stale_parts
from sandbox.kakao import KakaoSandbox
from tests.destinations.kakao_moment.support import Memory, planned, talk


@pytest.fixture
def made(kakao: KakaoSandbox, tmp_path: Path) -> Sequence[Registered]:
    """VIP to VIP_3 of an earlier list, and files that only look like parts."""
    files = planned(tmp_path, "VIP", 5, 5, 5, 5)
    more = [planned(tmp_path, name, 5)[0] for name in ("VIP_2026", "VIP_x", "VIPS_2")]
    made = talk(kakao, lambda client: register(client, [*files, *more], [], Memory().keep))
    return made[:4]


def tidy(kakao: KakaoSandbox, made: Sequence[Registered], *, delete: bool, token: str = "") -> list[Stale]:
    return talk(kakao, lambda client: stale_parts(client, "VIP", made, delete=delete), token=token)


def test_63_parts_beyond_those_of_the_run_are_reported(kakao: KakaoSandbox, made: Sequence[Registered]) -> None:
    assert tidy(kakao, made[:2], delete=False) == [Stale(each.name, each.id or 0, "left") for each in made[2:]]
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
