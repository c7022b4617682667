"""The connection forms of this package, as data in Airflow's provider schema.

They stand apart from the hooks because Airflow reads them while ``import airflow`` is still going on; a module that imports
Airflow itself cannot be read then.
"""

from __future__ import annotations

from typing import Any

from activation.destinations.braze.contract import INSTANCES, TRACK_PERMISSION

BRAZE: dict[str, Any] = {
    "connection-type": "braze",
    "hook-class-name": "activation.hooks.braze.BrazeHook",
    "hook-name": "Braze",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "login", "port"],
        "relabeling": {"host": "REST endpoint", "password": "API key"},
        "placeholders": {
            "host": "https://rest.iad-01.braze.com (or leave it empty and choose an instance)",
            "password": f"A REST API key with the permission {TRACK_PERMISSION}",
        },
    },
    "conn-fields": {
        "instance": {
            "label": "Instance",
            "description": "Your Braze instance; leave it empty if you give the REST endpoint.",
            "schema": {"type": ["string", "null"], "enum": [*INSTANCES, None], "default": None},
        },
        "ca_file": {
            "label": "CA file",
            "description": "Path of a file with the certificate authorities to trust, for a proxy of your own.",
            "schema": {"type": ["string", "null"], "default": None},
        },
    },
}
"""The form of connections for :class:`activation.hooks.braze.BrazeHook`."""

DUCKDB: dict[str, Any] = {
    "connection-type": "duckdb",
    "hook-class-name": "activation.hooks.duckdb.DuckDBHook",
    "hook-name": "DuckDB",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "login", "password", "port"],
        "relabeling": {"host": "Database file"},
        "placeholders": {"host": "/data/warehouse.duckdb"},
    },
    "conn-fields": {
        "read_only": {
            "label": "Read only",
            "description": "Open the file for reading only, so that several tasks can read it at once.",
            "schema": {"type": ["boolean", "null"], "default": True},
        },
        "config": {
            "label": "DuckDB settings",
            "description": 'Settings of DuckDB as a JSON object, such as {"memory_limit": "2GB", "threads": 2}.',
            "schema": {"type": ["object", "null"], "default": None},
        },
    },
}
"""The form of connections for :class:`activation.hooks.duckdb.DuckDBHook`."""
