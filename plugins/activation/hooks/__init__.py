"""Airflow connections to clients: the official provider hooks where there are any, our own where there are none."""
