"""The watermark's two homes: lost state is restored, a person's reset is honoured, a cleared task begins anew."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import World

pytestmark = pytest.mark.airflow

NAME = "from_postgres"


def _run(world: World) -> dict[str, int]:
    run_id = world.trigger(NAME)
    assert world.finish(NAME, run_id) == "success"
    rows: dict[str, int] = world.api.xcom(NAME, run_id, "import")["rows"]
    return rows


def test_postgres_to_braze_keeps_its_watermark_through_loss_reset_and_clearing(world: World) -> None:
    world.forget()
    assert _run(world)["sent"] == 5000
    assert world.braze.summary()["profiles"] == 5000
    assert _run(world)["read"] == 0

    journal = world.folder / "state" / NAME / "latest.json"
    recorded = json.loads(journal.read_text(encoding="utf-8"))
    assert recorded["move"]["after"] == world.watermark(NAME)
    assert len(list((journal.parent / "runs").iterdir())) == 2

    world.api.call("DELETE", f"/assets/{world.api._asset_id(f'activation/{NAME}')}/state-store/watermark")
    assert world.watermark(NAME) is None
    assert _run(world)["read"] == 0
    assert world.watermark(NAME)["updated_at"] == recorded["move"]["after"]["updated_at"]

    world.api.set_asset_state(f"activation/{NAME}", "watermark", {"updated_at": "2026-01-01T00:00:04.5Z"})
    assert _run(world)["sent"] == 5000 - 4500, "4.5 s after the first row: the count rule takes the row at the mark again"

    run_id = world.trigger(NAME)
    assert world.finish(NAME, run_id) == "success"
    world.api.clear_task(NAME, run_id, "import")
    assert world.finish(NAME, run_id) == "success"
    assert world.api.xcom(NAME, run_id, "import")["rows"]["read"] == 0
