"""The examples of the documentation are run as they stand, and its tables name what the operators take."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from activation.dags.build import KINDS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
OPERATORS = {
    "warehouse_incremental_import": "activation.operators.braze_import:WarehouseIncrementalImportOperator",
    "s3_export": "activation.operators.s3_export:S3ExportOperator",
    "kinesis_profile_stream": "activation.operators.kinesis_stream:KinesisProfileStreamOperator",
    "kakao_customer_file": "activation.operators.kakao_customer_file:KakaoCustomerFileOperator",
}
CODE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = [DOCS / "dag-factory.md", *(DOCS / "operators" / f"{name}.md" for name in OPERATORS)]
EXAMPLES = [
    pytest.param(found[1], id=f"{page.stem}-{number}")
    for page in PAGES
    for number, found in enumerate(
        re.finditer(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    )
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_gives_dags_that_airflow_takes(code: str, tmp_path: Path) -> None:
    copytree(ROOT / "dags" / "pipelines", tmp_path / "pipelines")
    file = tmp_path / "example.py"
    names: dict[str, Any] = {}
    exec(compile(code, str(file), "exec"), names)  # noqa: S102
    dags = [one for one in names.values() if isinstance(one, DAG)]
    assert dags
    for dag in dags:
        assert dag.tasks
        DagSerialization.to_dict(dag)


def test_there_are_examples_of_everything() -> None:
    text = "".join(str(example.values[0]) for example in EXAMPLES)
    for name in ("load(", "Pipeline(", "ActivationTaskGroup(", *(path.partition(":")[2] for path in OPERATORS.values())):
        assert name in text


@pytest.mark.parametrize("page", OPERATORS)
def test_a_page_names_the_arguments_and_templates_of_its_operator(page: str) -> None:
    module, _, name = OPERATORS[page].partition(":")
    operator, text = getattr(import_module(module), name), (DOCS / "operators" / f"{page}.md").read_text(encoding="utf-8")
    told = {one for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for one in re.findall(r"`(\w+)`", row)}
    taken: set[str] = set()
    for one in operator.__mro__[: operator.__mro__.index(import_module("airflow.sdk").BaseOperator)]:
        taken |= {arg for arg in inspect.signature(one.__init__).parameters if arg not in ("self", "kwargs")}
    assert told == taken
    (line,) = re.findall(r"^Templated: (.*?)\.", text, re.MULTILINE)
    assert re.findall(r"`(\w+)`", line) == list(operator.template_fields)


@pytest.mark.parametrize("kind", KINDS.values(), ids=[kind.__name__ for kind in KINDS])
def test_the_pages_name_every_field_of_the_forms(kind: Any) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in kind.form if f"`{name}`" not in text] == []
