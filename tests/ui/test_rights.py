"""Who may see what: every route of the app demands a user, and those about a DAG the right to read it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from .airflow_rows import registered

ROUTES = {
    "/api/pipelines": "/api/pipelines",
    "/api/pipelines/{dag_id}": "/api/pipelines/{dag}",
    "/api/pipelines/{dag_id}/rejects.csv": "/api/pipelines/{dag}/rejects.csv?run=x",
    "/static/{name}": "/static/main.js",
}
"""Every route, and an address of it."""


def test_these_are_all_routes() -> None:
    from activation.ui.app import app

    assert {route.path: route.methods for route in app.routes} == {path: {"GET"} for path in ROUTES}  # type: ignore[attr-defined]


@pytest.mark.parametrize("user", ["anonymous", "stranger", "crm"])
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_guarded(route: str, user: str, clients: dict[str, Any], name: str) -> None:
    dag = f"private_{name}"
    registered(dag)
    address = f"/activation{ROUTES[route].format(dag=dag)}"
    answer = clients[user].get(address)
    if user == "anonymous":
        assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
    elif "{dag_id}" in route:
        assert (answer.status_code, answer.json()) == (403, {"detail": "Forbidden"})
        assert clients["admin"].get(address).status_code == 200
    elif "pipelines" in route:
        assert answer.status_code == 200
        assert dag not in answer.text
        assert dag in clients["admin"].get(address).text
    else:
        assert answer.status_code in (200, 404)  # built or not: it tells nothing of a DAG


def test_a_forged_token_opens_nothing(clients: dict[str, Any]) -> None:
    for address in ROUTES.values():
        answer = clients["anonymous"].get(
            f"/activation{address.format(dag='x')}", headers={"Authorization": "Bearer eyJ.forged.x"}
        )
        assert answer.status_code == 403


def test_the_cookie_of_the_ui_is_taken(clients: dict[str, Any]) -> None:
    token = clients["crm"].headers["Authorization"].removeprefix("Bearer ")
    assert clients["anonymous"].get("/activation/api/pipelines", cookies={"_token": token}).status_code == 200


def test_one_pipeline_in_the_path_is_not_another_in_the_query(clients: dict[str, Any], name: str) -> None:
    """The right is that of the DAG in the path, and only its own pipelines can be named beside it."""
    registered(name)
    registered(f"private_{name}")
    address = f"/activation/api/pipelines/{name}"
    assert clients["crm"].get(address, params={"dag_id": f"private_{name}"}).json()["dag_id"] == name
    answer = clients["crm"].get(address, params={"pipeline": f"private_{name}"})
    assert (answer.status_code, answer.json()["detail"]) == (404, f"The DAG {name} has no pipeline private_{name}.")
    assert clients["crm"].get(f"/activation/api/pipelines/private_{name}", params={"dag_id": name}).status_code == 403


@pytest.mark.parametrize(
    ("user", "can"),
    [("admin", {"run": True, "edit": True}), ("crm", {"run": True, "edit": True}), ("reader", {"run": False, "edit": False})],
)
def test_a_line_says_what_the_user_can_do(user: str, can: dict[str, bool], clients: dict[str, Any], name: str) -> None:
    registered(name)
    lines = clients[user].get("/activation/api/pipelines").json()["pipelines"]
    assert [line["can"] for line in lines if line["dag_id"] == name] == [can]
    assert clients[user].get(f"/activation/api/pipelines/{name}").json()["can"] == can


def test_the_inside_of_airflow_is_asked_in_one_module_only() -> None:
    inside = ("airflow.api_fastapi", "airflow.models", "sqlalchemy")
    asking = set()
    for path in (Path(__file__).parents[2] / "plugins" / "activation" / "ui").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            asking |= {path.name for name in names if name.startswith(inside)}
    assert asking == {"airflow.py"}
