"""One start of a real Airflow that everything here shares."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from sandbox.airflow import AirflowApi, AirflowApiError, AirflowStartError, AirflowTimeoutError, LocalAirflow, Settings

pytestmark = pytest.mark.airflow

TINY = """
import os
from airflow.sdk import DAG, Asset, task

with DAG("tiny", schedule=None) as dag:

    @task(outlets=[Asset("tiny_asset")])
    def greet(asset_state_store=None, params=None, dag_run=None):
        asset_state_store.set("seen", {"name": dag_run.conf.get("name")})
        print("a line of the task")
        return {"hello": os.environ["GREETING"], "name": dag_run.conf.get("name")}

    greet()
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAirflow, list[str]]]:
    folder = tmp_path_factory.mktemp("local_airflow")
    dags = folder / "dags"
    dags.mkdir()
    (dags / "tiny.py").write_text(TINY)
    (dags / "broken.py").write_text("import nothing_of_that_name  # an airflow dag\n")
    told: list[str] = []
    airflow = LocalAirflow(
        folder / "home", dags, env={"GREETING": "world"}, progress=lambda seconds, text: told.append(f"{seconds:.0f} {text}")
    )
    with airflow:
        yield airflow, told
        processes = _processes(airflow)
        assert len(processes) > 5
    assert not airflow.running
    assert [each for each in processes if each.is_running()] == []
    with pytest.raises(requests.ConnectionError):
        requests.get(airflow.url, timeout=5)


def _processes(airflow: LocalAirflow) -> list[psutil.Process]:
    assert airflow.pid is not None
    guard = psutil.Process(airflow.pid)
    return [guard, *guard.children(recursive=True)]


@pytest.fixture(scope="module")
def airflow(started: tuple[LocalAirflow, list[str]]) -> LocalAirflow:
    return started[0]


@pytest.fixture(scope="module")
def api(airflow: LocalAirflow) -> AirflowApi:
    return airflow.api()


@pytest.fixture(scope="module")
def green(api: AirflowApi) -> str:
    api.wait_for_dag("tiny")
    api.unpause("tiny")
    run = api.trigger("tiny", {"name": "ada"})
    assert api.wait_for_run("tiny", run) == "success", api.task_log("tiny", run, "greet")
    return run


def test_the_start_tells_what_it_waits_for(started: tuple[LocalAirflow, list[str]]) -> None:
    told = started[1]
    assert "waiting for the API server" in told[0]
    assert told[-1].endswith(" ready")


def test_the_bundle_is_registered_once(api: AirflowApi) -> None:
    assert [each["name"] for each in api.pages("/plugins", "plugins")].count("activation") == 1
    assert api.call("GET", "/plugins/importErrors")["import_errors"] == []


def test_a_run_leaves_its_result_its_log_and_its_state(api: AirflowApi, green: str) -> None:
    assert api.run("tiny", green)["conf"] == {"name": "ada"}
    assert api.xcom("tiny", green, "greet") == {"hello": "world", "name": "ada"}
    assert "a line of the task" in api.task_log("tiny", green, "greet")
    assert [each["state"] for each in api.task_instances("tiny", green)] == ["success"]
    assert api.asset_states("tiny_asset") == {"seen": {"name": "ada"}}


def test_an_asset_state_can_be_set_by_hand(api: AirflowApi, green: str) -> None:
    api.set_asset_state("tiny_asset", "by hand/1", {"cursor": 1})
    assert api.asset_states("tiny_asset")["by hand/1"] == {"cursor": 1}
    with pytest.raises(LookupError, match="No active asset is named 'nobody'"):
        api.asset_states("nobody")


def test_a_cleared_task_runs_again(api: AirflowApi, green: str) -> None:
    api.clear_task("tiny", green, "greet")
    assert api.wait_for_run("tiny", green) == "success"
    assert [each["try_number"] for each in api.tries("tiny", green, "greet")] == [1, 2]


def test_a_broken_file_is_an_import_error(api: AirflowApi) -> None:
    deadline = time.monotonic() + 60
    while not (errors := api.import_errors()) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert [each["filename"] for each in errors] == ["broken.py"]
    with pytest.raises(AirflowTimeoutError, match="nothing_of_that_name"):
        api.wait_for_dag("nobody", timeout=0)


def test_errors_say_what_was_asked(airflow: LocalAirflow, api: AirflowApi) -> None:
    with pytest.raises(AirflowApiError, match=r"GET http://\S+/dags/nobody/dagRuns/x answered 404: .*nobody"):
        api.run("nobody", "x")
    with pytest.raises(AirflowApiError, match="answered 401"):
        AirflowApi(airflow.url, "admin", "wrong").import_errors()


def test_a_viewer_may_look_and_not_trigger(airflow: LocalAirflow, green: str) -> None:
    viewer = airflow.api("viewer")
    assert viewer.run("tiny", green)["state"] == "success"
    with pytest.raises(AirflowApiError, match="answered 403"):
        viewer.trigger("tiny")


def test_a_taken_port_is_an_error_before_anything_starts(airflow: LocalAirflow, tmp_path: Path) -> None:
    port = int(airflow.url.rsplit(":", 1)[1])
    second = LocalAirflow(tmp_path / "home", tmp_path / "dags", settings=Settings(port=port))
    with pytest.raises(AirflowStartError, match=f"Port {port} of 127.0.0.1 is taken"):
        second.start()
    assert not second.home.exists()


def test_a_failed_start_shows_the_end_of_the_log(tmp_path: Path) -> None:
    airflow = LocalAirflow(tmp_path, tmp_path / "dags", env={"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "nonsense"})
    with pytest.raises(AirflowStartError, match=r"(?s)Airflow ended after .*airflow\.log, ends with:.*ValueError"):
        airflow.start()
    assert not airflow.running


def test_nothing_outlives_a_caller_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from sandbox.airflow import LocalAirflow\n"
        "airflow = LocalAirflow(Path(sys.argv[1]), Path(sys.argv[1]) / 'dags',"
        " progress=lambda seconds, text: print(airflow.pid, flush=True))\n"
        "airflow.start()"
    )
    caller = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    guard = psutil.Process(int(caller.stdout.readline()))
    deadline = time.monotonic() + 60
    while len(children := guard.children(recursive=True)) < 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    caller.kill()
    caller.wait()
    _gone, alive = psutil.wait_procs([*children, guard], timeout=30)
    assert alive == []
