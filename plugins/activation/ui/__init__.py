"""The Pipelines page in the Airflow UI: its routes, and the React app that they serve."""
