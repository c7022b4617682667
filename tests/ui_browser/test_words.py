"""The page's texts."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

from tests.ui_browser.host import BUNDLE, ROOT

WORDS = ROOT / "plugins" / "activation" / "ui" / "source" / "words"


def _words(language: str) -> dict[str, str]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), "a word stands there twice"
        return dict(pairs)

    found: dict[str, str] = json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"), object_pairs_hook=once)
    return found


def test_both_languages_have_the_same_words_with_the_same_values() -> None:
    english, korean = _words("en"), _words("ko")
    assert list(english) == list(korean)
    for word, text in english.items():
        assert text
        assert korean[word]
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", korean[word])), word


def test_every_word_is_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in WORDS.parent.glob("*.ts*"))
    built = {f"state_{state}" for state in ("success", "failed", "running", "queued")}
    built |= {f"mode_{mode}" for mode in ("incremental", "full", "replay", "run")}
    built |= {f"ran_{mode}" for mode in ("incremental", "full", "replay", "run", "preview", "check", "reset")}
    built |= {f"data_{data}" for data in ("attributes", "events", "purchases", "deletes", "catalog_items")}
    built |= {f"data_{data}" for data in ("event", "user_profile", "profiles", "advertising_ids")}
    built |= {f"checked_{check}" for check in ("source", "table", "connection", "destination")}
    statuses = {"Active", "Paused", "Ended", "Failed", "Extracting", "Completed", "Inactive"}
    assert [word for word in _words("en") if word not in built | statuses and not re.search(rf'"{word}"', source)] == []


def test_the_bundle_is_small_and_brings_no_react() -> None:
    content = BUNDLE.read_bytes()
    assert len(gzip.compress(content)) < 300_000
    assert b"react.production" not in content
    assert b"Minified React error" not in content
