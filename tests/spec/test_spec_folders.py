"""Sub-folders: which files are found, whose defaults count, and that an id is unique in the whole tree."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from activation.spec import PipelineFileError, find_file, load_file, load_files, load_folder
from activation.spec import defaults as layers

SOURCE = "source: {{type: duckdb, connection: w, table: main.{}}}\n"
DESTINATION = "destination: {type: braze, connection: braze, data: attributes}\nalerts: {email: [crm@example.com]}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ``pipelines`` in the working directory, with files of three depths and defaults of two."""
    monkeypatch.chdir(tmp_path)
    write("pipelines/_defaults.yaml", "owner: all\ntags: [all]\nerrors: {retries: 1, max_rows: 10}\n" + DESTINATION)
    write("pipelines/crm/_defaults.yml", "owner: crm\nerrors: {retries: 2}\n")
    write("pipelines/crm/kr/users.yaml", SOURCE.format("a"))
    write("pipelines/crm/orders.yaml", SOURCE.format("b") + "errors: {retries: 3}\n")
    write("pipelines/top.yaml", SOURCE.format("c"))
    return Path("pipelines")


def write(path: str, content: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(content, encoding="utf-8")


def test_the_nearest_folders_defaults_lie_on_top(folder: Path) -> None:
    loaded = load_folder(folder)
    assert not loaded.broken
    assert {one.id: (one.owner, one.tags, one.errors.retries, one.errors.max_rows) for one in loaded.pipelines.values()} == {
        "users": ("crm", ("all",), 2, 10),
        "orders": ("crm", ("all",), 3, 10),
        "top": ("all", ("all",), 1, 10),
    }
    assert loaded.files == {
        "users": folder / "crm/kr/users.yaml",
        "orders": folder / "crm/orders.yaml",
        "top": folder / "top.yaml",
    }
    assert [text.name for text in loaded.texts["users"]] == [
        "pipelines/crm/kr/users.yaml",
        "pipelines/crm/_defaults.yml",
        "pipelines/_defaults.yaml",
    ]


@pytest.mark.parametrize("root", ["pipelines", "./pipelines/crm/../", "ABSOLUTE"])
def test_one_file_takes_the_defaults_from_its_root_down(folder: Path, root: str) -> None:
    root = str(folder.absolute()) if root == "ABSOLUTE" else root
    assert load_file(folder / "crm/kr/users.yaml", root=root) == load_folder(folder).pipelines["users"]
    files = [folder / "top.yaml", folder / "crm/kr/users.yaml"]
    assert load_files(files, roots=[folder / "crm", root]).pipelines["users"].owner == "crm"


def test_one_file_alone_takes_the_defaults_of_its_own_folder(folder: Path) -> None:
    with pytest.raises(PipelineFileError, match="needs the key 'destination'"):
        load_file(folder / "crm/orders.yaml")
    write("pipelines/crm/_defaults.yml", DESTINATION)
    for root in (None, "elsewhere", folder / "crm"):
        assert load_file(folder / "crm/orders.yaml", root=root).owner == "activation"


def test_a_type_of_nearer_defaults_takes_nothing_of_another_type(folder: Path) -> None:
    write("pipelines/_defaults.yaml", "source: {type: postgres, connection: far}\n" + DESTINATION)
    write("pipelines/crm/_defaults.yml", "source: {type: duckdb, connection: near}\n")
    write("pipelines/crm/orders.yaml", "source: {table: a.b}\n")
    source = load_file(folder / "crm/orders.yaml", root=folder).source
    assert (source.type, source.connection) == ("duckdb", "near")


def test_problems_of_all_defaults_are_told_with_their_files(folder: Path) -> None:
    write("pipelines/_defaults.yaml", "matrix: {a: [b]}\nid: x\n" + DESTINATION)
    write("pipelines/crm/_defaults.yml", "errors: {retries: 21}\n")
    write("pipelines/crm/orders.yaml", SOURCE.format("b") + "owner: 5\n")
    with pytest.raises(PipelineFileError) as raised:
        load_file(folder / "crm/orders.yaml", root=folder)
    assert [(one.file, one.line, one.message) for one in raised.value.problems] == [
        ("pipelines/crm/orders.yaml", 2, "owner takes a text, not a number."),
        ("pipelines/crm/_defaults.yml", 1, "errors.retries is out of range."),
        ("pipelines/_defaults.yaml", 1, "A matrix cannot be shared by pipeline files."),
        ("pipelines/_defaults.yaml", 2, "An id cannot be shared by pipelines."),
    ]


def test_broken_defaults_break_only_what_lies_below_them(folder: Path) -> None:
    write("pipelines/crm/_defaults.yml", "owner: [\n")
    loaded = load_folder(folder)
    assert list(loaded.pipelines) == ["top"]
    assert list(loaded.broken) == [folder / "crm/kr/users.yaml", folder / "crm/orders.yaml"]
    assert {problem.file for error in loaded.broken.values() for problem in error.problems} == {"pipelines/crm/_defaults.yml"}


def test_folders_that_begin_with_an_underscore_or_a_dot_are_not_searched(folder: Path) -> None:
    for name in ("_drafts", ".git", "crm/_old"):
        write(f"pipelines/{name}/users.yaml", "a: [")
    assert not load_folder(folder).broken


def test_an_id_is_unique_in_the_whole_tree(folder: Path) -> None:
    write("pipelines/jp/users.yaml", SOURCE.format("d"))
    loaded = load_folder(folder)
    assert sorted(loaded.pipelines) == ["orders", "top"]
    assert {str(path): error.problems[0].message for path, error in loaded.broken.items()} == {
        "pipelines/crm/kr/users.yaml": "The id 'users' is also that of pipelines/jp/users.yaml.",
        "pipelines/jp/users.yaml": "The id 'users' is also that of pipelines/crm/kr/users.yaml.",
    }
    with pytest.raises(PipelineFileError, match="is also that of"):
        find_file(folder, "users")


def test_a_file_is_found_in_any_depth_without_reading_any(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("a file was opened"))
    assert find_file(folder, "users") == folder / "crm/kr/users.yaml"
    assert find_file(folder, "crm") is None


def test_links_to_folders_are_followed_but_never_in_a_circle(folder: Path, tmp_path: Path) -> None:
    write("elsewhere/linked.yaml", SOURCE.format("e"))
    (folder / "crm" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(folder.absolute())
    (folder / "crm" / "self").symlink_to(folder.absolute() / "crm")
    loaded = load_folder(folder)
    assert (sorted(loaded.pipelines), loaded.broken) == (["linked", "orders", "top", "users"], {})
    assert loaded.pipelines["linked"].owner == "crm"


def test_a_sub_folder_that_cannot_be_read_takes_no_other_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list_folder = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "kr":
            raise PermissionError(13, "Permission denied")
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", scandir)
    loaded = load_folder(folder)
    assert list(loaded.pipelines) == ["orders", "top"]
    assert [str(error) for error in loaded.broken.values()] == ["pipelines/crm/kr: The folder cannot be read: Permission denied."]
    assert set(loaded.files) == {"orders", "top"}


def test_defaults_are_read_once_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        write(f"pipelines/crm/kr/more_{number}.yaml", SOURCE.format(f"x{number}"))
    opened: Counter[str] = Counter()
    read = layers.read
    monkeypatch.setattr(layers, "read", lambda path: (opened.update([str(path)]), read(path))[1])
    assert len(load_folder(folder).pipelines) == 8
    assert opened["pipelines/_defaults.yaml"] == opened["pipelines/crm/_defaults.yml"] == 1
    assert set(opened.values()) == {1}
