"""What a person must fix gives one clear error that names the fix; nothing is moved and the watermark stays where it is."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import GOOD_KEY, PG_PASSWORD, READ_KEY, WRONG_KEY, World

pytestmark = pytest.mark.airflow

ERRORS = {
    "wrong_key": (
        "Braze refused the API key with 401 (Invalid API key: ***). Fix: Check that the connection's key is complete and "
        "belongs to the workspace and instance of its host."
    ),
    "no_permission": "Fix: Give the API key the permission users.track",
    "wrong_host": (
        "There is no host https://rest.nowhere.invalid. Fix: Set the connection's host to your instance's REST endpoint, "
        "such as https://rest.iad-01.braze.com."
    ),
    "not_braze": "Fix: Set the connection's host to your instance's REST endpoint, such as https://rest.iad-01.braze.com",
    "no_connection": (
        "There is no Airflow connection 'nobody'. Fix: Create it under Admin › Connections or as AIRFLOW_CONN_NOBODY, or "
        "correct its name in the pipeline."
    ),
    "missing_table": "marketing.nobody",
    "missing_column": (
        "marketing.users has no column CHANGED_AT (it has EXTERNAL_ID, PAYLOAD, UPDATED_AT). Did you mean UPDATED_AT? "
        "Fix: Name the column as the pipeline expects it, or read from a view that does."
    ),
    "no_right": "GRANT",
    "unreadable": "pipelines/unreadable.yaml:2:47: 'tabel' is not a key of source.",
}

STANDING = {"updated_at": "2026-01-01T00:00:01Z", "rows": 1, "nulls": 0, "run": "an earlier run"}
"""A watermark that one of the failing pipelines has already."""


@pytest.fixture(scope="module")
def failed(world: World) -> dict[str, str]:
    """The logs of one run of every pipeline that a person must fix."""
    world.forget()
    world.api.unpause("no_permission")
    world.api.set_asset_state("activation/no_permission", "watermark", STANDING)
    runs = {name: world.trigger(name) for name in ERRORS}
    for name, run_id in runs.items():
        assert world.finish(name, run_id) == "failed", name
    assert world.braze.summary()["objects"]["attributes"]["accepted"] == 0
    for name, run_id in runs.items():
        assert len(world.api.tries(name, run_id, "import")) == 1, f"{name} was retried"
    return {name: world.log(name, run_id) for name, run_id in runs.items()}


@pytest.mark.parametrize("name", ERRORS)
def test_f29_the_error_names_the_fix(world: World, failed: dict[str, str], name: str) -> None:
    assert ERRORS[name] in failed[name]
    assert world.watermark(name) == (STANDING if name == "no_permission" else None)
    assert not (world.folder / "state" / name / "latest.json").exists()


def test_an_unreadable_file_is_an_import_error_of_its_own_and_hides_no_other_pipeline(world: World) -> None:
    deadline = time.monotonic() + 60
    while not (errors := world.api.import_errors()):
        assert time.monotonic() < deadline
        time.sleep(1)
    assert [error["filename"] for error in errors] == ["pipelines/unreadable.yaml"]
    assert "pipelines/unreadable.yaml:2:47: 'tabel' is not a key of source." in errors[0]["stack_trace"]
    assert "Did you mean table?" in errors[0]["stack_trace"]
    world.api.wait_for_dag("killed")
    world.api.wait_for_dag("unreadable")


def test_f27_no_secret_stands_in_any_log_state_or_report(world: World, failed: dict[str, str]) -> None:
    secrets = (GOOD_KEY, READ_KEY, WRONG_KEY, PG_PASSWORD)
    searched = 0
    for place in (world.folder / "airflow" / "logs", world.folder / "state"):
        for path in place.rglob("*"):
            if path.is_file():
                searched += 1
                text = path.read_text(encoding="utf-8", errors="replace")
                assert not [secret for secret in secrets if secret in text], path
    assert searched > len(failed)
    for database in (world.folder / "airflow").glob("airflow.db*"):  # XCom, rendered fields, task and asset state
        content = database.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], database
    assert WRONG_KEY not in "".join(failed.values())
