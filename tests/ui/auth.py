"""An auth manager with rights for single DAGs, which Airflow's simple one does not know."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

PRIVATE = "private_"
"""How the ids of DAGs begin that only the admin may see."""


class DagRights(SimpleAuthManager):
    """As the simple one, but private DAGs are for the admin only, and ``stranger`` may see no DAG at all."""

    def is_authorized_dag(self, *, user: SimpleAuthManagerUser, details: Any = None, **more: Any) -> bool:
        name = (details and details.id) or ""
        hidden = user.username == "stranger" or (name.startswith(PRIVATE) and user.username != "admin")
        return not hidden and super().is_authorized_dag(user=user, details=details, **more)
