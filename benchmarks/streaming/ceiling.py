"""How much the stub takes: a process that sends one PutRecords call, encoded beforehand, as often as it can."""

from __future__ import annotations

import base64
import json
import sys

from benchmarks.ceiling import blast
from benchmarks.server import new_event_loop
from benchmarks.streaming.records import read
from benchmarks.streaming.stub import ARN, MOST

HEAD = (
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n"
    "X-Amz-Target: Kinesis_20131202.PutRecords\r\nAuthorization: AWS4-HMAC-SHA256 Credential=none\r\nContent-Length: {}\r\n\r\n"
)


def request_of(file: str) -> bytes:
    """One call with the first records of a file."""
    entries = [{"Data": base64.b64encode(text.encode()).decode(), "PartitionKey": key} for key, text in read(file, MOST)]
    body = json.dumps({"StreamARN": ARN, "Records": entries}, separators=(",", ":")).encode()
    return HEAD.format(len(body)).encode() + body


def main(url: str, file: str, connections: str, seconds: str) -> None:
    """Write the records a second to the standard output."""
    sending = blast(url, request_of(file), connections=int(connections), seconds=float(seconds))
    sys.stdout.write(f"{new_event_loop().run_until_complete(sending) * len(read(file, MOST))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
