"""Pipeline files to DAGs. A DAG file needs three lines::

from activation.dags import load

globals().update(load("pipelines"))  # the folder beside the DAG file
"""

from activation.dags.build import build_dag
from activation.dags.folder import load

__all__ = ["build_dag", "load"]
