"""The provider entry point: what Airflow learns about this package when any of its processes starts.

Airflow calls it while ``import airflow`` is still going on, so nothing that it imports may import Airflow.
"""

from __future__ import annotations

from typing import Any

from activation.hooks.connection_types import BRAZE, DUCKDB, KAKAO_MOMENT

_STATE_FOLDER = """
Airflow object storage path below which every pipeline keeps its run journal and its rejects, for example
``s3://my_aws_connection@my-bucket/activation``. It must be shared storage where workers run on several machines.
""".strip()

_SHARED = """
Whether a ``state_folder`` on disk is a volume that every worker mounts. Executors that spread tasks over several machines
refuse a folder on disk without it.
""".strip()

_REJECTS_DAYS = """
Days that rejected rows are kept; 0 is for ever. They hold rows of customers. What is older goes at the end of a run.
""".strip()

_STREAM_RUNS = """
Records of runs that are kept of a stream of profiles, of which there may be one every few seconds; 0 is all of them. One stays
as long as there are rejects of its run.
""".strip()

_ENV = """
The environment that this Airflow runs, ``prod`` for example: overlays of that name (``users.prod.yaml``, ``_defaults.prod.yaml``)
then lie over the pipeline files. Empty: no overlay counts.
""".strip()

_RUNS_DAYS = """
Days that the record of a run is kept, and not shorter than its rejects; 0 is for ever.
""".strip()


def get_provider_info() -> dict[str, Any]:
    """Describe the package in the form of Airflow's provider schema."""
    return {
        "package-name": "airflow-activation",
        "name": "Activation",
        "description": "Carry customer data out of the warehouse, and prove that nothing was lost.",
        "integrations": [
            {"integration-name": "Braze", "external-doc-url": "https://www.braze.com/docs/api/home", "tags": ["service"]},
            {"integration-name": "DuckDB", "external-doc-url": "https://duckdb.org/docs/stable/", "tags": ["software"]},
            {"integration-name": "Amazon S3", "external-doc-url": "https://docs.aws.amazon.com/s3/", "tags": ["aws"]},
            {"integration-name": "Amazon Kinesis", "external-doc-url": "https://docs.aws.amazon.com/kinesis/", "tags": ["aws"]},
            {
                "integration-name": "Kakao Moment",
                "external-doc-url": "https://developers.kakao.com/docs/latest/en/kakaomoment/common",
                "tags": ["service"],
            },
        ],
        "operators": [
            {"integration-name": "Braze", "python-modules": ["activation.operators.braze_import"]},
            {"integration-name": "Amazon S3", "python-modules": ["activation.operators.s3_export"]},
            {"integration-name": "Amazon Kinesis", "python-modules": ["activation.operators.kinesis_stream"]},
            {"integration-name": "Kakao Moment", "python-modules": ["activation.operators.kakao_customer_file"]},
        ],
        "triggers": [{"integration-name": "Kakao Moment", "python-modules": ["activation.triggers.kakao_moment"]}],
        "hooks": [
            {"integration-name": "Amazon S3", "python-modules": ["activation.hooks.s3_export"]},
            {"integration-name": "Amazon Kinesis", "python-modules": ["activation.hooks.kinesis_stream"]},
            {"integration-name": "Braze", "python-modules": ["activation.hooks.braze"]},
            {"integration-name": "DuckDB", "python-modules": ["activation.hooks.duckdb"]},
            {"integration-name": "Kakao Moment", "python-modules": ["activation.hooks.kakao_moment"]},
        ],
        "extra-links": ["activation.operators.links.DestinationLink", "activation.operators.links.RejectsLink"],
        "connection-types": [BRAZE, DUCKDB, KAKAO_MOMENT],
        "config": {"activation": {"description": "Settings of the activation pipelines.", "options": _options()}},
    }


def _options() -> dict[str, Any]:
    return {
        "env": {
            "description": _ENV,
            "version_added": "0.1.0",
            "type": "string",
            "example": "prod",
            "default": "",
        },
        "state_folder": {
            "description": _STATE_FOLDER,
            "version_added": "0.1.0",
            "type": "string",
            "example": "s3://my_aws_connection@my-bucket/activation",
            "default": "file://{AIRFLOW_HOME}/activation",
        },
        "state_folder_is_shared": {
            "description": _SHARED,
            "version_added": "0.1.0",
            "type": "boolean",
            "example": None,
            "default": "False",
        },
        "keep_rejects_days": {
            "description": _REJECTS_DAYS,
            "version_added": "0.1.0",
            "type": "integer",
            "example": None,
            "default": "30",
        },
        "keep_runs_days": {
            "description": _RUNS_DAYS,
            "version_added": "0.1.0",
            "type": "integer",
            "example": None,
            "default": "365",
        },
        "keep_stream_runs": {
            "description": _STREAM_RUNS,
            "version_added": "0.1.0",
            "type": "integer",
            "example": None,
            "default": "10000",
        },
    }
