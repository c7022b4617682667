"""``Pipeline(...)``: made in Python, with the rules and the messages of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from activation import spec
from activation.dags import Pipeline, build_dag
from activation.errors import ConfigurationError
from activation.spec import load_file

SOURCE = {"type": "postgres", "connection": "pg", "table": "a.b"}
BRAZE = {"type": "braze", "connection": "braze", "data": "attributes"}
FILE = """schedule: "@hourly"
source: {type: postgres, connection: pg, table: a.b}
destination: {type: braze, connection: braze, data: attributes}
cursor: {rule: dedup, lookback: 1h}
alerts: {email: [crm@example.com]}
"""


def test_it_is_the_pipeline_of_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(FILE)
    read, cursor = load_file(tmp_path / "users.yaml"), {"rule": "dedup", "lookback": "1h"}
    alerts = {"email": ["crm@example.com"]}
    made = Pipeline(id="users", source=SOURCE, destination=BRAZE, schedule="@hourly", cursor=cursor, alerts=alerts)
    assert isinstance(made, spec.Pipeline)
    assert made.model_dump() == read.model_dump()
    assert build_dag(made).dag_id == "users"


def test_the_environment_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", "pg_prod")
    made = Pipeline(id="users", source={**SOURCE, "connection": "${env:WAREHOUSE}"}, destination=BRAZE)
    assert made.source.connection == "pg_prod"


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ({}, 'A pipeline that is made in Python needs an id. Fix: Write Pipeline(id="users", …).'),
        ({"id": "Users", "source": SOURCE, "destination": BRAZE}, "Pipeline Users: id "),
        ({"id": "users", "source": SOURCE}, "Pipeline users: The pipeline needs the key 'destination'."),
        (
            {"id": "users", "source": {**SOURCE, "tabel": "x"}, "destination": BRAZE},
            "Pipeline users: 'tabel' is not a key of source.",
        ),
        (
            {"id": "users", "source": SOURCE, "destination": {**BRAZE, "data": "atributes"}},
            "Pipeline users: destination.data does not know 'atributes'.\n        Did you mean attributes?",
        ),
        ({"id": "users", "source": SOURCE, "destination": BRAZE, "schedule": "hourly"}, "Pipeline users: schedule "),
        (
            {"id": "users", "source": SOURCE, "destination": BRAZE, "scheduel": "@daily"},
            "Pipeline users: 'scheduel' is not a key",
        ),
    ],
)
def test_a_wrong_one_is_told_as_a_file_is(blocks: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Pipeline(**blocks)
    assert text in str(error.value)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        Pipeline(id="Users", source={**SOURCE, "tabel": "x"}, destination=BRAZE, tags=1)
    assert len([line for line in str(error.value).splitlines() if line.startswith("Pipeline Users: ")]) == 3
