"""A real Airflow on this machine, started and stopped by the demo and the tests."""

from __future__ import annotations

from sandbox.airflow.api import AirflowApi
from sandbox.airflow.client import AirflowApiError, AirflowTimeoutError
from sandbox.airflow.local import AirflowStartError, LocalAirflow
from sandbox.airflow.settings import Settings

__all__ = ["AirflowApi", "AirflowApiError", "AirflowStartError", "AirflowTimeoutError", "LocalAirflow", "Settings"]
