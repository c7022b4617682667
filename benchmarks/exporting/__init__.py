"""Exports to a bucket. Each module here is a part of ``python -m benchmarks.export_s3``."""
