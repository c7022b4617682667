"""Files, folders and defaults: what is merged, what is found, and that one broken file never hides another."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from activation.errors import ConfigurationError
from activation.spec import PipelineFileError, Problem, find_file, load_file, load_files, load_folder

SOURCE = "source: {type: duckdb, connection: w, table: main.users}\n"
DESTINATION = "destination: {type: braze, connection: braze, data: attributes}\nalerts: {email: [crm@example.com]}\n"
GOOD = SOURCE + DESTINATION


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder ``pipelines`` in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("pipelines").mkdir()
    return Path("pipelines")


def write(folder: Path, **files: str) -> None:
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")


def problems(path: Path) -> list[tuple[str, int, int, str]]:
    with pytest.raises(PipelineFileError) as raised:
        load_file(path)
    return [(problem.file, problem.line, problem.column, problem.message) for problem in raised.value.problems]


def test_the_id_is_the_files_name(folder: Path) -> None:
    write(folder, users=GOOD, customers=f"id: customers\n{GOOD}")
    assert [load_file(folder / f"{name}.yaml").id for name in ("users", "customers")] == ["users", "customers"]


def test_a_path_may_be_a_text_with_a_byte_order_mark_inside(folder: Path) -> None:
    (folder / "users.yml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_file("pipelines/users.yml").source.connection == "w"


def test_anchors_are_allowed(folder: Path) -> None:
    destination = "destination: {type: braze, connection: &c braze, data: attributes}\n"
    write(folder, users=f"{SOURCE}{destination}owner: *c\nalerts: {{email: [*c]}}\n")
    assert load_file(folder / "users.yaml").owner == "braze"


def test_texts_that_old_yaml_reads_as_something_else_stay_texts(folder: Path) -> None:
    write(folder, users=GOOD + "tags: [yes, on, NO, 1:30, 010, 2026-01-01, 1_000, !!str 7, ! 8, =]\n")
    tags = ("yes", "on", "NO", "1:30", "010", "2026-01-01", "1_000", "7", "8", "=")
    assert load_file(folder / "users.yaml").tags == tags


def test_numbers_and_nothing_are_read_as_such(folder: Path) -> None:
    write(folder, users=GOOD + "schedule: ~\nerrors: {max_reject_share: 1e-1, retries: +7, timeout: null}\n")
    pipeline = load_file(folder / "users.yaml")
    assert (pipeline.schedule, pipeline.errors.timeout) == (None, None)
    assert (pipeline.errors.max_reject_share, pipeline.errors.retries) == (0.1, 7)


def test_environment_is_put_in_where_it_is_allowed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "schedule: ${env:WHEN}\nowner: ${env:WHO}-${env:WHO}\n"
    source = 'source: {type: duckdb, connection: "${env:WHO}", table: "{{ var.value.s }}.${env:WHO}"}\n'
    write(folder, users=text + source + DESTINATION)
    pipeline = load_file(folder / "users.yaml", environment={"WHEN": "@daily", "WHO": "me"})
    assert (pipeline.schedule, pipeline.owner, pipeline.source.connection) == ("@daily", "me-me", "me")
    assert pipeline.source.table == "{{ var.value.s }}.me"
    monkeypatch.setenv("WHEN", "@hourly")
    monkeypatch.setenv("WHO", "you")
    assert load_file(folder / "users.yaml").schedule == "@hourly"


def test_defaults_are_merged_underneath(folder: Path) -> None:
    write(
        folder,
        _defaults="owner: crm\ntags: [a, b]\nschedule: '@daily'\nerrors: {retries: 7, retry_delay: 5m}\n" + DESTINATION,
        users=SOURCE + "tags: [c]\nschedule: null\nerrors: {retries: 1}\ndestination: {connection: other}\n",
    )
    pipeline = load_file(folder / "users.yaml")
    assert (pipeline.owner, pipeline.tags, pipeline.schedule) == ("crm", ("c",), None)
    assert (pipeline.errors.retries, str(pipeline.errors.retry_delay)) == (1, "5m")
    assert pipeline.destination.model_dump(mode="json") == {
        "type": "braze",
        "connection": "other",
        "data": "attributes",
        "update_existing_only": False,
        "catalog": None,
        "profile": "combined_75",
        "on_unknown": "resend",
        "lint": "reject",
    }


def test_defaults_of_another_type_are_not_mixed_in(folder: Path) -> None:
    write(
        folder,
        _defaults="source: {type: postgres, connection: w}\n" + DESTINATION,
        same="source: {type: postgres, table: a.b}\n",
        unnamed="source: {table: a.b}\n",
        other="source: {type: duckdb, table: a.b}\n",
    )
    assert load_file(folder / "same.yaml").source == load_file(folder / "unnamed.yaml").source
    assert problems(folder / "other.yaml") == [("pipelines/other.yaml", 1, 1, "source needs the key 'connection'.")]


def test_a_type_in_the_file_alone_takes_defaults_without_a_type(folder: Path) -> None:
    write(folder, _defaults="source: {connection: w}\n" + DESTINATION, users="source: {type: duckdb, table: a.b}\n")
    assert load_file(folder / "users.yaml").source.connection == "w"


def test_problems_point_into_the_file_where_the_value_stands(folder: Path) -> None:
    write(
        folder,
        _defaults="# shared\nid: x\ndelivery:\n  batch_rows: 1001\n  timeout: 5\n" + DESTINATION,
        users=SOURCE + "delivery: {timeout: 7, in_flight: 0}\n",
    )
    assert problems(folder / "users.yaml") == [
        ("pipelines/users.yaml", 2, 21, "delivery.timeout is a number without a unit."),
        ("pipelines/users.yaml", 2, 35, "delivery.in_flight is out of range."),
        ("pipelines/_defaults.yaml", 2, 1, "An id cannot be shared by pipelines."),
        ("pipelines/_defaults.yaml", 4, 15, "delivery.batch_rows is out of range."),
    ]


def test_defaults_that_are_not_yaml_break_each_file(folder: Path) -> None:
    write(folder, _defaults="owner: [\n", users=GOOD, customers=GOOD)
    loaded = load_folder(folder)
    assert loaded.pipelines == {}
    assert {error.problems[0].file for error in loaded.broken.values()} == {"pipelines/_defaults.yaml"}


def test_two_files_of_defaults_are_refused(folder: Path) -> None:
    write(folder, _defaults="", users=GOOD)
    assert load_file(folder / "users.yaml").id == "users"
    (folder / "_defaults.yml").write_text("", encoding="utf-8")
    assert problems(folder / "users.yaml") == [
        ("pipelines/_defaults.yml", 0, 0, "_defaults.yaml stands beside it, and only one of them can count.")
    ]


def test_a_file_without_content_is_no_pipeline_even_with_defaults(folder: Path) -> None:
    write(folder, _defaults=GOOD, users="# nothing\n", customers="owner: me\n")
    assert load_file(folder / "customers.yaml").owner == "me"
    assert problems(folder / "users.yaml") == [("pipelines/users.yaml", 0, 0, "The file is empty.")]


def test_a_folder_gives_the_good_and_the_broken(folder: Path) -> None:
    write(folder, users=GOOD, broken="a: [\n", wrong=SOURCE, _notes="a: [", **{".hidden": "a: ["})
    (folder / "Big.YML").write_text("x: 1", encoding="utf-8")
    (folder / "readme.md").write_text("text", encoding="utf-8")
    (folder / "gone.yaml").symlink_to("nowhere")
    (folder / "deeper").mkdir()
    write(folder / "deeper", inner=GOOD.replace("main.users", "main.inner"))
    loaded = load_folder(folder)
    assert list(loaded.pipelines) == ["inner", "users"]
    assert sorted(path.name for path in loaded.broken) == ["Big.YML", "broken.yaml", "gone.yaml", "wrong.yaml"]
    assert sorted(loaded.files) == ["Big", "broken", "gone", "inner", "users", "wrong"]


def test_an_empty_folder_is_empty_and_a_missing_one_is_an_error(folder: Path) -> None:
    assert load_folder(folder).pipelines == {}
    for look in (load_folder, lambda path: find_file(path, "users")):
        with pytest.raises(PipelineFileError, match=r"^nowhere: The folder cannot be read: No such file or directory\.$"):
            look(Path("nowhere"))


def test_two_files_of_one_id_are_both_broken(folder: Path) -> None:
    write(folder, users=GOOD, customers=GOOD)
    (folder / "users.yml").write_text("owner: [a", encoding="utf-8")
    loaded = load_folder(folder)
    assert list(loaded.pipelines) == ["customers"]
    first, second = loaded.broken[folder / "users.yaml"], loaded.broken[folder / "users.yml"]
    assert str(first) == (
        "pipelines/users.yaml: The id 'users' is also that of pipelines/users.yml.\n        Give each pipeline its own file name."
    )
    assert [problem.message for problem in second.problems] == [
        "The id 'users' is also that of pipelines/users.yaml.",
        "The list that begins here is not closed.",
    ]
    with pytest.raises(PipelineFileError, match="is also that of"):
        find_file(folder, "users")


def test_the_same_file_twice_is_one_file(folder: Path) -> None:
    write(folder, users=GOOD)
    loaded = load_files([folder / "users.yaml", "pipelines/users.yaml"])
    assert (list(loaded.pipelines), loaded.broken) == (["users"], {})


def test_a_file_is_found_by_its_name_without_reading_any(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, users="a: [", _defaults="a: [", customers=GOOD)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("a file was opened"))
    assert find_file(folder, "users") == folder / "users.yaml"
    assert find_file("pipelines", "customers") == folder / "customers.yaml"
    assert find_file(folder, "nobody") is None
    assert find_file(folder, "_defaults") is None
    assert find_file(folder, "../pipelines/users") is None


def test_the_error_survives_pickling(folder: Path) -> None:
    write(folder, users="owner: 1\n")
    with pytest.raises(PipelineFileError) as raised:
        load_file(folder / "users.yaml")
    assert isinstance(raised.value, ConfigurationError)
    again = pickle.loads(pickle.dumps(raised.value))  # noqa: S301
    assert isinstance(again, PipelineFileError)
    assert (str(again), again.problems) == (str(raised.value), raised.value.problems)
    assert isinstance(again.problems[0], Problem)


def test_paths_are_told_as_they_were_given(folder: Path) -> None:
    write(folder, users="owner: 1\n")
    for path in (folder / "users.yaml", Path("pipelines/../pipelines/users.yaml"), folder.absolute() / "users.yaml"):
        assert {problem[0] for problem in problems(path)} == {str(path)}
