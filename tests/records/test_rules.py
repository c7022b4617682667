"""Rules as data: the first one that a row breaks decides, over all rules that are in use."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from activation.destinations.braze.attributes import form
from activation.records.rules import Rule, first_broken, text_of

from .encoding import encode, texts, verdict

MANY = json.dumps({**dict.fromkeys(map(str, range(251))), "external_id": 1})
RULES = form().rules
LADDER: list[tuple[str, dict[str, Any]]] = [
    ("null_updated_at", {"cursor": None, "alias_name": "n", "external_id": "x" * 988, "payload": None}),
    ("half_alias", {"alias_name": "n", "external_id": "x" * 988, "braze_id": "b", "payload": None}),
    ("no_identifier", {"payload": None}),
    ("multiple_identifiers", {"external_id": "x" * 988, "braze_id": "b", "payload": None}),
    ("identifier_too_long", {"external_id": "x" * 988, "payload": None}),
    ("payload_missing", {"external_id": "u", "payload": None}),
    ("payload_too_large", {"external_id": "u", "payload": "[" * 1_048_577}),
    ("payload_not_json", {"external_id": "u", "payload": "[NaN"}),
    ("payload_not_json", {"external_id": "u", "payload": "[NaN]"}),
    ("payload_not_object", {"external_id": "u", "payload": "[1]"}),
    ("too_many_keys", {"external_id": "u", "payload": MANY}),
    ("identifier_in_payload", {"phone": "+82", "payload": '{"external_id":1,"email":"a"}'}),
    ("identifier_in_payload", {"phone": "+82", "payload": '{"email":"a"}'}),
]
"""Each row breaks its own rule and as many later ones as it can."""


@pytest.mark.parametrize(("code", "row"), LADDER)
def test_the_first_broken_rule_decides(code: str, row: dict[str, Any]) -> None:
    assert verdict(row) == code


def test_the_ladder_has_a_row_for_every_rule() -> None:
    assert [code for code, _ in LADDER] == [rule.code for rule in RULES]


def test_good_and_bad_rows_of_one_batch_keep_their_places() -> None:
    rows: list[dict[str, Any]] = []
    for number, (_, bad) in enumerate(LADDER):
        rows += [{"external_id": f"u{number}"}, bad]
    encoded = encode(*rows)
    assert encoded.rows.tolist() == list(range(0, len(rows), 2))
    assert [(one.row, one.code) for one in encoded.rejected] == [(2 * at + 1, code) for at, (code, _) in enumerate(LADDER)]
    assert texts(encoded) == [f'{{"external_id":"u{number}"}}' for number in range(len(LADDER))]


def test_without_rules_no_row_breaks_one() -> None:
    assert first_broken(()) == "NULL"


def test_the_expression_gives_the_index_of_the_first_broken_rule() -> None:
    rules = (Rule("low", "x < 3", ""), Rule("odd", "x % 2 = 1", ""))
    (found,) = zip(*duckdb.execute(f"SELECT {first_broken(rules)} FROM range(6) AS t(x) ORDER BY x").fetchall(), strict=True)
    assert found == (0, 0, 0, 1, None, 1)


def test_text_becomes_a_json_string() -> None:
    value = 'a"b\\c\n\x01한😀'
    ((written,),) = duckdb.execute(f"SELECT {text_of('x')} FROM (SELECT CAST($1 AS VARCHAR) AS x)", [value]).fetchall()
    assert json.loads(written) == value
