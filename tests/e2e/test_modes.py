"""The trigger form in a real Airflow: a preview, a part, the rest, everything, a reset, an order that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import World

pytestmark = pytest.mark.airflow

NAME = "modes"


def _run(world: World, **conf: Any) -> dict[str, Any]:
    run_id = world.trigger(NAME, **conf)
    assert world.finish(NAME, run_id) == "success", world.log(NAME, run_id)
    report: dict[str, Any] = world.api.xcom(NAME, run_id, "import")
    return report


def test_f25_a_run_does_what_the_trigger_form_says(world: World) -> None:
    world.forget()
    seen = _run(world, mode="preview", limit=100)
    assert (seen["rows"]["read"], seen["estimate"]["rows_sent"]) == (100, 100)
    assert seen["items"][0]["external_id"] == "u***"
    assert world.braze.summary()["profiles"] == 0
    assert world.watermark(NAME) is None

    assert _run(world, limit=1_000)["rows"]["sent"] == 1_000
    assert _run(world)["rows"]["sent"] == 4_000
    assert _run(world, mode="full")["rows"]["sent"] == 5_000
    assert world.braze.summary()["profiles"] == 5_000

    assert _run(world, mode="reset", reset_to="2026-01-01T00:00:04Z")["watermark"]["after"] == "2026-01-01T00:00:04Z"
    assert world.watermark(NAME)["updated_at"] == "2026-01-01T00:00:04Z"
    assert _run(world)["rows"]["sent"] == 1_000

    run_id = world.trigger(NAME, mode="replay")
    assert world.finish(NAME, run_id) == "failed"
    assert "has no rejects to replay" in world.log(NAME, run_id)
