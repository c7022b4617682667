"""A server that imitates Kinesis Data Streams with the real limits of its shards, to test, measure and demonstrate against.

It follows the contract (kinesis_profiles 2), checks signatures, keeps what it is sent, and has switches for limits, delays and
faults. ``with KinesisSandbox() as kinesis`` runs it as a process of its own, which ``python -m sandbox.kinesis`` is too.
"""

from sandbox.kinesis.reader import Read, read_stream
from sandbox.kinesis.sandbox import KinesisSandbox, Record

__all__ = ["KinesisSandbox", "Read", "Record", "read_stream"]
