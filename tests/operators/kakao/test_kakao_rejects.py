"""Rejects are lines of JSON, whatever stands in the texts."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from activation.delivery.rejects import Origin
from activation.operators.kakao_rejects import MESSAGES, keep_rejects
from activation.records.advertising_ids import INVALID, MISSING
from activation.records.advertising_ids.cleaning import REJECTS

VALUES = [
    (None, MISSING),
    ("", MISSING),
    *((f"<{chr(number)}>", INVALID) for number in range(256)),
    ('\\"\\n\n\\\\', INVALID),
    ("\u2028\u2029\ufeff", INVALID),
    ("김철수 😀", INVALID),
    (" \t", MISSING),
]


def test_every_character_comes_back(tmp_path: Path) -> None:
    origin, column = Origin("p", 'run "1"', 2), 'ad "id"\\ 고객'
    batch = pa.RecordBatch.from_pylist([{"value": value, "reason": reason} for value, reason in VALUES], schema=REJECTS)
    pieces = [batch.slice(0, 1), batch.slice(1, 40), batch.slice(41, 0), batch.slice(41)]
    assert keep_rejects(tmp_path / "rejects", origin, column, pieces) == len(VALUES)
    (file,) = (tmp_path / "rejects").iterdir()
    lines = file.read_bytes().decode().removesuffix("\n").split("\n")
    about = {"pipeline": "p", "run": 'run "1"', "attempt": 2}
    expected = [
        {"code": reason, "message": MESSAGES[reason], "updated_at": None, "row": {column: value}, **about}
        for value, reason in VALUES
    ]
    assert [json.loads(line) for line in lines] == expected
    assert lines == [json.dumps(one, ensure_ascii=False) for one in expected]
