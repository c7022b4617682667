"""The written reference and the generated schema agree with the models."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from activation.cli import main
from activation.spec import BrazeDestination, Cursor, Delivery, Errors, Pipeline, load_file
from activation.spec.alerts import Alerts
from activation.spec.columns import Columns, Identifiers
from activation.spec.destinations import Catalog
from activation.spec.expressions import FromEnvironment, Templated
from activation.spec.fields import MappedField, Mask
from activation.spec.grammar import entry_of, fields_marked, fields_of, models_of, takes
from activation.spec.kakao import KakaoDestination, KakaoFile, KakaoIds, KakaoOutput, KakaoWait
from activation.spec.kinesis import (
    KinesisChanges,
    KinesisDestination,
    KinesisMessage,
    KinesisRecords,
    KinesisRequests,
    KinesisStream,
)
from activation.spec.s3 import S3Access, S3Destination, S3Export, S3Files, S3Select, S3Unload
from activation.spec.schedule import Schedule
from activation.spec.schema import pipeline_schema
from activation.spec.sources import SOURCES, Related
from activation.spec.task import Task

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "pipeline-files.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n# (\S+)\n(.*?)```", REFERENCE, re.DOTALL)
HEADINGS: list[tuple[str, type[BaseModel]]] = [
    ("## The whole file", Pipeline),
    ("### `schedule`", Schedule),
    *(("### `source`", source) for source in SOURCES.values()),
    ("#### `source.related`", Related),
    ("### `cursor`", Cursor),
    ("### `destination`, type `braze`", BrazeDestination),
    ("#### `destination.catalog`", Catalog),
    ("### `destination`, type `s3`", S3Destination),
    ("#### `destination.access`", S3Access),
    ("#### `destination.files`", S3Files),
    ("#### The `unload` of `destination.files`", S3Unload),
    ("#### `destination.export`", S3Export),
    ("#### `destination.select`", S3Select),
    ("### `destination`, type `kinesis`", KinesisDestination),
    ("#### `destination.stream`", KinesisStream),
    ("#### `destination.message`", KinesisMessage),
    ("#### `destination.changes`", KinesisChanges),
    ("#### `destination.records`", KinesisRecords),
    ("#### `destination.requests`", KinesisRequests),
    ("### `destination`, type `kakao_moment`", KakaoDestination),
    ("#### `destination.file`", KakaoFile),
    ("#### `destination.ids`", KakaoIds),
    ("#### `destination.output`", KakaoOutput),
    ("#### The `wait` of `destination.output`", KakaoWait),
    ("### `columns`", Columns),
    ("#### `columns.identifiers`", Identifiers),
    ("#### A field of `columns.fields`", MappedField),
    ("#### The `mask` of a field", Mask),
    ("### `delivery`", Delivery),
    ("### `alerts`", Alerts),
    ("### `errors`", Errors),
    ("### `task`", Task),
]


def table(model: type[BaseModel]) -> str:
    """The reference table of one block."""
    rows = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    for name, info in fields_of(model).items():
        if info.is_required():
            default = "the file's name" if name == "id" else "required"
        elif models_of(info) and info.default is not None:
            default = "its defaults"
        else:
            default = f"`{json.dumps(info.default) if isinstance(info.default, bool | tuple | None) else info.default}`"
            default = default.replace("``", '`""`')
        # All engines take the same keys, so the reference has one table for them.
        shown = " or ".join(SOURCES) if name == "type" and model in SOURCES.values() else takes(info)
        rows.append(f"| `{name}` | {shown} | {default} | {info.description} |")
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(("heading", "model"), HEADINGS)
def test_reference_has_the_table_of_each_block(heading: str, model: type[BaseModel]) -> None:
    section = REFERENCE.partition(f"\n{heading}\n")[2]
    written = section[section.index("| key |") :].partition("\n\n")[0] + "\n"
    assert written == table(model)


def test_every_model_has_a_section() -> None:
    found: set[type[BaseModel]] = set()
    waiting: list[type[BaseModel]] = [Pipeline]
    while waiting:
        found.add(model := waiting.pop())
        waiting += [inner for info in model.model_fields.values() for inner in models_of(entry_of(info) or info).values()]
    assert {model for _, model in HEADINGS} == found


@pytest.mark.parametrize(("marker", "word"), [(Templated, "Jinja"), (FromEnvironment, "`${env:NAME}`")])
def test_reference_lists_where_expressions_are_allowed(marker: type, word: str) -> None:
    listed = ", ".join(f"`{field}`" for field in fields_marked(marker))
    assert f"{word} is allowed in {listed}." in REFERENCE


def test_examples_of_the_reference_load(tmp_path: Path) -> None:
    for name, text in EXAMPLES:
        (tmp_path / name).write_text(text, encoding="utf-8")
    environment = {"WAREHOUSE_CONNECTION": "warehouse", "WAREHOUSE_SCHEMA": "analytics"}
    loaded = {name: load_file(tmp_path / name, environment=environment) for name, _ in EXAMPLES if not name.startswith("_")}
    assert list(loaded) == [
        "users_to_braze.yaml",
        "events_to_partner.yaml",
        "profiles_to_kinesis.yaml",
        "vip_to_kakao.yaml",
        "customers_to_braze.yaml",
        "vip_users.yaml",
    ]
    assert loaded["vip_users.yaml"].owner == "crm-team"
    assert loaded["vip_users.yaml"].source.table_parts() == ("analytics", "vip.users")


def test_error_example_of_the_reference_is_real(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAREHOUSE_CONNECTION", "warehouse")
    folder = tmp_path / "dags" / "pipelines"
    folder.mkdir(parents=True)
    (folder / "users_to_braze.yaml").write_text(
        dict(EXAMPLES)["users_to_braze.yaml"].replace("table:", "tabel:"), encoding="utf-8"
    )
    assert main(["validate"]) == 1
    first = "\n".join(capsys.readouterr().out.splitlines()[:4])
    assert f"```text\n{first}\n```" in REFERENCE


def test_schema_file_is_up_to_date(tmp_path: Path) -> None:
    assert main(["schema", "--output", str(tmp_path / "schema.json")]) == 0
    assert (DOCS / "pipeline.schema.json").read_bytes() == (tmp_path / "schema.json").read_bytes()


def test_schema_is_a_valid_schema_and_agrees_with_the_models() -> None:
    schema = pipeline_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    good = {
        "source": {"type": "duckdb", "connection": "warehouse", "table": "main.users"},
        "destination": {"type": "braze", "connection": "braze", "data": "attributes"},
    }
    assert validator.is_valid(good)
    assert validator.is_valid({**good, "errors": {"timeout": "1h30m"}, "delivery": {"batch_bytes": "512KB"}})
    for wrong in [
        {"source": good["source"]},
        {**good, "sink": {}},
        {**good, "id": "Users"},
        {**good, "delivery": {"timeout": 30}},
        {**good, "delivery": {"batch_bytes": "4 MB"}},
        {**good, "delivery": {"batch_rows": 1001}},
        {**good, "cursor": {"key": []}},
        {**good, "source": {**good["source"], "type": "oracle"}},
    ]:
        assert not validator.is_valid(wrong), wrong


@pytest.mark.parametrize("model", [model for _, model in HEADINGS])
def test_every_field_is_documented_and_its_examples_fit_the_schema(model: type[BaseModel]) -> None:
    schema = pipeline_schema()
    properties = (schema if model is Pipeline else schema["$defs"][model.__name__])["properties"]
    for name, info in fields_of(model).items():
        assert info.title, name
        assert info.description, name
        assert info.examples, name
        assert "description" in properties[name]
        validator = Draft202012Validator({**properties[name], "$defs": schema["$defs"]})
        assert all(validator.is_valid(example) for example in info.examples), name


def test_no_block_has_more_than_eight_fields() -> None:
    assert {model.__name__: len(model.model_fields) for _, model in HEADINGS if len(model.model_fields) > 8} == {"Pipeline": 13}
