"""docs/command-line.md lists the commands as they are."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from pathlib import Path

import pytest

from activation.cli import COMMANDS

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_has_each_command_with_its_arguments(name: str) -> None:
    module = import_module(f"activation.cli.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"activation {name}")
    module.configure(parser)
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    assert f"| [`{name}`](#{name}) | {(module.__doc__ or '').strip().splitlines()[0]} |\n" in PAGE
    assert f"\n## {name}\n\n```text\n{usage}\n```\n" in PAGE


def test_the_page_has_no_other_command() -> None:
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == list(COMMANDS)
