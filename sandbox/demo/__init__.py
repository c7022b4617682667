"""The main job on one machine: a DuckDB warehouse, a Braze contract server, and a real Airflow between them."""
