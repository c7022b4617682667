"""The part of a path that the delivery floor writes through: ``pathlib.Path`` and Airflow's object storage path both have it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol


class Folder(Protocol):
    """A file or folder on disk or in object storage."""

    @property
    def name(self) -> str:
        """The last part of the path."""

    def __truediv__(self, name: str) -> Folder:
        """A path below this one."""

    def mkdir(self, mode: int = ..., parents: bool = ..., exist_ok: bool = ...) -> None:
        """Make the folder; object storage needs none."""

    def exists(self) -> bool:
        """Whether something is there."""

    def is_dir(self) -> bool:
        """Whether it is a folder."""

    def iterdir(self) -> Iterator[Folder]:
        """What lies in the folder."""

    def read_text(self, encoding: str | None = ...) -> str:
        """The whole file."""

    def write_text(self, data: str, encoding: str | None = ...) -> Any:
        """Write the whole file."""

    def read_bytes(self) -> bytes:
        """The whole file."""

    def write_bytes(self, data: bytes) -> Any:
        """Write the whole file."""

    def unlink(self) -> None:
        """Remove the file."""


def safe_name(text: str) -> str:
    """A file name for an id that Airflow made: what is neither letter, digit, dot, dash nor underscore becomes a dash."""
    return re.sub(r"[^\w.-]", "-", text)


def listed(folder: Folder) -> list[Folder]:
    """What lies in a folder, by name; nothing if there is no such folder."""
    return sorted(folder.iterdir(), key=lambda one: one.name) if folder.is_dir() else []


def replace_text(folder: Folder, name: str, text: str) -> None:
    """Write a file anew; on a disk by renaming, so that a crash leaves the old or the new one whole."""
    if not isinstance(folder, Path):
        (folder / name).write_text(text, encoding="utf-8")
        return
    new = folder / f"{name}.new"
    new.write_text(text, encoding="utf-8")
    new.replace(folder / name)
