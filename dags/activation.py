"""Makes an Airflow DAG of each pipeline file in the folder ``pipelines`` beside this file."""

from activation.dags import load

globals().update(load("pipelines"))
