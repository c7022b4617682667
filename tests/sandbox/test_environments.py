"""A server's environment is made once, and whoever wants to know is told while it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import environments


def test_an_environment_is_made_once_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    def uv(*arguments: str) -> None:
        ran.append(arguments)
        if arguments[0] == "venv":
            Path(arguments[-1]).mkdir()

    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    monkeypatch.setattr(environments, "_uv", uv)
    requirements = tmp_path / "requirements.txt"
    pins = ("a==1", "b==2 ; python_version < '3.11'")
    requirements.write_text("".join(f"{pin} \\\n    --hash=sha256:0\n" for pin in pins), encoding="utf-8")
    told: list[str] = []
    with environments.telling(told.append):
        python = environments.environment("server", requirements)
    assert told == ["installing 2 packages for server; only the first time, a minute or two", "installed after 0 s"]
    assert python.parts[-2:] == ("bin", "python")
    with environments.telling(told.append):
        assert environments.environment("server", requirements) == python
    assert len(told) == len(ran) == 2
