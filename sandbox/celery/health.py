"""Asks the services whether they are healthy, more cheaply than the health checks of docker-compose.yaml do."""

from __future__ import annotations

import socket

import requests
from celery import Celery  # type: ignore[import-untyped]

from sandbox.airflow.api import AirflowApi
from sandbox.airflow.client import AirflowApiError
from sandbox.airflow.settings import HOST
from sandbox.celery.differences import Machine

_PARTS = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
_SECONDS = 0.3


class Health:
    """The health of the services of one cluster.

    ``airflow jobs check`` and ``celery inspect`` start an Airflow each, which takes five seconds; the API server and Celery's own
    ping know the same.
    """

    def __init__(self, machine: Machine, api: AirflowApi) -> None:
        self._machine = machine
        self._api = api
        self._celery = Celery(broker=f"redis://{HOST}:{machine.redis_port}/0")

    def of(self, service: str) -> bool:
        """Whether a service does its work."""
        if service == "redis":
            return self._redis()
        if service.startswith("worker"):
            return bool(self._celery.control.ping([f"celery@{service}"], timeout=_SECONDS))
        try:
            health = self._api.health()
        except (requests.RequestException, AirflowApiError):
            return False
        return service == "api-server" or (health.get(_PARTS[service]) or {}).get("status") == "healthy"

    def _redis(self) -> bool:
        try:
            with socket.create_connection((HOST, self._machine.redis_port), timeout=_SECONDS) as client:
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
