"""The benchmark of reading pipeline files makes the same DAGs in every way, and sees those that differ; nothing is about time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks.parsing import folders, pipelines, table
from benchmarks.parsing.expected import differences, schedule_text
from benchmarks.parsing.measure import Measurement
from benchmarks.parsing.results import BLUEPRINT, COLD, FACTORY, LOOP, ONE, OURS, UNCHANGED, Imports, Results, Sizes, Timing

ROOT = Path(__file__).parents[2]
COUNT = 20
WAYS_HERE = (OURS, LOOP, FACTORY, BLUEPRINT)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    """A whole measurement of few files."""
    sizes = Sizes((COUNT,), 1)
    measured = Measurement(sizes, tmp_path_factory.mktemp("parsing"), print, ways=WAYS_HERE)
    measured()
    return measured


def test_our_dags_are_what_the_files_say_and_the_others_make_the_same(made: Measurement) -> None:
    assert made.results.failed == {}
    assert made.results.exact == {(way, COUNT): [] for way in WAYS_HERE}


def test_everything_is_measured_of_all(made: Measurement) -> None:
    for way in WAYS_HERE:
        found = {one.what for one in made.results.timings if one.way == way}
        assert found == {"cold", "unchanged", "bag", "fresh", "one", "one fresh"}
    ours = made.results.imports[0]
    assert ours.way == OURS
    assert ours.heavy == ()


def test_the_libraries_read_files_of_the_same_pipelines(tmp_path: Path) -> None:
    shape = {
        "dag": {"dag_id": "users", "description": "", "catchup": False, "max_active_runs": 1},
        "tags": ["a"],
        "schedule": {"cron": "0 9 * * *", "timezone": "Asia/Seoul", "interval": False, "after": []},
        "start": "2024-01-01T00:00:00+00:00",
        "default_args": {"owner": "crm", "retries": 2, "retry_delay": 30.0, "execution_timeout": 60.0},
        "params": {"mode": {"default": "run"}},
        "told": ["crm@example.com"],
        "tasks": [
            {
                "task_id": "import",
                "operator": "ours.Operator",
                "arguments": {"pipeline_id": "users", "source": {"table": "a.b"}, "mode": "{{ params.mode }}"},
                "set": ["on_failure_callback"],
            }
        ],
    }
    folders.factory(tmp_path / "factory", [shape], neutral=False)
    dag = yaml.safe_load((tmp_path / "factory" / "pipelines" / "users.yaml").read_text())["users"]
    assert dag["schedule"] == {
        "__type__": "airflow.sdk.CronTriggerTimetable",
        "__args__": ["0 9 * * *"],
        "timezone": "Asia/Seoul",
    }
    task = dag["tasks"]["import"]
    assert (task["operator"], task["source"], task["mode"]) == ("ours.Operator", {"table": "a.b"}, "{{ params.mode }}")
    folders.blueprint(tmp_path / "blueprint", [shape], neutral=True)
    dag = yaml.safe_load((tmp_path / "blueprint" / "pipelines" / "users.dag.yaml").read_text())
    assert dag["steps"]["import"] == {
        "blueprint": "carry",
        "pipeline_id": "users",
        "source": {"table": "a.b"},
        "told": ["crm@example.com"],
    }
    assert dag["default_args"]["retries"] == 2


@pytest.mark.parametrize("change", ["less", "more", "schedule", "tags", "retries", "told"])
def test_other_dags_are_seen(change: str) -> None:
    ours = {one.pipeline_id: _content(one) for one in pipelines.made(COUNT)}
    found = {one.pipeline_id: _content(one) for one in pipelines.made(COUNT)}
    assert differences(COUNT, ours, found) == []
    name = next(iter(found))
    if change == "less":
        del found[name]
    elif change == "more":
        found["another"] = found[name]
    elif change in ("retries", "told"):
        found[name]["tasks"][0][change] = 9
    else:
        found[name][change] = found[name][change][:-1]
    assert len(differences(COUNT, ours, found)) == 1


def _content(one: pipelines.Made) -> dict[str, object]:
    task = {"owner": one.owner, "retries": one.retries, "told": []}
    return {"schedule": schedule_text(one.schedule), "tags": sorted(one.tags), "tasks": [task]}


def test_the_files_have_every_engine_and_every_destination() -> None:
    blocks = [one.blocks for one in pipelines.made(60)]
    assert {one["source"]["type"] for one in blocks} == set(pipelines.ENGINES)
    assert {one["destination"]["type"] for one in blocks} == {"braze", "s3", "kinesis", "kakao_moment"}
    assert len({one["source"]["table"] for one in blocks}) == 60


def test_the_files_are_yaml_of_their_blocks(tmp_path: Path) -> None:
    pipelines.write(tmp_path / "files", COUNT)
    for one in pipelines.made(COUNT):
        assert yaml.safe_load((tmp_path / "files" / f"{one.pipeline_id}.yaml").read_text()) == one.blocks


def test_the_targets_compare_medians_of_a_thousand_files() -> None:
    results = Results(Sizes((100, 1_000), 3))
    for way, seconds in ((OURS, 1.2), (FACTORY, 3.6), (BLUEPRINT, 2.0)):
        rounds = (seconds * 0.9, seconds, seconds * 9)
        results.timings += [Timing(way, 1_000, what, rounds, rounds) for what in (COLD, UNCHANGED)]
        results.timings.append(Timing(way, 100, COLD, (50.0,), (50.0,)))
    results.timings.append(Timing(OURS, 1_000, ONE, (0.031, 0.02, 0.04), (0.03, 0.02, 0.04)))
    results.imports.append(Imports(OURS, 1.0, (0.1, 0.14, 0.2), ("pandas",)))
    assert [(one.measured, one.reached) for one in table.targets(results)] == [
        ("1.20", True),
        ("1.20", True),
        ("3.0×", True),
        ("1.7×", False),
        ("31.0", False),
        ("140", True),
        ("pandas", False),
    ]
    results.exact[FACTORY, 100] = ["users is missing"]
    assert not results.good
    assert "- dag-factory, 100 files: **WRONG**: users is missing" in table.render(results, "python -m benchmarks.parse_dags")


def test_too_few_files_are_refused() -> None:
    command = [sys.executable, "-m", "benchmarks.parse_dags", "--sizes", "5,100"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "at least 10 files" in done.stderr
