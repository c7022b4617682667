"""Activation for Apache Airflow: carry customer data out of the warehouse, and prove that nothing was lost."""

__version__ = "0.1.0"
