"""Imports what a DAG file of a way imports, and tells how long that took: ``python -m benchmarks.parsing.importing MODULE…``."""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module

HEAVY = ("pandas", "pyarrow", "duckdb", "boto3", "botocore")
"""What no DAG file should load."""


def main(modules: list[str]) -> None:
    """Write to the standard output: ``base``, the seconds of airflow.sdk, ``added`` to it, and the ``heavy`` modules."""
    began = time.perf_counter()
    from airflow.sdk import DAG, Asset, BaseOperator, Param  # noqa: F401 - what every DAG file needs

    loaded = time.perf_counter()
    before = {name for name in HEAVY if name in sys.modules}
    for module in modules:
        import_module(module)
    added = time.perf_counter() - loaded
    heavy = [name for name in HEAVY if name in sys.modules and name not in before]
    sys.stdout.write(json.dumps({"base": loaded - began, "added": added, "heavy": heavy}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
