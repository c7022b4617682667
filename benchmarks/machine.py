"""What the benchmark ran on: processor, memory and versions; nothing that names the machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("apache-airflow", "duckdb", "pyarrow", "aiohttp", "uvloop", "requests", "drt-core")


def facts(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """What it is -> its value.

    :param packages: whose versions are told.
    """
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = ", ".join(f"{name} {_version(name)}" for name in packages)
    return {
        "Processor": f"{_processor()}, {_cores()} cores, shared by client and server",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}",
        "Versions": f"{python}, {versions}",
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def busy(seconds: float) -> list[float]:
    """The share of all processors that is taken while this process sleeps, 0 to 1; empty if the system does not tell.

    :param seconds: how long to look.
    """
    before = _ticks()
    time.sleep(seconds)
    spent = [after - first for first, after in zip(before, _ticks(), strict=True)]
    idle = sum(spent[3:5])  # idle, and waiting for a disk
    return [1 - idle / sum(spent)] if sum(spent) else []


def _ticks() -> list[int]:
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return []
    return [int(ticks) for ticks in first.split()[1:9]]
