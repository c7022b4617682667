"""The Airflow UI itself in a headless browser, without an Airflow: its own files, and answers that a test gives."""

from __future__ import annotations

import json
import mimetypes
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import airflow
from playwright.sync_api import BrowserContext, Route

from activation_plugin import ActivationPlugin
from tests.ui_browser.fixture import fixture

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "plugins" / "activation" / "ui" / "static" / "main.js"
_UI = Path(airflow.__file__).parent / "ui" / "dist"
ORIGIN = "http://airflow.test"
"""No server: every request of the browser is answered by this process."""

Answer = tuple[int, Any]

_HOST: dict[str, Any] = {
    "/ui/config": {
        "auto_refresh_interval": 30,
        "default_wrap": False,
        "enable_swagger_ui": False,
        "fallback_page_limit": 50,
        "hide_paused_dags_by_default": False,
        "instance_name": "Airflow",
        "require_confirmation_dag_change": False,
        "show_external_log_redirect": False,
        "test_connection": "Disabled",
        "dashboard_alert": [],
        "multi_team": False,
        "page_size": 50,
        "theme": None,
    },
    "/ui/auth/menus": {"authorized_menu_items": ["Dags", "Assets", "Docs"], "extra_menu_items": []},
    "/ui/auth/me": {"id": "admin", "username": "admin"},
    "/api/v2/version": {"version": "3.3.2", "git_version": None},
}


class Host:
    """What the browser is answered, and what it asked.

    :param base: the path that Airflow is under, with slashes around it.
    :ivar data: the answers of the page's own API; a test may change them between two requests.
    :ivar answers: instead of the usual answer, by method and path below ``base``; a list is used up, its last stays.
    :ivar late: method and path of what is not answered until :meth:`answer_late`.
    :ivar asked: method, path below ``base`` and body of every request to an API.
    :ivar elsewhere: addresses that were asked for outside of ``base``.
    """

    def __init__(self, base: str = "/") -> None:
        self.base = base
        self.data: dict[str, Any] = fixture()
        self.answers: dict[tuple[str, str], list[Answer]] = {}
        self.late: dict[tuple[str, str], list[Route]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.elsewhere: list[str] = []

    def serve(self, context: BrowserContext) -> None:
        """Answer every request of the browser from here on."""
        context.route(re.compile(".*"), self._answer)

    def said(self, method: str, path: str) -> list[Any]:
        """The bodies of the requests to a path."""
        return [body for how, where, body in self.asked if (how, where) == (method, path)]

    def answer_late(self) -> None:
        """Answer what waits, and from here on at once."""
        waiting, self.late = self.late, {}
        for asked, routes in waiting.items():
            for route in routes:
                status, found = self._found(*asked)
                route.fulfill(status=status, json=found)

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if f"{url.scheme}://{url.netloc}" != ORIGIN or not url.path.startswith(self.base):
            self.elsewhere.append(route.request.url)
            route.abort()
            return
        path = "/" + unquote(url.path[len(self.base) :])
        if path.startswith("/static/"):
            self._file(route, _UI / path.removeprefix("/static/"))
        elif path == "/activation/static/main.js":
            self._file(route, BUNDLE)
        elif path.split("/")[1] in ("ui", "api", "activation"):
            body = route.request.post_data
            self.asked.append((route.request.method, path, json.loads(body) if body else None))
            if (asked := (route.request.method, path)) in self.late:
                self.late[asked].append(route)
                return
            status, found = self._found(*asked)
            route.fulfill(status=status, json=found)
        else:
            page = (_UI / "index.html").read_text(encoding="utf-8").replace("{{ backend_server_base_url }}", self.base)
            route.fulfill(body=page, content_type="text/html")

    def _file(self, route: Route, path: Path) -> None:
        if not path.is_file():
            route.fulfill(status=404)
            return
        kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        route.fulfill(body=path.read_bytes(), content_type=kind)

    def _found(self, method: str, path: str) -> Answer:
        if planned := self.answers.get((method, path)):
            return planned.pop(0) if len(planned) > 1 else planned[0]
        if path == "/activation/api/pipelines":
            return 200, self.data["list"]
        if path.startswith("/activation/api/pipelines/"):
            found = self.data["details"].get(path.rpartition("/")[2])
            return (200, found) if found else (404, {"detail": "There is no such pipeline."})
        if path == "/api/v2/plugins" or path.endswith("/plugins"):
            return 200, {"plugins": [_plugin()], "total_entries": 1}
        return 200, _HOST.get(path, {})


def _plugin() -> dict[str, Any]:
    """Our entry in the answer that Airflow's own API would give."""
    lists = ("external_views", "appbuilder_views", "appbuilder_menu_items", "fastapi_apps", "fastapi_root_middlewares")
    return {"name": "activation", "source": "", **{name: [] for name in lists}, "react_apps": ActivationPlugin.react_apps}
