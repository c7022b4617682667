"""Reads docker-compose.yaml as far as a process needs it: command, environment, mounts and what it starts after."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yaml"
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::\?[^}]*)?\})")


@dataclass(frozen=True, slots=True)
class Service:
    """One service, with every variable filled in.

    :ivar command: the words of ``command``; empty where the image's own is meant.
    :ivar mounts: place in the container -> volume, or folder (it begins with a dot).
    :ivar after: service -> ``service_healthy`` or ``service_completed_successfully``, as ``depends_on`` has it.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: Mapping[str, str]
    after: Mapping[str, str]


def secrets() -> dict[str, str]:
    """Fresh values for all variables of the file, from the script that people use."""
    script = [sys.executable, str(ROOT / "tools" / "compose_secrets.py")]
    made = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in made.splitlines())


def services(variables: Mapping[str, str]) -> dict[str, Service]:
    """All services by name, in the order of the file.

    :param variables: value by name, for ``${NAME}``.
    :raises KeyError: if the file names a variable that has no value.
    """
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: _service(name, block, variables) for name, block in content["services"].items()}


def _service(name: str, block: Mapping[str, Any], variables: Mapping[str, str]) -> Service:
    def filled(text: str) -> str:
        return _VARIABLE.sub(lambda found: variables[found[1]] if found[1] else "$", text)

    mounts = [volume.split(":") for volume in block.get("volumes", ())]
    return Service(
        name=name,
        command=tuple(shlex.split(filled(block.get("command", "")))),
        environment={key: filled(value) for key, value in block.get("environment", {}).items()},
        mounts={place: source for source, place, *_ in mounts},
        after={other: rule["condition"] for other, rule in block.get("depends_on", {}).items()},
    )
