"""The ``activation`` command: what it prints and what it returns."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from activation import __version__
from activation.cli import COMMANDS, main

GOOD = """source: {type: duckdb, connection: w, table: main.users}
destination: {type: braze, connection: braze, data: attributes}
alerts: {email: [crm@example.com]}
"""
PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default folder, in the working directory, with two good files."""
    monkeypatch.chdir(tmp_path)
    path = Path("dags/pipelines")
    path.mkdir(parents=True)
    (path / "users.yaml").write_text(GOOD, encoding="utf-8")
    (path / "customers.yml").write_text(GOOD.replace("main.users", "main.customers"), encoding="utf-8")
    return path


def test_validate_tells_of_each_good_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 0
    assert capsys.readouterr() == (
        "dags/pipelines/customers.yml: good\ndags/pipelines/users.yaml: good\n2 files, 0 broken files, 0 problems.\n",
        "",
    )


def test_validate_tells_every_problem_of_every_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.yaml").write_text(GOOD + "ownr: x\nid: 5\n", encoding="utf-8")
    (folder / "b.yaml").write_text("- x\n", encoding="utf-8")
    assert main(["validate"]) == 1
    assert capsys.readouterr() == (
        "dags/pipelines/a.yaml:4:1: 'ownr' is not a key of a pipeline file.\n"
        "    4 | ownr: x\n"
        "      | ^\n"
        "        Did you mean owner? Allowed: id, description, owner, tags, schedule, source, cursor, destination, columns, "
        "delivery, alerts, errors, task.\n"
        "dags/pipelines/a.yaml:5:5: id takes a text, not a number.\n"
        "    5 | id: 5\n"
        "      |     ^\n"
        "        Put the value in quotes if it is meant as text.\n"
        "dags/pipelines/b.yaml:1:1: The top level is not a block of keys.\n"
        "    1 | - x\n"
        "      | ^\n"
        "        Begin with keys, like source: …\n"
        "dags/pipelines/customers.yml: good\n"
        "dags/pipelines/users.yaml: good\n"
        "4 files, 2 broken files, 3 problems.\n",
        "",
    )


def test_validate_takes_files_and_folders_and_each_file_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "dags/pipelines/users.yaml", "dags/pipelines", str(folder / "users.yaml")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 files, 0 broken files, 0 problems."


def test_validate_tells_a_problem_of_the_defaults_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "_defaults.yaml").write_text("owner: 1\n", encoding="utf-8")
    assert main(["validate", "dags/pipelines/_defaults.yaml"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "dags/pipelines/_defaults.yaml:1:8: owner takes a text, not a number.",
        "    1 | owner: 1",
        "      |        ^",
        "        Put the value in quotes if it is meant as text.",
        "2 files, 2 broken files, 1 problem.",
    ]


def test_validate_finds_one_id_in_two_folders(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path("other")
    other.mkdir()
    (other / "users.yaml").write_text(GOOD, encoding="utf-8")
    assert main(["validate", "dags/pipelines", "other"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "dags/pipelines/customers.yml: good",
        "dags/pipelines/users.yaml: The id 'users' is also that of other/users.yaml.",
        "        Give each pipeline its own file name.",
        "other/users.yaml: The id 'users' is also that of dags/pipelines/users.yaml.",
        "        Give each pipeline its own file name.",
        "3 files, 2 broken files, 2 problems.",
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "activation: nowhere does not exist.\n"),
        ("empty", "activation: empty holds no pipeline file (*.yaml, *.yml).\n"),
        ("notes.txt", "activation: notes.txt is not called like a pipeline file (*.yaml or *.yml, not _* or .*).\n"),
    ],
)
def test_validate_with_nothing_to_check(path: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    Path("notes.txt").touch()
    assert main(["validate", "dags/pipelines", path]) == 2
    assert capsys.readouterr() == ("", message)


def test_schema_is_printed_or_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert main(["schema", "--output", "schema.json"]) == 0
    assert capsys.readouterr().out == ""
    assert Path("schema.json").read_text(encoding="utf-8") == printed


def test_schema_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "-o", "nowhere/schema.json"]) == 2
    assert capsys.readouterr() == ("", "activation: nowhere/schema.json cannot be written: No such file or directory.\n")


@pytest.mark.parametrize("arguments", [[], ["valid"], ["validate", "--nope"], ["schema", "extra"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: activation")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert main([name, "--help"]) == 0
        own = capsys.readouterr().out
        first_line = own.split("\n\n")[1].strip()
        assert f"    {name}" in shown
        assert first_line in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"activation {__version__}\n"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_as_a_module_on_a_terminal_of_any_encoding(folder: Path, encoding: str) -> None:
    (folder / "korean.yaml").write_text(GOOD + "고객: 1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "activation.cli", "validate"],
        env={"PYTHONPATH": str(PLUGINS), "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    shown = done.stdout.decode(encoding)
    assert (done.returncode, done.stderr) == (1, b"")
    assert f"korean.yaml:4:1: '{'고객' if encoding == 'utf-8' else '??'}' is not a key of a pipeline file." in shown


def test_the_installed_command_is_this_one() -> None:
    scripts = [script for script in entry_points(group="console_scripts") if script.name == "activation"]
    assert all(script.value == "activation.cli:main" for script in scripts)
    declared = (PLUGINS.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert '\nactivation = "activation.cli:main"\n' in declared


def test_who_stops_reading_sees_no_traceback() -> None:
    command = [sys.executable, "-m", "activation.cli", "schema"]
    with subprocess.Popen(command, cwd=PLUGINS, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141
