"""Many pipelines from one file: what they get, their ids, how one is found, and what is told when something is wrong."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from activation.errors import ConfigurationError
from activation.spec import PipelineFileError, find_file, load_file, load_folder, loader
from activation.spec import defaults as layers
from activation.spec.models import Pipeline
from activation.spec.schema import pipeline_schema

DESTINATION = "destination: {type: braze, connection: braze, data: attributes}\nalerts: {email: [crm@example.com]}\n"
COUNTRY = 'source: {type: duckdb, connection: w, table: "crm.users_${matrix.country}"}\n' + DESTINATION
BRAND = COUNTRY.replace("users_", "users_${matrix.brand}_")

_CASE = re.compile(r"=== (.*)\n((?:.|\n)*?)>>>\n((?:.|\n)*?)\n(?=\n===|\Z)")
_TEXT = (Path(__file__).parent / "messages_matrix.txt").read_text(encoding="utf-8")
CASES = [match.groups() for match in _CASE.finditer(_TEXT)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder ``pipelines`` in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("pipelines").mkdir()
    return Path("pipelines")


def write(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


def tables(folder: Path, env: str = "") -> dict[str, str]:
    loaded = load_folder(folder, env=env)
    assert not loaded.broken
    return {pipeline_id: str(pipeline.source.table) for pipeline_id, pipeline in loaded.pipelines.items()}


def test_the_corpus_is_complete() -> None:
    assert len(CASES) == _TEXT.count("\n>>>\n") >= 30
    assert len({name for name, *_ in CASES}) == len(CASES)


@pytest.mark.parametrize(("content", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_message(folder: Path, content: str, expected: str) -> None:
    path = write(folder, "users.yaml", content)
    assert str(load_folder(folder).broken[path]) == expected


def test_lists_make_every_combination_in_their_order(folder: Path) -> None:
    write(folder, "users.yaml", "matrix: {country: [kr, jp], brand: [a, b]}\n" + BRAND)
    assert tables(folder) == {
        "users_kr_a": "crm.users_a_kr",
        "users_kr_b": "crm.users_b_kr",
        "users_jp_a": "crm.users_a_jp",
        "users_jp_b": "crm.users_b_jp",
    }
    assert list(tables(folder)) == ["users_kr_a", "users_kr_b", "users_jp_a", "users_jp_b"]
    assert set(load_folder(folder).files.values()) == {folder / "users.yaml"}


def test_blocks_make_one_pipeline_each_whatever_the_order_of_their_names(folder: Path) -> None:
    matrix = "matrix:\n- {country: kr, table: crm.members}\n- {table: crm.kaiin, country: JP}\n"
    content = COUNTRY.replace("crm.users_${matrix.country}", "${matrix.table}") + "tags: ['${matrix.country}']\n"
    write(folder, "users.yaml", matrix + content)
    assert tables(folder) == {"users_kr_crm_members": "crm.members", "users_jp_crm_kaiin": "crm.kaiin"}
    write(
        folder,
        "users.yaml",
        "id: users_of_${matrix.table}\n"
        + matrix.replace("crm.", "crm_")
        + content.replace("${matrix.table}", "c.${matrix.table}"),
    )
    assert tables(folder) == {"users_of_crm_members": "c.crm_members", "users_of_crm_kaiin": "c.crm_kaiin"}


def test_a_value_that_stands_alone_keeps_its_type(folder: Path) -> None:
    content = COUNTRY.replace("users_${matrix.country}", "users")
    more = (
        "errors: {retries: '${matrix.n}', max_reject_share: '${matrix.share}'}\n"
        "cursor: {skip_unchanged: '${matrix.on}'}\n"
        "description: n=${matrix.n} share=${matrix.share} on=${matrix.on}\n"
    )
    write(folder, "users.yaml", "matrix: {n: [7], share: [0.25], on: [true]}\n" + content + more)
    pipeline = load_file(folder / "users.yaml")
    assert (pipeline.errors.retries, pipeline.errors.max_reject_share, pipeline.cursor.skip_unchanged) == (7, 0.25, True)
    assert pipeline.description == "n=7 share=0.25 on=true"
    assert pipeline.id == "users_7_0_25_true"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("KR", "users_kr"),
        ("ko-KR", "users_ko_kr"),
        ("한국", "users__"),
        ("a  b", "users_a_b"),
        ("-1", "users__1"),
        ("''", "users_"),
    ],
)
def test_the_id_has_what_an_id_cannot_have_replaced(folder: Path, value: str, expected: str) -> None:
    write(
        folder,
        "users.yaml",
        f"matrix: {{country: [{value}]}}\ndescription: x${{matrix.country}}\n" + COUNTRY.replace("_${matrix.country}", ""),
    )
    assert list(tables(folder)) == [expected]


def test_values_may_hold_what_the_field_takes(folder: Path) -> None:
    write(folder, "users.yaml", "matrix: {country: ['${env:WHERE}', '{{ var.value.x }}']}\n" + COUNTRY)
    loaded = load_folder(folder, environment={"WHERE": "kr"})
    assert [str(one.source.table) for one in loaded.pipelines.values()] == ["crm.users_kr", "crm.users_{{ var.value.x }}"]


def test_defaults_below_a_matrix_are_filled_and_plain_files_must_not_need_them(folder: Path) -> None:
    write(folder, "_defaults.yaml", "owner: team-${matrix.country}\n")
    write(folder, "users.yaml", "matrix: {country: [kr, jp]}\n" + COUNTRY)
    write(folder, "plain.yaml", COUNTRY.replace("_${matrix.country}", "") + "owner: me\n")
    wrong = write(folder, "wrong.yaml", COUNTRY.replace("users_${matrix.country}", "orders"))
    loaded = load_folder(folder)
    assert {one.id: one.owner for one in loaded.pipelines.values()} == {
        "plain": "me",
        "users_kr": "team-kr",
        "users_jp": "team-jp",
    }
    assert [(one.file, one.line, one.message) for one in loaded.broken[wrong].problems] == [
        ("pipelines/_defaults.yaml", 1, "owner asks for ${matrix.country}, but the file has no matrix.")
    ]


def test_an_overlay_replaces_the_whole_matrix(folder: Path) -> None:
    write(folder, "users.yaml", "matrix: {country: [kr], brand: [a]}\n" + BRAND)
    write(folder, "users.prod.yaml", "matrix: {brand: [a, b], country: [kr]}\n")
    write(folder, "users.test.yaml", "matrix: [{country: zz, brand: t}]\nowner: test-${matrix.country}\n")
    assert list(tables(folder)) == ["users_kr_a"]
    assert list(tables(folder, "prod")) == ["users_a_kr", "users_b_kr"]
    assert list(tables(folder, "test")) == ["users_zz_t"]
    assert find_file(folder, "users_b_kr", env="prod") == folder / "users.yaml"
    assert find_file(folder, "users_b_kr") is None


def test_one_pipeline_is_found_by_reading_only_files_that_begin_like_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "users.yaml", "matrix: {country: [kr, jp_x]}\n" + COUNTRY)
    write(folder, "users_jp.yaml", COUNTRY.replace("_${matrix.country}", ""))
    write(folder, "orders.yaml", "a: [")
    read, opened = layers.read, list[str]()
    monkeypatch.setattr(layers, "read", lambda path: (opened.append(path.name), read(path))[1])
    for pipeline_id, file, looked_at in (
        ("users_jp", "users_jp.yaml", []),
        ("users_kr", "users.yaml", ["users.yaml"]),
        ("users_jp_x", "users.yaml", ["users_jp.yaml", "users.yaml"]),
        ("users_de", None, ["users.yaml"]),
        ("order", None, []),
    ):
        opened.clear()
        assert find_file(folder, pipeline_id) == (folder / file if file else None)
        assert opened == looked_at


def test_only_a_file_that_may_make_the_pipeline_stops_the_search(folder: Path) -> None:
    write(folder, "users.yaml", "owner: [\n")
    assert find_file(folder, "users_kr") is None
    write(folder, "users.yaml", "matrix: {country: [kr\n")
    with pytest.raises(PipelineFileError, match=r"users\.yaml:1:19"):
        find_file(folder, "users_kr")


def test_one_pipeline_is_loaded_without_checking_the_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(folder, "users.yaml", "matrix: {country: [kr, jp, 'd e']}\n" + COUNTRY)
    checked = Counter[str]()
    validate = Pipeline.model_validate

    def counting(values: dict[str, str], **more: object) -> Pipeline:
        checked[values["id"]] += 1
        return validate(values, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(loader.Pipeline, "model_validate", counting)
    assert str(load_file(path, "users_jp").source.table) == "crm.users_jp"
    assert checked == {"users_jp": 1}


def test_a_file_of_several_pipelines_needs_one_to_be_named(folder: Path) -> None:
    path = write(folder, "users.yaml", "matrix: {country: [kr, jp, de, fr]}\n" + COUNTRY)
    with pytest.raises(ConfigurationError) as raised:
        load_file(path)
    assert str(raised.value) == (
        "pipelines/users.yaml makes 4 pipelines: users_kr, users_jp, users_de and 1 more. Fix: Name one of them by its id."
    )
    with pytest.raises(ConfigurationError) as raised:
        load_file(path, "users_k")
    assert str(raised.value) == (
        "pipelines/users.yaml makes no pipeline users_k. "
        "Fix: Did you mean users_kr? It makes users_kr, users_jp, users_de and 1 more."
    )


def test_an_id_that_a_matrix_and_another_file_give_breaks_both(folder: Path) -> None:
    write(folder, "users.yaml", "matrix: {country: [kr, jp]}\n" + COUNTRY)
    write(folder, "users_kr.yaml", COUNTRY.replace("users_${matrix.country}", "orders"))
    write(folder, "good.yaml", COUNTRY.replace("users_${matrix.country}", "good"))
    loaded = load_folder(folder)
    assert list(loaded.pipelines) == ["good"]
    assert {path.name: [one.message for one in error.problems] for path, error in loaded.broken.items()} == {
        "users.yaml": ["The id 'users_kr' is also that of pipelines/users_kr.yaml."],
        "users_kr.yaml": ["The id 'users_kr' is also that of pipelines/users.yaml."],
    }


def test_many_ids_that_two_files_share_are_told_once(folder: Path) -> None:
    many = ", ".join(f"c{number}" for number in range(400))
    for path in ("users.yaml", "users.yml"):
        write(folder, path, f"matrix: {{country: [{many}]}}\n" + COUNTRY)
    assert [one.message for one in load_folder(folder).broken[folder / "users.yml"].problems] == [
        "The ids 'users_c0', 'users_c1', 'users_c2' and 397 more are also those of pipelines/users.yaml."
    ]


def test_one_table_in_all_pipelines_of_a_matrix_is_told_once(folder: Path) -> None:
    many = ", ".join(f"c{number}" for number in range(400))
    path = write(
        folder,
        "users.yaml",
        f"matrix: {{country: [{many}]}}\n" + COUNTRY.replace("_${matrix.country}", "") + "owner: ${matrix.country}\n",
    )
    assert [(one.line, one.message) for one in load_folder(folder).broken[path].problems] == [
        (
            2,
            "The table crm.users is also carried to Braze (connection braze) by users_c1 (users.yaml), users_c2 (users.yaml), "
            "users_c3 (users.yaml), users_c4 (users.yaml), users_c5 (users.yaml), 394 more "
            "(matrix: country=c0; country=c1; country=c2; 397 more).",
        )
    ]


def test_a_thousand_pipelines_of_one_file_are_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = ", ".join(f"c{number}" for number in range(1000))
    write(folder, "users.yaml", f"matrix: {{country: [{many}]}}\n" + COUNTRY)
    read, opened = layers.read, Counter[str]()
    monkeypatch.setattr(layers, "read", lambda path: (opened.update([path.name]), read(path))[1])
    assert len(load_folder(folder).pipelines) == 1000
    assert opened == {"users.yaml": 1}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("matrix: {country: [kr, jp]}\nowner: 5\n" + COUNTRY, ["users_kr", "users_jp"]),
        ("matrix: {country: [kr, jp]}\nowner: ${matrix.contry}\n" + COUNTRY, ["users_kr", "users_jp"]),
        ("matrix: {country: [kr, jp]}\nid: users_x_${matrix.country}\nsource: 1\n", ["users_x_kr", "users_x_jp"]),
        ("matrix: {country: [kr, jp]}\nid: users_x_${matrix.contry}\n" + COUNTRY, ["users"]),
        ("matrix: {country: [kr, null]}\n" + COUNTRY, ["users"]),
        ("matrix: {country: [kr, jp]}\nowner: [\n" + COUNTRY, ["users"]),
    ],
)
def test_a_broken_file_still_names_its_pipelines(folder: Path, content: str, expected: list[str]) -> None:
    path = write(folder, "users.yaml", content)
    loaded = load_folder(folder)
    assert list(loaded.broken) == [path]
    assert loaded.files == dict.fromkeys(expected, path)


def test_broken_defaults_leave_the_ids_of_a_matrix(folder: Path) -> None:
    path = write(folder, "users.yaml", "matrix: {country: [kr, jp]}\n" + COUNTRY)
    write(folder, "_defaults.yaml", "owner: [\n")
    assert load_folder(folder).files == {"users_kr": path, "users_jp": path}


def test_an_escaped_use_is_a_use(folder: Path) -> None:
    path = write(folder, "users.yaml", 'matrix: {country: [kr]}\nowner: "\\x24{matrix.wrong}"\n' + COUNTRY)
    assert [one.message for one in load_folder(folder).broken[path].problems] == [
        "owner asks for 'wrong', which is not a name of the matrix."
    ]


@pytest.mark.parametrize(
    ("change", "is_valid"),
    [
        ({"matrix": {"country": ["kr", 1, True]}}, True),
        ({"matrix": [{"country": "kr", "n": 1}]}, True),
        ({"matrix": {"country": ["kr"]}, "id": "users_${matrix.country}", "errors": {"retries": "${matrix.n}"}}, True),
        ({"matrix": {"country": ["kr"]}, "delivery": {"timeout": "${matrix.t}", "batch_rows": "${matrix.n}"}}, True),
        ({"matrix": {}}, False),
        ({"matrix": []}, False),
        ({"matrix": {"country": []}}, False),
        ({"matrix": {"Country": ["kr"]}}, False),
        ({"matrix": {"country": [None]}}, False),
        ({"matrix": [{"country": ["kr"]}]}, False),
        ({"errors": {"retries": "3"}}, False),
        ({"delivery": {"timeout": "30"}}, False),
    ],
)
def test_the_schema_knows_the_matrix(change: dict[str, object], is_valid: bool) -> None:
    good = {
        "source": {"type": "duckdb", "connection": "warehouse", "table": "main.users"},
        "destination": {"type": "braze", "connection": "braze", "data": "attributes"},
    }
    assert Draft202012Validator(pipeline_schema()).is_valid({**good, **change}) is is_valid


def test_the_examples_of_the_reference_make_what_they_say(folder: Path) -> None:
    reference = (Path(__file__).parents[2] / "docs" / "pipeline-files.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n# (\S+\.yaml): ([^\n]*)\n(.*?)```", reference, re.DOTALL)
    made = [example for example in examples if example[0].count(".") == 1]
    assert len(made) == 2
    for name, ids, content in made:
        write(folder, name, content)
        assert [one for one, file in load_folder(folder).files.items() if file.name == name] == ids.split(", ")
    write(folder, "users.yaml", "schedule: '@daily'\n" + COUNTRY.replace("_${matrix.country}", ""))
    (overlay,) = [content for name, _, content in examples if name == "users.prod.yaml"]
    write(folder, "users.prod.yaml", overlay)
    loaded = load_folder(folder, env="prod")
    assert not loaded.broken
    assert loaded.pipelines["members_jp"].errors.retries == 8
    users = loaded.pipelines["users"]
    assert (users.schedule, users.source.connection, users.errors.retries) == ("*/5 * * * *", "warehouse_prod", 10)
    for line in re.findall(r"^\d\. `(.*)`, `(.*)`$", reference, re.MULTILINE):
        for layer in line:
            (folder / layer).parent.mkdir(exist_ok=True)
            if "users" not in layer:
                write(folder, layer, f"owner: {layer}\n")
    (folder / "users.yaml").rename(folder / "crm/users.yaml")
    (folder / "users.prod.yaml").rename(folder / "crm/users.prod.yaml")
    texts = load_folder(folder, env="prod").texts["users"]
    layers_told = [layer for line in re.findall(r"^\d\. `(.*)`, `(.*)`$", reference, re.MULTILINE) for layer in line]
    assert [text.name.removeprefix("pipelines/") for text in texts] == layers_told[::-1]
