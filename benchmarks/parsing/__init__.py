"""Reading pipeline files into DAGs. Each module here is a part of ``python -m benchmarks.parse_dags``."""
