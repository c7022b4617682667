"""From the official BigQuery hook to a client that keeps the connection's settings."""

from __future__ import annotations

import json
from typing import Any

from airflow.sdk.exceptions import AirflowException

from activation.errors import ConfigurationError


def client_of(hook: Any) -> Any:
    """Make the hook's client with the connection's project, location, labels, priority and ``api_resource_configs``.

    ``BigQueryHook.get_client`` takes the location as an argument, and the hook uses the other settings in its own calls only.

    :param hook: a ``BigQueryHook``.
    :raises ConfigurationError: if the connection names no project, or its key cannot be read.
    """
    from google.cloud.bigquery import QueryJobConfig

    try:
        project = hook.project_id
    except (AirflowException, OSError, ValueError) as error:
        # The text of a key's error may hold the key.
        raise ConfigurationError(
            f"The credentials of the connection cannot be used: {type(error).__name__}.",
            "Correct Keyfile Path, Keyfile JSON or the secret's name in the connection: it must be a service account's JSON key.",
        ) from None
    if not project:
        raise ConfigurationError("The connection names no Google Cloud project.", "Fill in its field 'Project Id'.")
    client = hook.get_client(project_id=project, location=hook.location)
    config = QueryJobConfig.from_api_repr({"query": {}, **_object(hook.api_resource_configs)})
    config.labels = {**config.labels, **_object(hook.labels)}
    config.priority = hook.priority or "INTERACTIVE"
    client.default_query_job_config = config
    return client


def _object(value: Any) -> dict[str, Any]:
    """Airflow's form keeps objects as JSON text."""
    return dict(json.loads(value) if isinstance(value, str) and value else value or {})
