"""The one module that Airflow imports from the plugins folder: it registers the bundle under its name.

Everything else in the folder is left alone by the scan (``.airflowignore``) and is imported by those who use it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

_Scope = MutableMapping[str, Any]


class PipelinesApp:
    """Serves the Pipelines page and its API. Plugins are loaded by every process of Airflow, so it is imported with the first
    request, which only the API server gets.
    """

    async def __call__(self, scope: _Scope, receive: Callable[..., Awaitable[Any]], send: Callable[..., Awaitable[Any]]) -> None:
        """One request, as ASGI has it."""
        from activation.ui.app import app

        await app(scope, receive, send)


class ActivationPlugin(AirflowPlugin):
    """The bundle's entry in ``airflow plugins``, its page in the Airflow UI, and its tab on a DAG and on a run.

    Addresses have no slash at the beginning, so that they hold behind a base path.
    """

    name = "activation"
    fastapi_apps = [{"app": PipelinesApp(), "url_prefix": "/activation", "name": "Pipelines"}]  # noqa: RUF012
    react_apps = [  # noqa: RUF012
        {
            "name": name,
            "bundle_url": "activation/static/main.js",
            "destination": destination,
            "url_route": route,
            **more,
        }
        for name, destination, route, more in (
            ("Pipelines", "nav", "pipelines", {"nav_top_level": True}),
            ("Pipeline", "dag", "pipeline", {}),
            ("Pipeline", "dag_run", "pipeline-run", {}),
        )
    ]
