"""Bodies that are cut without being built must be judged as if they were built."""

import json
import random

import msgspec
import pytest

from sandbox.braze.wire import BodyUnparsable, decode_attribute, read_object, read_track

ROWS = [
    {"external_id": f"u{number}", "city": "서울", "text": 'a "quoted" \\ line\n', "n": -1.5e3, "nested": {"a": [None, True]}}
    for number in range(2)
]


def judged_lazily(body: bytes) -> bool:
    """Whether a track body passes, looking into its objects only as far as the rules need."""
    try:
        for raw in read_track(body).arrays()[0]:
            decode_attribute(raw)
    except (BodyUnparsable, msgspec.DecodeError):
        return False
    return True


def judged_whole(body: bytes) -> bool:
    """Whether the same body passes when everything in it is decoded."""
    try:
        read_object(body)
    except BodyUnparsable:
        return False
    return True


@pytest.mark.parametrize("escaped", [False, True])
def test_lazy_and_whole_reading_agree_on_damaged_bodies(escaped: bool) -> None:
    whole = json.dumps({"attributes": ROWS}, ensure_ascii=escaped).encode()
    draw = random.Random(7)
    refused = 0
    for _ in range(5_000):
        body = bytearray(whole)
        # Not in the first bytes: a damaged "attributes" key is simply another key.
        body[draw.randrange(18, len(body))] = draw.choice(b'\\"{}[],:0.eE-+nut\x01 \xff\xc3a9dD8')
        judged = judged_whole(bytes(body))
        refused += not judged
        assert judged_lazily(bytes(body)) == judged, bytes(body)
    assert 500 < refused < 4_500


def test_objects_stay_the_bytes_that_were_sent() -> None:
    sent = b'{ "external_id" : "u" ,"a":1.50}'
    assert [bytes(raw) for raw in read_track(b'{"attributes": [' + sent + b" ]}").arrays()[0]] == [sent]
