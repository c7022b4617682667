"""The one module that Airflow imports from the plugins folder: it registers the bundle under its name.

Everything else in the folder is left alone by the scan (``.airflowignore``) and is imported by those who use it.
"""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class ActivationPlugin(AirflowPlugin):
    """The bundle's entry in ``airflow plugins`` and in the list of plugins of the Airflow UI."""

    name = "activation"
