"""Pipeline files to DAGs. A DAG file needs three lines; without the word Airflow in it, Airflow would pass it over::

    # Makes Airflow DAGs of the pipeline files in the folder beside this file.
    from activation.dags import load

    globals().update(load("pipelines"))

For pipelines that are made in Python there are :class:`Pipeline` and :func:`build_dag`; :class:`ActivationTaskGroup` puts a
pipeline into a DAG of somebody else's.
"""

from activation.dags.build import build_dag
from activation.dags.folder import load
from activation.dags.group import ActivationTaskGroup
from activation.dags.pipeline import Pipeline

__all__ = ["ActivationTaskGroup", "Pipeline", "build_dag", "load"]
