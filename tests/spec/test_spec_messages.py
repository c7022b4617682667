"""The whole text of every message, kept in text files: a file's content, then ``>>>``, then what is told about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from activation.spec import PipelineFileError, load_file
from activation.spec.messages import suggest

ENVIRONMENT = {"TABLE": "users", "URI": "postgres://u:hunter2@h/db", "PRESET": "@never"}
_CASE = re.compile(r"=== (.*)\n((?:.|\n)*?)>>>\n((?:.|\n)*?)\n(?=\n===|\Z)")
TEXTS = [(Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("messages.txt", "messages_blocks.txt")]
CASES = [match.groups() for text in TEXTS for match in _CASE.finditer(text)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ``pipelines`` in the working directory, whose defaults name who is told, so that no case needs to."""
    monkeypatch.chdir(tmp_path)
    Path("pipelines").mkdir()
    Path("pipelines/_defaults.yaml").write_text("alerts: {email: [crm@example.com]}\n", encoding="utf-8")
    return Path("pipelines")


def told(path: Path) -> str:
    with pytest.raises(PipelineFileError) as raised:
        load_file(path, environment=ENVIRONMENT)
    return str(raised.value)


def test_the_table_is_complete() -> None:
    assert len(CASES) == sum(text.count("\n>>>\n") for text in TEXTS) >= 80
    assert len({name for name, *_ in CASES}) == len(CASES)
    assert len({content for _, content, _ in CASES}) == len(CASES)


@pytest.mark.parametrize("expected", [case[2] for case in CASES], ids=[case[0] for case in CASES])
def test_each_message_names_a_place_and_says_what_to_do(expected: str) -> None:
    """Of every problem: file, line and column, the line, the caret, the advice."""
    lines = expected.splitlines()
    while lines:
        place, source, caret, advice, *lines = lines
        assert re.match(r"pipelines/users\.yaml:[1-9][0-9]*:[1-9][0-9]*: .+\.$", place)
        assert re.match(r" {0,4}[0-9]+ \| ", source)
        assert re.fullmatch(r" {6}\| +\^", caret)
        assert re.match(r" {8}\S", advice)


@pytest.mark.parametrize(("content", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_message(folder: Path, content: str, expected: str) -> None:
    (folder / "users.yaml").write_text(content, encoding="utf-8")
    assert told(folder / "users.yaml") == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ": The file is empty.\n        Write a pipeline, or remove the file."),
        (b"# only a comment\n", ": The file is empty.\n        Write a pipeline, or remove the file."),
        (b"--- \n", ": The file is empty.\n        Write a pipeline, or remove the file."),
        (b" " * 262_145, ": The file is larger than 256 KB, which no pipeline needs."),
        (
            "owner: 고객\n".encode("cp949"),
            ":1:8: The file is not UTF-8: byte 0xb0 does not belong here.\n"
            "    1 | owner: \n      |        ^\n        Save the file in the encoding UTF-8.",
        ),
        (
            "owner: a\n".encode("utf-16"),
            ":1:1: The file is not UTF-8: byte 0xff does not belong here.\n"
            "    1 | \n      | ^\n        Save the file in the encoding UTF-8.",
        ),
        (
            b"\xef\xbb\xbfowner: a\x1b[31m\n",
            ":1:9: The control character U+001B stands in the file.\n"
            "    1 | owner: a�[31m\n      |         ^\n        Remove it.",
        ),
    ],
    ids=["empty", "comment", "nothing in it", "too large", "cp949", "utf-16", "control character"],
)
def test_message_about_bytes(folder: Path, content: bytes, expected: str) -> None:
    (folder / "users.yaml").write_bytes(content)
    assert told(folder / "users.yaml") == f"pipelines/users.yaml{expected}"


def test_message_about_a_file_that_cannot_be_read(folder: Path) -> None:
    (folder / "users.yaml").mkdir()
    assert told(folder / "users.yaml") == "pipelines/users.yaml: The file cannot be read: Is a directory."
    assert told(folder / "nobody.yaml") == "pipelines/nobody.yaml: The file cannot be read: No such file or directory."


def test_message_about_the_file_name(folder: Path) -> None:
    content = next(case[1] for case in CASES if case[0] == "unknown key").splitlines()[:2]
    (folder / "My Users.yaml").write_text("\n".join(content), encoding="utf-8")
    assert told(folder / "My Users.yaml") == (
        "pipelines/My Users.yaml: The file's name is not a pipeline id.\n"
        "        An id has 1 to 100 characters: a lower-case letter, then lower-case letters, digits and _."
    )


def test_long_line_is_cut_around_the_caret(folder: Path) -> None:
    (folder / "users.yaml").write_text(f"tags: [{'고객, ' * 100}1]\n", encoding="utf-8")
    line, caret = told(folder / "users.yaml").splitlines()[-3:-1]
    assert line == f"    1 | …{'고객, ' * 15}1]"
    assert caret == f"      | {' ' * (1 + 15 * 6)}^"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: " + "[" * 100_000, "The file is nested more than 32 levels deep."),
        ("a: " + "{a: " * 30_000, "The file is nested more than 32 levels deep."),
        ("a: [" + "x, " * 10_001 + "]", "The file has more than 10000 values, or is nested more than 64 levels deep."),
        (
            "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30)),
            "The file has more than 10000 values, or is nested more than 64 levels deep.",
        ),
        (
            "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 100)),
            "The file has more than 10000 values, or is nested more than 64 levels deep.",
        ),
        ("a: &a [*a]\n", "The alias *a names no anchor that is complete above it."),
    ],
    ids=["deep lists", "deep blocks", "many values", "alias bomb", "alias chain", "alias to itself"],
)
@pytest.mark.timeout(20)
def test_bombs_are_refused_quickly(folder: Path, content: str, message: str) -> None:
    (folder / "users.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(PipelineFileError) as raised:
        load_file(folder / "users.yaml")
    assert [problem.message for problem in raised.value.problems] == [message]


def test_suggestion_without_a_likeness_lists_what_is_allowed() -> None:
    assert suggest("zzz", ["one", "two"]) == "Allowed: one, two."
    assert suggest("ONE", ["one", "two"]) == "Did you mean one? Allowed: one, two."
