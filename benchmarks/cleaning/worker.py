"""A process in which one way cleans lists: ``python -m benchmarks.cleaning.worker WAY DATABASE``."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.cleaning.ways import contestant
from benchmarks.processes import Jobs
from benchmarks.worker import serve


class Cleaner(Jobs):
    """Runs this module.

    :param way: one of :data:`benchmarks.cleaning.results.WAYS`.
    :param folder: takes what it prints.
    """

    def __init__(self, way: str, database: Path, folder: Path) -> None:
        super().__init__("benchmarks.cleaning.worker", way, str(database), errors=folder / f"{way}.log")


if __name__ == "__main__":
    serve(lambda: contestant(*sys.argv[1:]))
