"""What the YAML parser refuses, told in the words of a pipeline file's author. Both of PyYAML's parsers are understood."""

from __future__ import annotations

import re

import yaml

from activation.spec.problems import Mark, Problem, SourceText

_Advice = tuple[str, str]
"""What is wrong, and what to do about it."""

_JINJA = ("Jinja stands without quotes.", 'Put the whole value in quotes: "{{ … }}".')
_ENVIRONMENT = ("${env:NAME} stands without quotes inside { … } or [ … ].", 'Put the value in quotes: "${env:NAME}".')
_TAB = ("A tab stands where YAML takes only blanks.", "Indent with blanks.")
_COLON = ("A colon stands where no key can be.", "Put a text that holds a colon in quotes, or check the indentation.")
_BLANK = ("A blank is missing behind this colon.", "Write key: value.")
_END = ("The file ends inside of a block or a list.", "Close it with } or ].")
_BEHIND = ("This stands behind a value that has ended.", "Put the whole value in one pair of quotes, or remove what is too much.")
_COLUMN = ("This line does not begin in the column of the file's first key.", "Begin all keys of the top level at the left edge.")
_KEY = re.compile(r" *[\w.-]+:(?=[^\s:/])")
_OPENED = {"quoted scalar": "quoted text", "flow sequence": "list", "flow mapping": "block"}
_INSIDE = {
    "block mapping": ("block of keys", "Write key: value there, indented like that line, or check the quotes in the line above."),
    "block collection": ("list", "Begin an item with - in the same column, or indent what belongs to one."),
}
"""What the parser was in the middle of -> how it is called, and what to do with a line that does not belong to it."""

_HERE = (
    (
        "block sequence entries",
        "sequence entries",
        ("An item of a list cannot stand here.", "Begin the list below its key: - item."),
    ),
    ("mapping keys", "mapping keys", ("A text cannot begin with ? and a blank.", 'Put it in quotes, for example "? …".')),
    ("node content", "node content", ("A value is missing here.", "Write one, or remove the comma or the mark in front of it.")),
    (
        "escape",
        "escape",
        ("A backslash in double quotes begins an escape that YAML does not know.", "Take single quotes, or double it."),
    ),
    (
        "comment or line break",
        "chomping",
        ("The text of | or > begins in the next line.", "Write it there, indented, or in quotes."),
    ),
)
"""Words of the one parser's problem and of the other's -> what they mean."""

_AT_BEGINNING = {
    "simple key": ("No colon follows this key.", "Write key: value. A text of several lines stands in quotes."),
    "directive": ("A text cannot begin with %.", 'Put it in quotes, for example "%…".'),
}


def explain(text: SourceText, error: yaml.MarkedYAMLError) -> Problem:
    """Turn the parser's error into a problem with place and advice."""
    begin, end = error.context_mark or error.problem_mark, error.problem_mark or error.context_mark
    if begin is None or end is None:
        return Problem(text.name, 0, 0, "", f"The file is not YAML: {error.problem}.")
    first, here = (_before_the_end(Mark(text, mark.line + 1, mark.column + 1)) for mark in (begin, end))
    context, problem = error.context or "", error.problem or ""
    if advice := _at_character(*here.split(), context, problem):
        above = _without_blank(here) if advice == _COLON else None
        return here.problem(*advice) if above is None else above.problem(*_BLANK)
    if advice := _at_beginning(first.split()[1], context):
        return first.problem(*advice)
    return here.problem(*(_in_line(here, first, context, problem) or _unknown(problem)))


def _without_blank(mark: Mark) -> Mark | None:
    """The colon in the line above that misses its blank, so that what follows belongs to a text."""
    number = next((number for number in range(mark.line - 1, 0, -1) if mark.text.raw[number - 1].strip()), 0)
    found = _KEY.match(mark.text.raw[number - 1]) if number else None
    return Mark(mark.text, number, found.end()) if found else None


def _before_the_end(mark: Mark) -> Mark:
    """A place, or the end of the last line that has content where nothing stands there or behind."""
    lines = mark.text.raw
    if mark.line <= len(lines) and any(lines[mark.line - 1 :]):
        return mark
    number = max((number for number, line in enumerate(lines, 1) if line.strip()), default=1)
    return Mark(mark.text, number, len(lines[number - 1]) + 1)


def _at_character(before: str, char: str, context: str, problem: str) -> _Advice | None:
    """The advice for what stands where the parser stopped."""
    starts = bool(char) and char in "@`%|>" and "token" in context
    colon = problem.startswith("mapping values") or ("plain scalar" in context and char == ":")
    told = (
        (char == "\t" or "tab character" in problem, _TAB),
        ("{{" in before or "{%" in before + char, _JINJA),
        (before.endswith("$") and char == "{", _ENVIRONMENT),
        (starts, (f"A text cannot begin with {char}.", f'Put it in quotes, for example "{char}…".')),
        (colon, _COLON),
        (not char and "flow node" in context, _END),
        *((one in problem or other in problem, advice) for one, other, advice in _HERE),
    )
    return next((advice for holds, advice in told if holds), None)


def _at_beginning(char: str, context: str) -> _Advice | None:
    """The advice for what the parser was in the middle of."""
    if "alias" in context or "anchor" in context:
        return f"A text cannot begin with {char}.", 'Put it in quotes, for example "*/15 * * * *".'
    for opened, what in _OPENED.items():
        if opened in context:
            return f"The {what} that begins here is not closed.", "Close it, or put it in quotes if it is a text."
    return next((advice for word, advice in _AT_BEGINNING.items() if word in context), None)


def _in_line(here: Mark, first: Mark, context: str, problem: str) -> _Advice | None:
    """The advice for a line that does not belong where it stands."""
    known = next((told for word, told in _INSIDE.items() if word in context), None)
    if known is None and "<document start>" not in problem:
        return None
    if here.split()[0].strip():
        return _BEHIND
    if known is None:
        return _COLUMN
    return f"This line does not belong to the {known[0]} that begins in line {first.line}.", known[1]


def _unknown(problem: str) -> _Advice:
    return f"This is not YAML: {problem}.", "Check the indentation and the quotes here and in the line above."
