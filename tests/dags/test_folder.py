"""Folders to DAGs: sub-folders, environments, matrices, and what stands for each broken file and pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from activation.dags import load
from activation.errors import ConfigurationError

GOOD = """source: {type: duckdb, connection: warehouse, table: marketing.users}
destination: {type: braze, connection: braze, data: attributes}
alerts: {email: [crm@example.com]}
"""
MATRIX = "matrix: {country: [kr, jp]}\n" + GOOD.replace("marketing.users", '"marketing.users_${matrix.country}"')


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def only(monkeypatch: pytest.MonkeyPatch, dag_id: str) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "import")


def ids(folder: Path) -> list[str]:
    return sorted(dag.dag_id for dag in load(folder).values())


def test_sub_folders_and_matrices_make_dags(tmp_path: Path) -> None:
    write(tmp_path / "_defaults.yaml", "tags: [all]\n")
    write(tmp_path / "crm/users.yaml", MATRIX)
    write(tmp_path / "crm/_defaults.yaml", "owner: crm\n")
    dags = load(tmp_path)
    assert list(dags) == ["users_kr", "users_jp"]
    assert {(dag.get_task("import").owner, *sorted(dag.tags - {"activation"})) for dag in dags.values()} == {("crm", "all")}


def test_the_environment_is_airflows_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "users.yaml", MATRIX)
    write(tmp_path / "users.prod.yaml", "matrix: {country: [de]}\nowner: prod\n")
    assert ids(tmp_path) == ["users_jp", "users_kr"]
    monkeypatch.setenv("AIRFLOW__ACTIVATION__ENV", "prod")
    assert ids(tmp_path) == ["users_de"]
    only(monkeypatch, "users_de")
    assert load(tmp_path)["users_de"].get_task("import").owner == "prod"
    monkeypatch.setenv("AIRFLOW__ACTIVATION__ENV", "Prod")
    with pytest.raises(ConfigurationError, match="'Prod' cannot be the name of an environment"):
        load(tmp_path)


def test_a_task_process_builds_only_its_own_pipeline_of_a_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "_defaults.yaml", "owner: all\n")
    write(tmp_path / "crm/users.yaml", MATRIX.replace("jp]", "'j p']"))
    write(tmp_path / "crm/broken.yaml", "a: [")
    only(monkeypatch, "users_kr")
    dags = load(tmp_path)
    assert [(name, dag.get_task("import").owner) for name, dag in dags.items()] == [("users_kr", "all")]
    only(monkeypatch, "users")
    assert load(tmp_path) == {}


def test_a_broken_matrix_gives_one_carrier_and_a_placeholder_for_each_pipeline(tmp_path: Path) -> None:
    write(tmp_path / "users.yaml", MATRIX.replace("jp]", "'j p']"))
    dags = load(tmp_path)
    assert sorted(dags) == ["users (broken)", "users_j_p", "users_kr"]
    text = "source.table is not a table name (matrix: country=j p)."
    assert text in (dags["users_kr"].doc_md or "")
    assert [asset.name for asset in dags["users_kr"].get_task("import").outlets] == ["activation/users_kr"]
    with pytest.raises(Exception, match="country=j p"):
        DagSerialization.to_dict(dags["users (broken)"])


def test_a_matrix_that_cannot_be_read_gives_a_placeholder_of_the_files_name(tmp_path: Path) -> None:
    write(tmp_path / "users.yaml", MATRIX.replace("[kr, jp]", "[]"))
    assert ids(tmp_path) == ["broken.users", "users"]


def test_a_task_of_a_placeholder_finds_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "users.yaml", MATRIX + "owner: ${matrix.contry}\n")
    assert ids(tmp_path) == ["broken.users", "users_jp", "users_kr"]
    only(monkeypatch, "users_kr")
    (dag,) = load(tmp_path).values()
    assert (dag.dag_id, dag.description) == ("users_kr", "The pipeline file users.yaml is broken.")
    assert "Did you mean country?" in dag.get_task("import").problems


def test_each_broken_file_has_a_carrier_of_its_own(tmp_path: Path) -> None:
    for name in ("a/users.yaml", "b/users.yaml", "b/users.yml", "a_users.yaml", "a users.yaml"):
        write(tmp_path / name, GOOD)
    write(tmp_path / "nobody.prod.yaml", GOOD)
    assert ids(tmp_path) == [
        "a_users",
        "broken.a_users",
        "broken.a_users.2",
        "broken.b_users",
        "broken.b_users_yml",
        "broken.nobody_prod",
        "users",
    ]


def test_a_carrier_is_listed_under_its_path_in_the_bundle(tmp_path: Path) -> None:
    write(tmp_path / "pipelines/crm/users.yaml", "a: [")
    (carrier,) = (dag for name, dag in load(tmp_path / "pipelines").items() if name.endswith("(broken)"))
    carrier.fileloc = str(tmp_path / "activation.py")
    carrier.relative_fileloc = "activation.py"
    assert carrier.relative_fileloc == "pipelines/crm/users.yaml"
