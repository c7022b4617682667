"""The page's app as Airflow mounts it, before a real metadata database, with users who may see different DAGs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.braze import BrazeSandbox
from sandbox.braze.testing import kept_to
from tests.operators.world import World, make

ROLES = {"admin": "admin", "crm": "user", "reader": "viewer", "stranger": "viewer"}
"""User -> role."""


@pytest.fixture(scope="session")
def metadata_db() -> None:
    """The tables of the metadata database, in the AIRFLOW_HOME of this process."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="module")
def host(metadata_db: None) -> Iterator[Any]:
    """An app of Airflow's kind, below which the page's is mounted."""
    from airflow.api_fastapi import app as api
    from fastapi import FastAPI

    from activation.ui.app import app

    patch = pytest.MonkeyPatch()
    patch.setenv("AIRFLOW__CORE__AUTH_MANAGER", "tests.ui.auth.DagRights")
    before = api._AuthManagerState.instance
    api._AuthManagerState.instance = None
    manager = api.create_auth_manager()
    manager.init()
    host = FastAPI()
    host.mount("/activation", app)
    yield host
    api._AuthManagerState.instance = before
    patch.undo()


@pytest.fixture
def clients(host: Any) -> dict[str, Any]:
    """A client for each user, and ``anonymous``."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    found = {"anonymous": TestClient(host)}
    for name, role in ROLES.items():
        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=name, role=role, teams=None))
        found[name] = TestClient(host, headers={"Authorization": f"Bearer {token}"})
    return found


@pytest.fixture
def name() -> Iterator[str]:
    """The id of a pipeline; what Airflow knows of it is forgotten in the end."""
    name = f"page_{uuid4().hex[:8]}"
    yield name
    forget(name)


def forget(start: str) -> None:
    """Remove what Airflow knows of DAGs whose ids begin so, or are private and go on so, and of their assets."""
    from airflow.models.asset import AssetModel
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete, or_

    from activation.operators.memory import asset_of

    with create_session() as session:
        for column in (DagRun.dag_id, DagModel.dag_id):
            session.execute(delete(column.class_).where(or_(column.startswith(start), column.startswith(f"private_{start}"))))
        for prefix in ("", "private_"):
            session.execute(delete(AssetModel).where(AssetModel.name.startswith(asset_of(f"{prefix}{start}").name)))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A warehouse, the Braze server and an import between them."""
    with kept_to(BrazeSandbox()) as braze:
        braze.change(rate={"enabled": False})
        yield make(braze, tmp_path, monkeypatch)
