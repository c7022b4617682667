"""Environments: what lies over what, which file a problem is told in, and overlays that belong to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from activation.errors import ConfigurationError
from activation.spec import PipelineFileError, load_file, load_files, load_folder
from activation.spec.files import is_pipeline_file, split_name

GOOD = """source: {type: duckdb, connection: w, table: main.users}
destination: {type: braze, connection: braze, data: attributes}
alerts: {email: [crm@example.com]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ``pipelines`` in the working directory with one good file in a sub-folder."""
    monkeypatch.chdir(tmp_path)
    write("pipelines/crm/users.yaml", GOOD)
    return Path("pipelines")


def write(path: str, content: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(content, encoding="utf-8")


LAYERS = [
    "pipelines/_defaults.yaml",
    "pipelines/_defaults.prod.yaml",
    "pipelines/crm/_defaults.yaml",
    "pipelines/crm/_defaults.prod.yaml",
    "pipelines/crm/users.yaml",
    "pipelines/crm/users.prod.yaml",
]


@pytest.mark.parametrize("top", range(len(LAYERS)))
def test_each_layer_lies_over_those_before_it(folder: Path, top: int) -> None:
    for number, path in enumerate(LAYERS[: top + 1]):
        write(path, f"owner: layer{number}\n" + (GOOD if path.endswith("users.yaml") else ""))
    loaded = load_folder(folder, env="prod")
    assert loaded.pipelines["users"].owner == f"layer{top}"
    present = [path for number, path in enumerate(LAYERS) if number <= top or path.endswith("users.yaml")]
    assert [text.name for text in loaded.texts["users"]] == present[::-1]
    assert load_file(folder / "crm/users.yaml", root=folder, env="prod") == loaded.pipelines["users"]


def test_another_environments_layers_are_not_read(folder: Path) -> None:
    write("pipelines/crm/users.prod.yaml", "owner: [\n")
    write("pipelines/crm/_defaults.prod.yaml", "owner: [\n")
    for env in ("", "dev"):
        loaded = load_folder(folder, env=env)
        assert (list(loaded.pipelines), loaded.broken) == (["users"], {})
    assert [problem.file for problem in load_folder(folder, env="prod").broken[folder / "crm/users.yaml"].problems] == [
        "pipelines/crm/users.prod.yaml"
    ]


def test_an_overlay_changes_single_keys_and_replaces_lists(folder: Path) -> None:
    write("pipelines/crm/users.yaml", GOOD + "tags: [a, b]\nschedule: '@daily'\nerrors: {retries: 1, max_rows: 5}\n")
    write("pipelines/crm/users.prod.yaml", "tags: [c]\nschedule: null\nerrors: {retries: 2}\nsource: {connection: prod}\n")
    pipeline = load_file(folder / "crm/users.yaml", env="prod")
    assert (pipeline.tags, pipeline.schedule, pipeline.source.connection) == (("c",), None, "prod")
    assert (pipeline.errors.retries, pipeline.errors.max_rows) == (2, 5)


def test_an_overlay_of_another_type_replaces_the_block(folder: Path) -> None:
    write("pipelines/crm/users.prod.yaml", "source: {type: postgres, connection: prod}\n")
    with pytest.raises(PipelineFileError) as raised:
        load_file(folder / "crm/users.yaml", env="prod")
    assert [(one.file, one.line) for one in raised.value.problems] == [("pipelines/crm/users.prod.yaml", 1)]


def test_problems_are_told_in_the_file_where_the_value_stands(folder: Path) -> None:
    write("pipelines/_defaults.prod.yaml", "errors: {max_reject_share: 7}\nid: x\n")
    write("pipelines/crm/users.yaml", GOOD + "errors: {retries: 21, timeout: 5}\n")
    write("pipelines/crm/users.prod.yaml", "# prod\nid: users\nerrors: {timeout: 7}\nowner: [a]\n")
    with pytest.raises(PipelineFileError) as raised:
        load_file(folder / "crm/users.yaml", root=folder, env="prod")
    assert [(one.file, one.line, one.column, one.message) for one in raised.value.problems] == [
        ("pipelines/crm/users.yaml", 4, 19, "errors.retries is out of range."),
        ("pipelines/crm/users.prod.yaml", 2, 1, "An overlay cannot change the id."),
        ("pipelines/crm/users.prod.yaml", 3, 19, "errors.timeout is a number without a unit."),
        ("pipelines/crm/users.prod.yaml", 4, 8, "owner takes a text, not a list."),
        ("pipelines/_defaults.prod.yaml", 1, 28, "errors.max_reject_share is out of range."),
        ("pipelines/_defaults.prod.yaml", 2, 1, "An id cannot be shared by pipelines."),
    ]


def test_a_key_that_is_missing_is_told_in_the_pipeline_file(folder: Path) -> None:
    write("pipelines/crm/users.yaml", "owner: me\n")
    write("pipelines/crm/users.prod.yaml", "owner: you\n")
    with pytest.raises(PipelineFileError) as raised:
        load_file(folder / "crm/users.yaml", env="prod")
    assert {one.file for one in raised.value.problems} == {"pipelines/crm/users.yaml"}


def test_an_overlay_may_be_empty_but_the_file_may_not(folder: Path) -> None:
    write("pipelines/crm/users.prod.yaml", "# nothing yet\n")
    assert load_file(folder / "crm/users.yaml", env="prod").owner == "activation"
    write("pipelines/crm/users.yaml", "")
    write("pipelines/crm/users.prod.yaml", GOOD)
    with pytest.raises(PipelineFileError, match=r"users\.yaml: The file is empty"):
        load_file(folder / "crm/users.yaml", env="prod")


def test_two_overlays_of_one_environment_are_refused(folder: Path) -> None:
    write("pipelines/crm/users.prod.yaml", "")
    write("pipelines/crm/users.prod.yml", "")
    with pytest.raises(
        PipelineFileError, match=r"users\.prod\.yml: users\.prod\.yaml stands beside it, and only one of them can count\."
    ):
        load_file(folder / "crm/users.yaml", env="prod")


def test_an_overlay_of_no_file_is_a_problem_in_every_environment(folder: Path) -> None:
    write("pipelines/crm/user.prod.yaml", "owner: me\n")
    write("pipelines/users.prod.yml", "owner: me\n")
    write("pipelines/_notes.prod.yaml", "a: [")
    for env in ("", "prod", "dev"):
        loaded = load_folder(folder, env=env)
        assert list(loaded.pipelines) == list(loaded.files) == ["users"]
        assert [str(error) for error in loaded.broken.values()] == [
            "pipelines/crm/user.prod.yaml: There is no pipeline file user.yaml beside this overlay.\n"
            "        Did you mean users.prod.yaml? An overlay is called like the pipeline file that it changes, "
            "with the environment before the suffix.",
            "pipelines/users.prod.yml: There is no pipeline file users.yml beside this overlay.\n"
            "        An overlay is called like the pipeline file that it changes, with the environment before the suffix.",
        ]


def test_the_environments_of_a_folder_are_known(folder: Path) -> None:
    write("pipelines/_defaults.prod.yaml", "")
    write("pipelines/crm/users.dev-2.yaml", "")
    write("pipelines/crm/_notes.other.yaml", "")
    assert load_folder(folder).environments == ("dev-2", "prod")
    assert load_files([folder / "crm/users.yaml"]).environments == ("dev-2",)


@pytest.mark.parametrize("env", ["Prod", "1", "a.b", "../x", "pröd", " "])
def test_a_name_that_no_file_could_have_is_refused(folder: Path, env: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of an environment"):
        load_folder(folder, env=env)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("users.yaml", ("users", "")),
        ("users.prod.yaml", ("users", "prod")),
        ("users.dev-2.YML", ("users", "dev-2")),
        ("users.Prod.yaml", ("users.Prod", "")),
        ("a.b.c.yml", ("a.b", "c")),
        ("_defaults.prod.yaml", ("_defaults", "prod")),
        ("users.json", None),
        ("yaml", None),
    ],
)
def test_names_of_files(name: str, expected: tuple[str, str] | None) -> None:
    assert split_name(name) == expected
    is_file = expected is not None and not expected[1] and not name.startswith("_")
    assert is_pipeline_file(Path(name)) is is_file
