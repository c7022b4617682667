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

KAKAO_MOMENT: dict[str, Any] = {
    "connection-type": "kakao_moment",
    "hook-class-name": "activation.hooks.kakao_moment.KakaoMomentHook",
    "hook-name": "Kakao Moment",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port"],
        "relabeling": {"host": "API host", "login": "REST API key", "password": "Business token"},
        "placeholders": {
            "host": "leave it empty for https://apis.moment.kakao.com",
            "login": "Only for activation kakao-login",
            "password": "What activation kakao-login prints",
        },
    },
    "conn-fields": {
        "ad_account_id": {
            "label": "Ad account",
            "description": "The number of the ad account; a pipeline can name another one.",
            "schema": {"type": ["string", "null"], "default": None},
        },
        "client_secret": {
            "label": "Client secret",
            "description": "The app's secret for business authorization, not for Kakao Login. Only for activation kakao-login.",
            "schema": {"type": ["string", "null"], "format": "password", "default": None},
        },
        "redirect_uri": {
            "label": "Redirect URI",
            "description": "As it is registered with the key: http://localhost:8085/callback. Only for activation kakao-login.",
            "schema": {"type": ["string", "null"], "default": None},
        },
        "ca_file": {
            "label": "CA file",
            "description": "Path of a file with the certificate authorities to trust, for a proxy of your own.",
            "schema": {"type": ["string", "null"], "default": None},
        },
        "table": {
            "label": "Table",
            "description": 'Facts about Kakao\'s API to change, as a JSON object, such as {"limits": {"files_per_account": 60}}.',
            "schema": {"type": ["object", "null"], "default": None},
        },
    },
}
"""The form of connections for :class:`activation.hooks.kakao_moment.KakaoMomentHook`."""
