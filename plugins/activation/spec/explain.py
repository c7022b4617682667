"""What the YAML parser refuses, told in the words of a pipeline file's author. Both of PyYAML's parsers are understood."""

from __future__ import annotations

import yaml

from activation.spec.problems import Mark, Problem, SourceText

_JINJA = ("Jinja stands without quotes.", 'Put the whole value in quotes: "{{ … }}".')
_ENVIRONMENT = ("${env:NAME} stands without quotes inside { … } or [ … ].", 'Put the value in quotes: "${env:NAME}".')
_TAB = ("A tab stands where YAML takes only blanks.", "Indent with blanks.")
_COLON = ("A colon stands where no key can be.", "Put a text that holds a colon in quotes, or check the indentation.")
_OPENED = {"quoted scalar": "quoted text", "flow sequence": "list", "flow mapping": "block"}


def explain(text: SourceText, error: yaml.MarkedYAMLError) -> Problem:
    """Turn the parser's error into a problem with place and advice."""
    begin, end = error.context_mark or error.problem_mark, error.problem_mark or error.context_mark
    if begin is None or end is None:
        return Problem(text.name, 0, 0, "", f"The file is not YAML: {error.problem}.")
    first, here = Mark(text, begin.line + 1, begin.column + 1), Mark(text, end.line + 1, end.column + 1)
    context, problem = error.context or "", error.problem or ""
    if advice := _at_character(*here.split(), context, problem):
        return here.problem(*advice)
    if advice := _at_beginning(first.split()[1], context):
        return first.problem(*advice)
    return here.problem(f"This is not YAML: {problem}.", "Check the indentation and the quotes here and in the line above.")


def _at_character(before: str, char: str, context: str, problem: str) -> tuple[str, str] | None:
    """The advice for what stands where the parser stopped."""
    if char == "\t":
        return _TAB
    if "{{" in before or "{%" in before + char:
        return _JINJA
    if before.endswith("$") and char == "{":
        return _ENVIRONMENT
    if char and char in "@`%" and "token" in context:
        return f"A text cannot begin with {char}.", f'Put it in quotes, for example "{char}…".'
    return _COLON if problem.startswith("mapping values") else None


def _at_beginning(char: str, context: str) -> tuple[str, str] | None:
    """The advice for what the parser was in the middle of."""
    if "alias" in context or "anchor" in context:
        return f"A text cannot begin with {char}.", 'Put it in quotes, for example "*/15 * * * *".'
    for opened, what in _OPENED.items():
        if opened in context:
            return f"The {what} that begins here is not closed.", "Close it, or put it in quotes if it is a text."
    return None
