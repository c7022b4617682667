"""``activation check`` of a pipeline into an ad account of Kakao Moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from activation.cli import main
from activation.destinations.kakao_moment.register import register
from activation.hooks.kakao_moment import KakaoMomentHook
from sandbox.kakao import KakaoSandbox
from tests.destinations.kakao_moment.support import planned


@pytest.fixture(scope="module")
def kakao() -> Iterator[KakaoSandbox]:
    with KakaoSandbox(limits={"write_seconds": 0}) as server:
        yield server


@pytest.fixture
def folder(kakao: KakaoSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRFLOW_CONN_KAKAO", kakao.connection())
    monkeypatch.setenv("AIRFLOW_CONN_WRONG", kakao.connection(table={"limits": {"files_per_account": 1}}))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "dags" / "pipelines"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, **fields: str) -> None:
    given = {"connection": "kakao", "ad_account_id": "12345", "mode": "register", "file_name": "VIP"} | fields
    lines = "".join(f"  {key}: {value}\n" for key, value in given.items())
    text = f"source: {{type: duckdb, connection: w, table: crm.ids}}\ndestination:\n  type: kakao_moment\n{lines}"
    (folder / "vip.yaml").write_text(text, encoding="utf-8")


def test_what_is_checked_before_the_first_upload(
    kakao: KakaoSandbox, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder)
    assert main(["check", "vip"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        f"ok       connection: {kakao.url} knows the token; the ad account 12345 has 0 files",
        "ok       room: 50 of 50 customer files are free",
        "ok       name: 'VIP' is free",
    ]

    async def make() -> int:
        async with KakaoMomentHook("kakao").get_conn() as client:
            made = await register(client, planned(tmp_path, "VIP", 5), [], lambda items: None)
        return made[0].id or 0

    number = asyncio.run(make())
    write(folder, mode="edit")
    assert main(["check", "vip"]) == 0
    assert f"ok       name: 'VIP' is the file {number}, WAITING\n" in capsys.readouterr().out
    write(folder, connection="wrong")
    assert main(["check", "vip"]) == 1
    out = capsys.readouterr().out
    assert "WRONG    room: the ad account has 1 of 1 customer files; delete some in Kakao Moment\n" in out
    assert f"WRONG    name: there already is a customer file of that name: 'VIP' ({number}, WAITING); write mode: edit" in out
    write(folder, file_name="'VIP {{ ds }}'")
    assert main(["check", "vip"]) == 0
    assert "skipped  name: destination.file_name is a template" in capsys.readouterr().out
    assert kakao.calls()["register"] == 1


def test_a_foreign_account_ends_the_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, ad_account_id="99999")
    assert main(["check", "vip"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("WRONG    connection: Kakao Moment refused to list the customer files of the ad account 99999: 403")
    assert len(out) == 2


def test_a_folder_is_not_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, output="{to: folder, path: 'file:///tmp/x'}", connection="kakao_default")
    assert main(["check", "vip"]) == 2
    assert "The pipeline writes its files to a folder, for which Kakao is not asked." in capsys.readouterr().err
