"""A client of the local BigQuery without Airflow, for a process whose memory is measured."""

from __future__ import annotations

import os
from typing import Any


def connect(project: str, environment: dict[str, str]) -> Any:
    """Make the client that the hook would make for an anonymous connection.

    :param environment: what the sandbox says that a process needs; it stays set.
    """
    os.environ.update(environment)
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.bigquery import Client

    return Client(project, AnonymousCredentials())
