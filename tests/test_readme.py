"""What the README shows is what the package does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from activation.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The first code block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found[1]


def test_the_pipeline_file_is_good(tmp_path: Path) -> None:
    (tmp_path / "users_to_braze.yaml").write_text(block("yaml"), encoding="utf-8")
    assert main(["validate", str(tmp_path)]) == 0


def test_the_message_is_the_one_that_validate_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dags" / "pipelines").mkdir(parents=True)
    text = block("yaml").replace("table:", "tabel:")
    (tmp_path / "dags" / "pipelines" / "users_to_braze.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["validate"]) == 1
    assert block("text") in capsys.readouterr().out


def test_every_link_leads_somewhere() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name}: {link}"
