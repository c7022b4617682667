"""How the problems of pipeline files are told: to people, to programs, and to GitHub, which shows them beside the lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from activation.cli.pipelines import count

if TYPE_CHECKING:
    from activation.spec import Problem

FORMATS = ("text", "json", "github")
SEVERITY = "error"
"""Every problem of a pipeline file keeps it from being used."""

NOWHERE = "(none)"
"""How the absence of an environment is called."""


@dataclass(frozen=True, slots=True)
class Told:
    """A problem that is told once.

    :ivar problem: what is wrong.
    :ivar pipeline: the id of the one pipeline that has it; ``""`` if it belongs to several, or to a file as a whole.
    :ivar environments: where it holds, :data:`NOWHERE` without one; empty if it holds wherever was looked.
    """

    problem: Problem
    pipeline: str = ""
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    :ivar files: how each file that was looked at is called, in order -> what is wrong with it and was not told before.
    :ivar broken: how many of them cannot be used.
    """

    files: Mapping[str, Sequence[Told]]
    broken: Sequence[str]

    @property
    def told(self) -> list[Told]:
        """All problems, in the order of the files."""
        return [one for told in self.files.values() for one in told]


def shown(checked: Checked, form: str) -> Iterator[str]:
    """The lines of an answer.

    :param form: one of :data:`FORMATS`.
    """
    if form == "json":
        yield json.dumps([_entry(one) for one in checked.told], indent=2, ensure_ascii=False)
    elif form == "github":
        yield from (_command(one) for one in checked.told)
    else:
        for name, told in checked.files.items():
            yield from (_text(one) for one in told)
            if name not in checked.broken:
                yield f"{name}: good"
        yield summary(checked)


def summary(checked: Checked) -> str:
    """The numbers, in one sentence."""
    numbers = {"file": len(checked.files), "broken file": len(checked.broken), "problem": len(checked.told)}
    return f"{', '.join(count(number, what) for what, number in numbers.items())}."


def _text(told: Told) -> str:
    only = f"\n        Only in the environment {' and '.join(told.environments)}." if told.environments else ""
    return f"{told.problem}{only}"


def _entry(told: Told) -> dict[str, Any]:
    problem = told.problem
    entry: dict[str, Any] = {"file": problem.file, "line": problem.line, "column": problem.column}
    entry |= {"message": problem.message, "fix": problem.fix, "severity": SEVERITY}
    if told.pipeline:
        entry["pipeline"] = told.pipeline
    return entry | ({"environments": list(told.environments)} if told.environments else {})


def _command(told: Told) -> str:
    """A workflow command (GitHub documentation, "Workflow commands for GitHub Actions", setting an error message)."""
    problem = told.problem
    place = {"file": problem.file} | ({"line": problem.line, "col": problem.column} if problem.line else {})
    properties = {**place, "title": f"Pipeline {told.pipeline}" if told.pipeline else "Pipeline file"}
    only = f"Only in the environment {' and '.join(told.environments)}." if told.environments else ""
    text = "\n".join(filter(None, (problem.message, problem.fix, only)))
    written = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in properties.items())
    return f"::{SEVERITY} {written}::{_escaped(text)}"


def _escaped(text: str, further: str = "") -> str:
    for char in f"%\r\n{further}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text
