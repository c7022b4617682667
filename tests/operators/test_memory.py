from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from activation.cursor.progress import Progress, Tail, Totals
from activation.cursor.recovery import Move
from activation.cursor.timestamps import from_text
from activation.cursor.watermark import Watermark
from activation.cursor.window import Position, Window
from activation.errors import ConfigurationError, FatalError
from activation.operators.memory import WATERMARK, Memory, Opened, asset_of, state_folder

W1 = Watermark(from_text("2026-07-19T09:07:23.123456789Z"), 5, 0, {}, "run-1")
W2 = Watermark(from_text("2026-07-20T00:00:00Z"), 1, 0, {}, "run-2")
OPENED = Opened(
    Window(W1.at, False, from_text("2026-07-21T00:00:00Z"), True),
    W1,
    3,
    Progress(Position(None, ("",)), (), Totals(7, 5, 1, 1, {"bad": 1}), Tail(W2.at, 1, 3)),
    2,
)


class Store:
    """Keeps JSON, as Airflow's stores do."""

    def __init__(self, **values: Any) -> None:
        self.values = {name: json.dumps(value) for name, value in values.items()}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key: str, value: Any) -> None:
        assert value is not None
        self.values[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


def test_progress_survives_and_is_taken_up_from_the_same_watermark_only() -> None:
    task = Store()
    Memory(Store(), task, None, "run-3").save(OPENED)
    again = Memory(Store(), task, None, "run-3")
    assert again.resume(W1) == OPENED
    assert again.resume(W2) is None


def test_after_a_commit_nothing_is_left_to_resume() -> None:
    task, asset = Store(), Store()
    memory = Memory(asset, task, None, "run-3")
    memory.save(OPENED)
    memory.commit(W2)
    assert Watermark.from_json(asset.get(WATERMARK)) == W2
    assert memory.resume(W1) is None


def test_a_typed_watermark_is_adopted_under_the_runs_name(caplog: pytest.LogCaptureFixture) -> None:
    asset = Store(watermark={"updated_at": "2026-01-01T00:00:00Z"})
    memory = Memory(asset, Store(), Move(W1, W2), "run-3")
    assert memory.watermark() == Watermark(from_text("2026-01-01T00:00:00Z"), run="run-3")
    assert asset.get(WATERMARK)["run"] == "run-3"
    assert "it is honoured" in caplog.text
    memory.guard()


def test_a_reset_to_the_same_value_is_honoured_every_time() -> None:
    typed = {"updated_at": None}
    asset = Store(watermark=typed)
    first = Memory(asset, Store(), Move(None, W1), "run-2")
    assert first.watermark().at is None
    held = first.held
    first.commit(W2)
    asset.set(WATERMARK, typed)
    second = Memory(asset, Store(), Move(held, W2), "run-3")
    assert second.watermark().at is None


def test_a_crash_between_journal_and_asset_state_goes_on_from_the_journal() -> None:
    memory = Memory(Store(watermark=W1.to_json()), Store(), Move(W1, W2), "run-3")
    assert memory.watermark() == W2
    memory.guard()


def test_a_change_by_somebody_else_during_the_run_is_not_overwritten() -> None:
    asset = Store(watermark=W1.to_json())
    memory = Memory(asset, Store(), Move(None, W1), "run-2")
    memory.watermark()
    asset.set(WATERMARK, {"updated_at": None})
    with pytest.raises(FatalError, match=r"was changed while this run was moving .* It is left as it is"):
        memory.guard()


def test_an_unreadable_watermark_says_what_one_looks_like() -> None:
    with pytest.raises(ConfigurationError, match=r'a watermark looks like .* Fix: Set it to \{"updated_at": "…"\}'):
        Memory(Store(watermark={"at": 5}), Store(), None, "run-1")


def test_the_state_folder_is_in_airflows_home_unless_it_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", "")
    assert state_folder("p") == tmp_path / "activation" / "p"
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", f"file://{tmp_path}/elsewhere")
    assert state_folder("p") == tmp_path / "elsewhere" / "p"


@pytest.mark.parametrize("executor", ["CeleryExecutor", "KubernetesExecutor", "LocalExecutor,CeleryExecutor"])
def test_a_local_state_folder_under_several_machines_is_refused(monkeypatch: pytest.MonkeyPatch, executor: str) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", "file:///var/activation")
    with pytest.raises(ConfigurationError, match=r"AIRFLOW__ACTIVATION__STATE_FOLDER to object storage"):
        state_folder("p")
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER_IS_SHARED", "True")
    assert state_folder("p") == Path("/var/activation/p")


def test_the_asset_carries_the_pipelines_name() -> None:
    assert (asset_of("users").name, asset_of("users").uri) == ("activation/users", "x-activation://pipeline/users")
