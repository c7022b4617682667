"""The environment in which this Airflow runs, whose overlays lie over the pipeline files."""

from __future__ import annotations

from airflow.configuration import conf


def current_environment() -> str:
    """The setting ``[activation] env``; ``""`` for none."""
    return conf.get("activation", "env", fallback="").strip()
