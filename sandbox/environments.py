"""Pinned Python environments of their own for servers whose packages must not mix with the product's.

Each server has a folder with a ``requirements.txt`` (versions pinned, with hashes, no index address). Its environment is made on
first use in ``.state/environments`` and kept as long as that file and the interpreter stay the same.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".state" / "environments"

PROGRESS: ContextVar[Callable[[str], None]] = ContextVar("PROGRESS", default=lambda text: None)
"""Is told when an environment is made, which takes a while."""


@contextmanager
def telling(listener: Callable[[str], None]) -> Iterator[None]:
    """Tell somebody when an environment is made within the block."""
    token = PROGRESS.set(listener)
    try:
        yield
    finally:
        PROGRESS.reset(token)


def environment(name: str, requirements: Path) -> Path:
    """Make or find an environment.

    :param name: for people, and the start of its folder's name.
    :param requirements: what to install.
    :returns: the environment's Python.
    :raises RuntimeError: if a package cannot be installed; says which command failed and what it printed.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    digest = hashlib.sha256(version.encode() + requirements.read_bytes()).hexdigest()[:12]
    place = FOLDER / f"{name}-{digest}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes may want the same one
        if not (place / ".ready").exists():
            tell, began = PROGRESS.get(), time.monotonic()
            count = sum("==" in line for line in requirements.read_text(encoding="utf-8").splitlines())
            tell(f"installing {count} packages for {name}; only the first time, a minute or two")
            shutil.rmtree(place, ignore_errors=True)
            _uv("venv", "--quiet", "--python", sys.executable, str(place))
            _uv(
                "pip",
                "install",
                "--quiet",
                "--python",
                str(place / "bin" / "python"),
                "--require-hashes",
                "-r",
                str(requirements),
            )
            (place / ".ready").touch()
            tell(f"installed after {time.monotonic() - began:.0f} s")
    return place / "bin" / "python"


def clean() -> dict[str, str]:
    """This process's environment variables without those that would lead another Python astray."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "AIRFLOW"))}


def _uv(*arguments: str) -> None:
    command = [str(Path(sys.executable).parent / "uv"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean())
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
