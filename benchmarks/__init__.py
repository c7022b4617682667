"""Benchmarks: content first, then time. Each module here is a part of ``python -m benchmarks.import_braze``."""
