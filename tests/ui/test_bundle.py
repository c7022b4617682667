"""The files of the React app: how they are served, and what is said where they were not built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BUILT = "/activation/static/main.js"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a built app."""
    from activation.ui import bundle

    (tmp_path / "main.js").write_text("globalThis.Activation = 1;", encoding="utf-8")
    (tmp_path / "main.css").write_text("a {}", encoding="utf-8")
    (tmp_path.parent / "secret.js").write_text("secret", encoding="utf-8")
    monkeypatch.setattr(bundle, "STATIC", tmp_path)
    return tmp_path


def test_the_app_is_javascript_that_the_browser_asks_for_again(built: Path, clients: dict[str, Any]) -> None:
    first = clients["reader"].get(BUILT)
    assert (first.status_code, first.text) == (200, "globalThis.Activation = 1;")
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["cache-control"] == "private, no-cache"
    again = clients["reader"].get(BUILT, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    (built / "main.js").write_text("globalThis.Activation = 2;", encoding="utf-8")
    changed = clients["reader"].get(BUILT, headers={"If-None-Match": first.headers["etag"]})
    assert (changed.status_code, changed.text) == (200, "globalThis.Activation = 2;")
    assert clients["reader"].get("/activation/static/main.css").headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("name", ["other.js", "%2e%2e%2fsecret.js", "..%2fsecret.js", ".hidden.js", "main.py", "main"])
def test_nothing_else_is_served(name: str, built: Path, clients: dict[str, Any]) -> None:
    answer = clients["admin"].get(f"/activation/static/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace("secret.js", "")


def test_an_app_that_was_not_built_says_so(built: Path, clients: dict[str, Any]) -> None:
    (built / "main.js").unlink()
    answer = clients["reader"].get(BUILT)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "The Pipelines page was not built: run make, or install the wheel."
