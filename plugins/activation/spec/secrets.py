"""Secrets that stand in a pipeline file by mistake: told by their key, and never shown in a message."""

from __future__ import annotations

import re

_WORDS = r"api[_-]?key|passw(?:or)?d|passphrase|pwd|secret|token|credential|private[_-]?key|access[_-]?key|authorization|bearer"
_KEY = re.compile(rf"[\w.-]*(?:{_WORDS})[\w.-]*", re.IGNORECASE)
_LINE = re.compile(rf"(?P<quote>[\"']?)\b{_KEY.pattern}(?P=quote)\s*[:=](?P<value>.*)", re.IGNORECASE)
_ANY_KEY = re.compile(r"\s*(?:- +)*(?:\"[^\"]*\"|'[^']*'|[^\s\"'#:]+)\s*:(?:\s|$)")
_SUSPICIOUS = re.compile(rf"://|{_WORDS}", re.IGNORECASE)
_URI = re.compile(r"(?<=://)[^\s@]+(?=@)|(?<=://)[^\s\"']*hooks?[./][^\s\"']*")


def is_secret_key(key: str) -> bool:
    """Whether a key is called like a password, a token or the like."""
    return _KEY.fullmatch(key) is not None


def mask(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Put ``*`` over what follows a secret's key, over its further lines, over the user part of URIs, and over webhooks.

    Every character keeps its place, so a caret still points at the right one.
    """
    if _SUSPICIOUS.search("\n".join(lines)) is None:  # nearly every file; the rest takes ten times as long
        return lines
    masked: list[str] = []
    secret_indent: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if secret_indent is not None and (indent > secret_indent or _ANY_KEY.match(line) is None):
            masked.append(_cover(line, indent, len(line)))
            continue
        match = _LINE.search(line)
        secret_indent = indent if match else None
        shown = _cover(line, match.start("value"), len(line)) if match else line
        masked.append(_URI.sub(lambda found: "*" * len(found[0]), shown))
    return tuple(masked)


def _cover(line: str, start: int, end: int) -> str:
    return line[:start] + re.sub(r"\S", "*", line[start:end]) + line[end:]
