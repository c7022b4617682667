"""Watermark, window, boundary rules and progress: pure code that knows no warehouse, no network and no Airflow."""
