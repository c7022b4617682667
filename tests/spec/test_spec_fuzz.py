"""Ten thousand broken files: whatever stands in one, it is a pipeline or a problem with a place, and no secret is shown."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from activation.spec import Problem, load_files
from activation.spec.destinations import DESTINATIONS
from activation.spec.starter import starter

ROOT = Path(__file__).parents[2]
SEED = 20_261_122
FILES = 1_250
"""Mutated files for each of the eight ways to break one."""

MOST_TEXT = 2_000
SECRET = "0pen-sesame"
SECRETS = (
    f"password: {SECRET}",
    f"api_key: '{SECRET}'",
    f"  client_secret: {SECRET}",
    f"source: {{type: postgres, connection: 'postgres://me:{SECRET}@host/db', table: a.b}}",
    f"  connection: postgres://me:{SECRET}@host/db",
    f'"access_token" : "{SECRET}"',
    f"token: >-\n  {SECRET}\n  {SECRET}",
    f"destination: {{api_key: {SECRET}}}",
    f"password: *{SECRET}",
    f"password: !{SECRET} x",
    f"tags: postgres://me:{SECRET}@host/db",
    f"source: {{type: 'postgres://me:{SECRET}@host/db', connection: w}}",
)
WHOLE = re.compile(r"The file (is empty|is larger than|cannot be read|is not YAML)")
"""What may be told of a file as a whole, without a line."""

ENVIRONMENT = {"TABLE": "users", "WAREHOUSE_CONNECTION": "warehouse", "WAREHOUSE_SCHEMA": "analytics"}
STRANGE = (
    *("null", "true", "yes", "0", "-1", "1e999", "-1e308", ".inf", ".nan", "9" * 400, "0x1F", "1_000", "12:30:45", "2026-07-19"),
    *(
        "''",
        '""',
        "' '",
        "[]",
        "{}",
        "[[]]",
        "{a: {b: {c: d}}}",
        "~",
        "!!python/object:os.system x",
        "!!binary aGk=",
        "*x",
        "&x y",
    ),
    *(
        "{{ ds }}",
        '"{{ ds }}"',
        "'{% if %}'",
        "${env:NOPE}",
        "${env:",
        '"${env:TABLE}"',
        "@daily",
        "'@daily'",
        "|\n  x",
        ">-",
        "%",
    ),
    *(
        "고객",
        "'\\0'",
        '"\\u0000"',
        '"\\ud800"',
        '"\\x1b[31m"',
        "\u202eabc",
        "é" * 300,
        "a" * 5_000,
        "[a, 1, null, {b: c}]",
        "1d",
    ),
)
PIECES = (
    "- ",
    "? ",
    ": ",
    "#",
    "&a ",
    "*a",
    "!!str ",
    "---\n",
    "...\n",
    "<<: *a\n",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ",",
    "'",
    '"',
    "|",
    ">",
    "%",
)
UNICODE = (
    "\ufeff",
    "\u2028",
    "\x85",
    "\u200b",
    "\u0301",
    "𝒳",
    "한글",
    "\x00",
    "\x1b",
    "\x7f",
    "\ufffe",
    "\U0010ffff",
    "İ",
    "ß",
    "\r",
    "\xa0",
)

Mutation = Callable[[random.Random, str], "str | bytes"]


def some_line(rng: random.Random, lines: list[str]) -> int:
    return rng.randrange(len(lines))


def bytes_flipped(rng: random.Random, text: str) -> bytes:
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        match rng.randrange(3):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                del data[at : at + rng.randint(1, 8)]
            case _:
                data[at:at] = rng.randbytes(rng.randint(1, 3))
        data = data or bytearray(b"x")
    return bytes(data)


def lines_moved(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    for _ in range(rng.randint(1, 4)):
        at = some_line(rng, lines)
        match rng.randrange(4):
            case 0:
                lines[at : at + rng.randint(1, 3)] = [""]
            case 1:
                lines.insert(some_line(rng, lines), lines[at])
            case 2:
                lines.insert(some_line(rng, lines), lines.pop(at))
            case _:
                lines[at] = lines[at] + lines[some_line(rng, lines)]
    return "\n".join(lines)


def indentation(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    for _ in range(rng.randint(1, 5)):
        at = some_line(rng, lines)
        lines[at] = rng.choice(["", " ", "  ", "   ", "\t", "      ", "- ", " " * 200]) + rng.choice(
            [lines[at], lines[at].lstrip()]
        )
    return "\n".join(lines)


def keys_renamed(rng: random.Random, text: str) -> str:
    keys = list(re.finditer(r"[\w.]+(?=:)", text))
    for key in sorted(rng.sample(keys, min(len(keys), rng.randint(1, 4))), key=lambda one: -one.start()):
        name, other = key[0], rng.choice(keys)[0]
        at = rng.randrange(len(name))
        new = rng.choice(
            [name[:at] + name[at + 1 :], name[:at] + "x" + name[at:], other, name.upper(), name[::-1], rng.choice(STRANGE)]
        )
        text = text[: key.start()] + new + text[key.end() :]
    return text


def values_replaced(rng: random.Random, text: str) -> str:
    values = list(re.finditer(r"(?<=: )[^\n,{}\[\]]+|(?<=[\[,] )[^\n,{}\[\]]+", text))
    for value in sorted(rng.sample(values, min(len(values), rng.randint(1, 4))), key=lambda one: -one.start()):
        new = rng.choice([*STRANGE, rng.choice(values)[0]])
        text = text[: value.start()] + new + text[value.end() :]
    return text


def nesting(rng: random.Random, text: str) -> str:
    at, deep = rng.randrange(len(text)), rng.choice([3, 20, 40, 500])
    begin, end = rng.choice([("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("a: ", ""), ("[*a, ", "]")])
    inside = begin * deep + rng.choice(["x", "", "1"]) + (end * deep if rng.random() < 0.7 else "")
    head = rng.choice(["", "", "tags: &a [x, y]\n", "x0: &a {b: c}\n" + "".join(f"x{n}: &a [*a, *a]\n" for n in range(1, 12))])
    return head + text[:at] + inside + text[at:]


def pieces_put_in(rng: random.Random, text: str) -> str:
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(PIECES if rng.random() < 0.5 else UNICODE) + text[at:]
    return text


def files_joined(rng: random.Random, text: str) -> str:
    other = rng.choice(BASES)
    cut, begin = rng.randrange(len(text)), rng.randrange(len(other))
    joined = text[:cut] + rng.choice(["", "\n", "\n---\n", "\n  "]) + other[begin:]
    return joined if rng.random() < 0.5 else lines_moved(rng, joined)


MUTATIONS: tuple[Mutation, ...] = (
    *(bytes_flipped, lines_moved, indentation, keys_renamed, values_replaced, nesting, pieces_put_in, files_joined),
)


def bases() -> list[str]:
    """The example pipelines, those of the reference, the starters, and the corpus of broken files."""
    found = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "dags" / "pipelines").glob("*.yaml"))]
    found += re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "pipeline-files.md").read_text(encoding="utf-8"), re.DOTALL)
    found += [re.sub(r"(?m)^ *# .*\n", "", starter("postgres", to, name="x", schema="x")) for to in DESTINATIONS]
    corpus = (Path(__file__).parent / "messages.txt").read_text(encoding="utf-8")
    found += re.findall(r"^=== .*\n((?:.|\n)*?)>>>\n", corpus, re.MULTILINE)
    return found


BASES = bases()


def with_a_secret(rng: random.Random, content: str | bytes) -> bytes:
    """Put a secret somewhere into every second file, as a line of its own."""
    if rng.random() < 0.5:
        return content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    lines = (content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")).split(b"\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(SECRETS).encode())
    return b"\n".join(lines)


def problems_of(path: Path) -> tuple[Problem, ...]:
    """What is told of a file, however many pipelines it makes."""
    broken = load_files([path], environment=ENVIRONMENT).broken
    return broken[path].problems if path in broken else ()


def wrong_with(problem: Problem, text: str) -> str:
    """What is not as it must be in a problem; nothing if it is."""
    shown = str(problem)
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    if not problem.line:
        return "" if WHOLE.match(problem.message) and not problem.column else "it has no line"
    if not (1 <= problem.line <= len(lines) and 1 <= problem.column <= len(lines[problem.line - 1]) + 1):
        return "its place is outside of the file"
    if len(shown) > MOST_TEXT:
        return f"it has {len(shown)} characters"
    if not problem.message.endswith((".", "…")) or "\n" in problem.message + problem.fix:
        return "it is no sentence"
    if SECRET in shown:
        return "it shows a secret"
    return "" if problem.fix else "it says nothing of what to do"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.__name__)
def test_a_mutated_file_is_a_pipeline_or_a_problem_with_a_place(mutation: Mutation, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    rng = random.Random(f"{SEED} {mutation.__name__}")
    path, broken = tmp_path / "users.yaml", 0
    told: set[str] = set()
    wrong: list[str] = []
    for number in range(FILES):
        content = with_a_secret(rng, mutation(rng, rng.choice(BASES)))
        path.write_bytes(content)
        try:
            found = problems_of(path)
        except Exception as error:  # noqa: BLE001 - that no other error leaves the loader is what is looked at
            wrong.append(f"file {number}: {error!r}\n{content!r}")
            continue
        text = content.decode("utf-8-sig", "replace")
        wrong += [f"file {number}: {why}: {one}\n{content!r}" for one in found if (why := wrong_with(one, text))]
        broken += bool(found)
        told |= {one.message for one in found}
    assert not wrong, f"seed {SEED}, {mutation.__name__}, {len(wrong)} wrong\n" + "\n".join(wrong[:5])
    # Else the mutations would not reach what they are for.
    assert broken > FILES * 0.9
    assert len(told) > 80
