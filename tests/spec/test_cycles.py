"""Pipelines that wait for each other, or for nobody."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from activation.spec import load_file, load_folder
from activation.spec.cycles import circles, strangers
from activation.spec.models import Pipeline
from activation.spec.problems import Mark, SourceText
from activation.spec.values import Document, Place

FILE = """source: {{type: duckdb, connection: warehouse, table: crm.{name}}}
destination: {{type: braze, connection: braze, data: attributes}}
schedule: {{after: [{after}]}}
alerts: {{email: [crm@example.com]}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path()


def write(folder: Path, waits: dict[str, str]) -> None:
    for name, after in waits.items():
        text = FILE.format(name=name, after=after) if after else FILE.format(name=name, after="").replace("{after: []}", "null")
        (folder / f"{name}.yaml").write_text(text)


def told(folder: Path) -> dict[str, str]:
    return {path.stem: str(error) for path, error in load_folder(folder).broken.items()}


def test_two_pipelines_that_wait_for_each_other_are_both_told(folder: Path) -> None:
    write(folder, {"users": "orders", "orders": "items, users", "items": "", "reports": "orders"})
    fix = "Take one of these names out of the after of its follower, and let that one begin by the clock."
    assert told(folder) == {
        "orders": "orders.yaml:3:27: schedule.after[1] closes a circle, in which each pipeline waits for another one: "
        "orders → users → orders.\n"
        "    3 | schedule: {after: [items, users]}\n"
        "      |                           ^\n"
        f"        {fix}",
        "users": "users.yaml:3:20: schedule.after[0] closes a circle, in which each pipeline waits for another one: "
        "users → orders → users.\n"
        "    3 | schedule: {after: [orders]}\n"
        "      |                    ^\n"
        f"        {fix}",
    }


def test_the_shortest_way_round_is_told_to_each_that_is_on_it(folder: Path) -> None:
    write(folder, {"a": "c, d", "b": "a", "c": "b", "d": "a", "e": "f", "f": "g", "g": "e"})
    ways = {name: text.splitlines()[0].rpartition(": ")[2] for name, text in told(folder).items()}
    assert ways == {
        "a": "a → d → a.",
        "b": "b → c → a → b.",
        "c": "c → a → b → c.",
        "d": "d → a → d.",
        "e": "e → g → f → e.",
        "f": "f → e → g → f.",
        "g": "g → f → e → g.",
    }


def test_a_chain_and_a_diamond_are_no_circle(folder: Path) -> None:
    write(folder, {"a": "", "b": "a", "c": "a", "d": "b, c", "e": "d, a"})
    assert not told(folder)


def test_a_file_alone_knows_no_others(folder: Path) -> None:
    write(folder, {"users": "orders", "orders": "users"})
    assert load_file(folder / "users.yaml").schedule == "after orders"


def made(waits: dict[str, list[str]]) -> dict[str, tuple[Pipeline, Document]]:
    """Pipelines without files."""
    found = {}
    for name, after in waits.items():
        blocks = {
            "id": name,
            "source": {"type": "duckdb", "connection": "w", "table": f"crm.{name}"},
            "destination": {"type": "braze", "connection": "braze", "data": "attributes"},
            "schedule": {"after": after} if after else None,
        }
        mark = Mark(SourceText(f"{name}.yaml", ""), 1, 1)
        found[name] = (Pipeline.model_validate(blocks), Document(f"{name}.yaml", blocks, {(): Place(mark, mark)}))
    return found


def test_a_long_circle_is_shown_without_its_middle() -> None:
    count = 1_000
    read = made({f"p{number}": [f"p{(number - 1) % count}"] for number in range(count)})
    message = circles({name: read[name] for name in read if name != "p5"} | {"p5": read["p5"]})["p5"].message
    assert message.endswith(": p5 → p6 → p7 → p8 → p9 → p10 → p11 → p12 → … → p4 → p5.")


@pytest.mark.timeout(60)
def test_a_long_chain_is_looked_at_quickly() -> None:
    read = made({f"p{number}": [f"p{number - 1}"] if number else [] for number in range(2_000)})
    began = time.process_time()
    assert not circles(read)
    assert time.process_time() - began < 0.5


def test_a_name_that_no_pipeline_has() -> None:
    read = made({"users_import": [], "reports": ["users_import", "user_import"], "others": ["elsewhere"]})
    found = strangers(read, lambda name: name in read or name == "elsewhere", read)
    assert {name: (problem.message, problem.fix) for name, problem in found.items()} == {
        "reports": (
            "schedule.after[1] waits for user_import, but no pipeline has that id.",
            "Did you mean users_import? Name a pipeline by its id, which is the name of its file without .yaml.",
        )
    }
