"""What is checked of an ad account for an edit by id; the rest of the check is tested by the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from activation.destinations.kakao_moment.checks import check
from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.register import register
from activation.findings import Verdict
from sandbox.kakao import KakaoSandbox
from tests.destinations.kakao_moment.support import Memory, account, planned, talk


@pytest.mark.parametrize("name", ["Another", None])
def test_the_file_of_an_id_is_looked_for_whatever_the_name(kakao: KakaoSandbox, tmp_path: Path, name: str | None) -> None:
    (made,) = talk(kakao, lambda client: register(client, planned(tmp_path, "VIP", 5), [], Memory().keep))
    assert made.id is not None
    found = list(check(lambda: Client(account(kakao)), mode="edit", name=name, number=made.id))
    assert [(one.verdict, one.name) for one in found] == [(Verdict.OK, "connection"), (Verdict.OK, "id")]
    assert found[1].text == f"{made.id} is the file 'VIP', WAITING"
    found = list(check(lambda: Client(account(kakao)), mode="edit", name=name, number=made.id + 1))
    assert found[1].verdict is Verdict.WRONG
    assert f"has no customer file {made.id + 1}." in found[1].text and "Correct destination.file.id" in found[1].text
