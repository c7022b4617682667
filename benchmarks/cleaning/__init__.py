"""Cleaning lists of advertising ids. Each module here is a part of ``python -m benchmarks.customer_files``."""
