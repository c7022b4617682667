"""What is wrong in a pipeline file, and how it is told: place, line, caret, advice."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

from activation.errors import ConfigurationError
from activation.spec.secrets import mask

# The line breaks of YAML 1.1, so that line numbers agree with the parser's.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WIDTH = 120
_GUTTER = 5


@dataclass(frozen=True)
class SourceText:
    """The text of one file.

    :ivar name: the file's path as messages show it.
    :ivar content: the whole text, without a byte order mark.
    """

    name: str
    content: str = field(repr=False)

    @cached_property
    def raw(self) -> tuple[str, ...]:
        """The lines as they are; never to be shown."""
        return tuple(_BREAK.split(self.content))

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines with secrets masked."""
        return mask(self.raw)

    def mark(self, offset: int) -> Mark:
        """The place of the character at an offset (from 0)."""
        before = _BREAK.split(self.content[:offset])
        return Mark(self, len(before), len(before[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file: line and column count from 1, a column is a character."""

    text: SourceText
    line: int
    column: int

    def split(self) -> tuple[str, str]:
        """The line before this place, and the character at it; ``""`` at the line's end."""
        line = self.text.raw[self.line - 1] if self.line <= len(self.text.raw) else ""
        return line[: self.column - 1], line[self.column - 1 : self.column]

    @property
    def is_secret(self) -> bool:
        """Whether what stands here is masked, and so must not be told either."""
        raw, shown = (lines[self.line - 1][self.column - 1 :] for lines in (self.text.raw, self.text.lines))
        # The first character can be a star itself, *alias.
        return raw[:2] != shown[:2]

    def problem(self, message: str, fix: str = "") -> Problem:
        """Make the problem that stands here."""
        lines = self.text.lines
        line = lines[self.line - 1] if self.line <= len(lines) else ""
        return Problem(self.text.name, self.line, self.column, line, message, fix)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one file.

    :ivar file: the path as it was given, relative or not.
    :ivar line: counts from 1; 0 means the file as a whole.
    :ivar column: counts characters from 1; 0 means the file as a whole.
    :ivar source_line: the line as it stands in the file, with secrets masked.
    :ivar message: what is wrong, one sentence.
    :ivar fix: what is allowed and what to do, one or more sentences, or nothing.
    """

    file: str
    line: int
    column: int
    source_line: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        """The text for people: place and message, the line with a caret, the advice."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        told = [f"{place}: {self.message}"]
        if self.line:
            shown, caret = _clip(self.source_line, self.column - 1)
            told.append(f"{self.line:>{_GUTTER}} | {shown}")
            told.append(f"{'':>{_GUTTER}} | {' ' * _columns(shown[:caret])}^")
        if self.fix:
            told.append(f"{'':>{_GUTTER}}   {self.fix}")
        return "\n".join(told)


class PipelineFileError(ConfigurationError):
    """A pipeline file cannot be used; its text tells every problem of the file.

    :ivar problems: all of them, in the order of the file.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.args = (problems,)


def _clip(line: str, caret: int) -> tuple[str, int]:
    """Cut a long line around the caret and replace what cannot be seen, or would steer the terminal."""
    start = max(0, caret - _WIDTH // 2) if len(line) > _WIDTH else 0
    shown = "".join(" " if char == "\t" else char if char.isprintable() else "�" for char in line[start : start + _WIDTH])
    head, tail = "…" if start else "", "…" if start + _WIDTH < len(line) else ""
    return f"{head}{shown}{tail}", caret - start + len(head)


def _columns(text: str) -> int:
    """The columns that a text takes in a terminal: Korean letters take two, combining marks none."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.category(char) in {"Mn", "Me"} for char in text)
