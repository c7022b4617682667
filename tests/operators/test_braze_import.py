from __future__ import annotations

from typing import Any

import pytest

from activation.errors import ConfigurationError
from activation.operators.braze_import import WarehouseIncrementalImportOperator

SOURCE = {"type": "duckdb", "connection": "warehouse", "table": "marketing.users"}
DESTINATION = {"type": "braze", "connection": "braze", "data": "attributes"}


def operator(**changed: Any) -> WarehouseIncrementalImportOperator:
    blocks = {"task_id": "import", "pipeline_id": "users", "source": SOURCE, "destination": DESTINATION}
    return WarehouseIncrementalImportOperator(**{**blocks, **changed})


def test_the_asset_is_the_tasks_outlet() -> None:
    task = operator()
    assert task.outlets[0] == task.asset
    assert task.asset.name == "activation/users"


def test_blocks_keep_the_grammar_of_a_pipeline_file() -> None:
    pipeline = operator(cursor={"rule": "dedup", "lookback": "1h"}, delivery={"in_flight": 4}).pipeline()
    assert pipeline.cursor.rule == "dedup"
    assert pipeline.cursor.lookback.seconds == 3600
    assert pipeline.delivery.in_flight == 4


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"delivery": {"in_fligth": 4}}, "Did you mean in_flight?"),
        ({"source": {**SOURCE, "type": "oracle"}}, "source.type does not know 'oracle'."),
        ({"cursor": {"lookback": 60}}, "is a number without a unit"),
        ({"destination": {**DESTINATION, "api_key": "s3cr3t"}}, "secrets never stand in a pipeline file"),
        ({"max_reject_share": 2}, "errors.max_reject_share is out of range."),
        ({"pipeline_id": "Users!"}, "pipeline id"),
    ],
)
def test_a_wrong_block_is_told_when_the_dag_is_parsed(changed: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        operator(**changed)
    assert text in str(error.value)
    assert "s3cr3t" not in str(error.value)


def test_templates_are_checked_again_once_they_are_rendered() -> None:
    task = operator(source={**SOURCE, "table": "{{ params.schema }}.users"})
    task.render_template_fields({"params": {"schema": "marketing"}})
    assert task.pipeline().source.table_parts() == ("marketing", "users")
    task.source["table"] = "a.b.c.d"
    with pytest.raises(ConfigurationError, match="has 4 parts"):
        task.pipeline()


def test_stopping_before_the_work_has_begun_does_no_harm() -> None:
    operator().on_kill()
