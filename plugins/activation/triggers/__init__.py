"""What waits in Airflow's triggerer, so that no worker slot is taken meanwhile."""
