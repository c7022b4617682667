"""Records into a stream. Each module here is a part of ``python -m benchmarks.stream_kinesis``."""
