"""Reading from every warehouse. Each module here is a part of ``python -m benchmarks.read_sources``."""
