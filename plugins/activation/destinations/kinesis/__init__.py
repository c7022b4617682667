"""Profiles as records of a Kinesis data stream."""
