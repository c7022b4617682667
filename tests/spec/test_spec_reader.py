"""Whatever bytes a file holds, the answer is a pipeline or problems with a place; and no secret is shown."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from activation.spec import Pipeline, PipelineFileError, compose, load_file
from activation.spec.problems import Problem, SourceText
from activation.spec.secrets import is_secret_key

_SIGNS = list("{}[]:,-#&*!|>'\"%@`?~<= \t\n\r\x85\u2028")
_WORDS = ["a", "&a", "*a", "<<", "{{ x }}", "${env:A}", "1", "yes", "null", "고객", "!!int ", "\n  ", "\n- ", "\n---\n"]
_KEYS = [
    "source:",
    "table: ",
    "\ndestination:\n  ",
    "type: braze",
    "delivery: {",
    "timeout: 5s",
    "id: x",
    "tags: [",
    "api_key: x",
]
_PIECES = st.sampled_from([*_SIGNS, *_WORDS, *_KEYS])


def load(content: bytes) -> Pipeline | tuple[Problem, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "users.yaml"
        path.write_bytes(content)
        try:
            return load_file(path, environment={})
        except PipelineFileError as error:
            return error.problems


def check(content: bytes) -> None:
    found = load(content)
    assert not isinstance(found, Pipeline)
    assert found
    for problem in found:
        text = str(problem)
        assert problem.message.endswith(".")
        if problem.line:
            assert f":{problem.line}:{problem.column}: " in text
            assert text.splitlines()[2].endswith("^")
            assert text.splitlines()[1].isprintable()


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=300)
def test_any_bytes_give_problems(content: bytes) -> None:
    check(content)


@given(st.lists(_PIECES, max_size=25).map(lambda pieces: "".join(pieces).encode()))
@settings(max_examples=1000)
@example(b"source: {? a : b}\n")
@example(b"{{{{ x }}}}\n")
@example(b"a: !<tag:yaml.org,2002:map> [1]\n")
@example(b"%YAML 2.0\n---\na: 1\n")
def test_any_pieces_of_yaml_give_problems(content: bytes) -> None:
    check(content)


def test_the_parser_without_the_c_library_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [b"a: [1", b"a: 'x", b"s: * * * *", b"s: @daily", b"a: b: c", b"a:\n\tb: 1", b"t: {{ x }}.y", b"t: {% x %}"]
    expected = [load(content) for content in contents]
    monkeypatch.setattr(compose, "_LOADER", yaml.SafeLoader)
    again = [load(content) for content in contents]
    assert [[(p.line, p.column, p.message) for p in found] for found in again if not isinstance(found, Pipeline)] == [
        [(p.line, p.column, p.message) for p in found] for found in expected if not isinstance(found, Pipeline)
    ]


@pytest.mark.parametrize(
    "line",
    [
        "api_key: hunter2",
        "  - API-KEY : 'hunter2'",
        'source: {type: x, "client_secret": "hunter2", table: a.b}',
        "braze_token: hunter2 # hunter2",
        "# password = hunter2",
        "connection: postgres://user:hunter2@host/db",
        "password:\n  hunter2",
        "private_key: |\n  -----BEGIN\n  a: hunter2\n  hunter2\n",
        "private_key: |\n  -----BEGIN\n hunter2\nhunter2\n",
    ],
)
def test_secrets_are_masked(line: str) -> None:
    assert "hunter2" not in "\n".join(SourceText("x", line).lines)


def test_masking_keeps_every_character_in_its_place_and_ends_with_the_secret() -> None:
    text = "type: braze\napi_key: 열쇠 # x\n\n  more\ntable: a.token\n"
    assert SourceText("x", text).lines == ("type: braze", "api_key: ** * *", "", "  ****", "table: a.token", "")


@pytest.mark.parametrize(
    "key", ["api_key", "apiKey", "password", "passwd", "db_password", "token", "secret_access_key", "Authorization"]
)
def test_secret_keys_are_known(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["key", "connection", "table", "id", "cursor"])
def test_keys_of_the_grammar_are_no_secrets(key: str) -> None:
    assert not is_secret_key(key)


def test_the_caret_stands_under_the_place_whatever_stands_before_it() -> None:
    line = "고객\te\u0301ｗ: x"
    assert str(Problem("f", 3, 7, line, "Wrong.", "Right.")) == (
        "f:3:7: Wrong.\n    3 | 고객 e\u0301ｗ: x\n      |         ^\n        Right."
    )
    assert str(Problem("f", 0, 0, "", "Wrong.")) == "f: Wrong."


def test_terminal_controls_are_not_passed_on() -> None:
    assert "\x1b" not in str(Problem("f", 1, 1, "\x1b[31m\u202e", "Wrong."))
