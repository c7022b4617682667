"""``columns.fields``: what becomes of columns, compared with plain Python, and what rejects a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.destinations.braze.encoder import ItemsEncoder
from activation.destinations.braze.kinds import KINDS, Options
from activation.records.columnar import Projection
from activation.records.conversions import CONVERSIONS, Conversion, kind_of
from activation.records.encoded import Encoded
from activation.records.layout import bind
from activation.records.mapping import mapped
from activation.records.masking import masking
from activation.records.payload import IDENTIFIER_KEYS
from activation.spec.columns import ROLES, TAKEN, Columns
from activation.spec.fields import Mask
from activation.warehouses.base import CURSOR, Column

from . import mapping_reference as reference
from .encoding import texts
from .reference import pairs_of

TYPES = {"number": "NUMERIC(38,4)", "boolean": "boolean", "json": "VARIANT", "time": "TIMESTAMP", "text": "VARCHAR"}
"""One type for each kind."""

Row = Mapping[str, str | None]


def encode(fields: Mapping[str, Any], rows: Sequence[Row], types: Mapping[str, str] | None = None, **switches: Any) -> Encoded:
    """Map and encode rows as attributes of the users u0, u1, …"""
    columns = Columns.model_validate({"identifiers": {"external_id": "ID"}, "fields": fields})
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "ID"]
    table = [Column("UPDATED_AT", "TIMESTAMP"), Column("ID", "VARCHAR")]
    table += [Column(name, (types or {}).get(name, "VARCHAR")) for name in names]
    layout = bind(("crm", "users"), table, cursor="UPDATED_AT", chosen=columns)
    inner = ItemsEncoder(KINDS["attributes"].form(Options(**{"lint": False, **switches})), layout.roles)
    users = pa.array([row.get("ID", f"u{number}") for number, row in enumerate(rows)], pa.string())
    arrays = [
        pa.array([1] * len(rows), pa.int64()),
        users,
        *(pa.array([row[name] for row in rows], pa.string()) for name in names),
    ]
    encoder = mapped(inner, columns, layout, started=reference.STARTED.replace("Z", "+00:00"))
    try:
        return encoder.encode(pa.record_batch(arrays, names=[CURSOR, "ID", *names]))
    finally:
        encoder.close()


def payload(fields: Mapping[str, Any], row: Row, types: Mapping[str, str] | None = None) -> str:
    """The text of the payload's members that is sent for one good row."""
    encoded = encode(fields, [row], types)
    assert encoded.rejected == ()
    return texts(encoded)[0].removeprefix('{"external_id":"u0"').removeprefix(",").removesuffix("}")


def reject(fields: Mapping[str, Any], row: Row, types: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Code and message with which one row is rejected."""
    (found,) = encode(fields, [row], types).rejected
    return found.code, found.message


@cache
def _steps(name: str, mask: Mask | None = None) -> Projection:
    conversion: Conversion = masking(mask) if mask else CONVERSIONS[name]
    query = f"SELECT s, {conversion.json('s')} AS json FROM (SELECT {conversion.clean('t')} AS s FROM batch)"
    return Projection(query, ("t",))


def convert(values: Sequence[str], name: str = "", mask: Mask | None = None) -> list[Any]:
    """What becomes of texts: a parsed value, ``None`` for NULL, or ``Broken``."""
    found = _steps(name, mask)(pa.record_batch([pa.array(values, pa.string())], names=["t"]))
    pairs = zip(found["s"].to_pylist(), found["json"].to_pylist(), strict=True)
    return [
        reference.decimals(pairs_of(json)) if json is not None else None if clean is None else "Broken" for clean, json in pairs
    ]


def expected(make: Any, value: str) -> Any:
    try:
        return make(value)
    except reference.Broken:
        return "Broken"


_BLANK = st.sampled_from(["", "", "", " ", "\t", "\r\n"])
_DIGITS = st.text("0123456789", max_size=30)


def _around(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("{}{}{}".format, _BLANK, inside, _BLANK)


_NUMBERS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "", "-", "+", "--"]),
    _DIGITS,
    st.sampled_from(["", ".", "", ".0", ".00", ","]),
    _DIGITS,
    st.sampled_from(["", "", "", "e5", "E-7", "e+300", "e"]),
)
_TIMES = st.builds(
    "{}-{:02}-{:02}{}{:02}:{:02}{}{}".format,
    st.sampled_from(["2026", "0001", "9999", "1969", "2024", "0000", "20"]),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from([" ", "T", "  "]),
    st.integers(0, 25),
    st.integers(0, 61),
    st.sampled_from(["", ":00", ":59.5", ":59.123456789", ":60", ":07.999999", ".5"]),
    st.sampled_from(["", "", "+00", "Z", " Z", "+09", "+0930", "-05:30", " -11:59", "+00:00", "+9", "+09:60", " UTC"]),
)
_DATES = st.dates().map(str)
_WORDS = st.text("tTrRuUeEfFaAlLsSyYnNoO01 ", max_size=5) | st.sampled_from(["true", "FALSE", " Yes "])
_JSON = st.recursive(
    st.sampled_from(
        ["1", "-0.50", "1e5", "NaN", "-Infinity", "null", "true", '"한 \\"x\\" \\u0001"', '"nan ,]"', "01", "'a'", ""]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(inner, max_size=3).map(lambda items: "{" + ",".join(f'"k{n}" :{item}' for n, item in enumerate(items)) + "}"),
        inner.map(lambda item: f"[{item},]"),
    ),
    max_leaves=6,
)
_TEXTS = {
    "text": st.text(),
    "number": _around(_NUMBERS) | st.text(max_size=5) | st.sampled_from(["NaN", "inf", "1_0", "１", "0x1", ""]),
    "integer": _around(_NUMBERS) | st.text(max_size=5),
    "boolean": _around(_WORDS),
    "json": _around(_JSON) | st.text(max_size=5),
    "time": _around(_TIMES | _DATES) | st.sampled_from(["", "infinity", "20260719"]),
}


@pytest.mark.parametrize("kind", _TEXTS)
def test_conversions_agree_with_plain_python(kind: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(_TEXTS[kind], min_size=1, max_size=50))
    def check(values: list[str]) -> None:
        for value, found in zip(values, convert(values, kind), strict=True):
            assert found == expected(lambda text: reference.convert(kind, text), value), repr(value)

    check()


MASKS = [
    Mask(type="redact"),
    Mask(type="truncate", length=3),
    Mask(type="sha256"),
    Mask(type="sha256_email"),
    Mask(type="sha256_phone"),
    Mask(type="sha256_phone", country_code=82),
    Mask(type="sha256_phone", country_code=7, trunk="8"),
    Mask(type="sha256_phone", country_code=378, trunk=""),
]
_PERSONAL = st.text("aZÀ한@. \t", max_size=8) | st.text("+0018() .-/\u00a0", max_size=20) | st.text()
_PHONES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "+82", "0082 ", "+82 (0)", "(0)", "0", "8", "+0"]),
    st.sampled_from(["10", "(10) "]),
    st.sampled_from(["-1234-5678", " 123 45 67", "12345678901234", "", "-12e4"]),
    st.sampled_from(["", " ", "#1"]),
)


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: f"{mask.type}-{mask.country_code}")
def test_masks_agree_with_plain_python(mask: Mask) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(_PERSONAL | _PHONES, min_size=1, max_size=50))
    def check(values: list[str]) -> None:
        for value, found in zip(values, convert(values, mask=mask), strict=True):
            assert found == expected(lambda text: reference.masked(mask, text), value), repr(value)

    check()


_NAMES = ("city", "한국 'x'", 'quo"ted', "a.b", "a.c", "a.d.e", "z.$time", "B", "b")
_FIELDS = st.one_of(
    st.fixed_dictionaries(
        {"column": st.sampled_from(list(TYPES))},
        optional={"as": st.sampled_from(list(CONVERSIONS)), "nulls": st.sampled_from(["send", "skip", "reject"])},
    ),
    st.fixed_dictionaries(
        {"column": st.sampled_from(list(TYPES)), "mask": st.sampled_from(["redact", "sha256", "sha256_email"])},
        optional={"nulls": st.sampled_from(["send", "skip", "reject"])},
    ),
    st.fixed_dictionaries(
        {"template": st.sampled_from(["{text}", "Hi '{text}' {{{number}}}", "only text", '{time}"{boolean}'])},
        optional={"nulls": st.sampled_from(["send", "skip", "reject"])},
    ),
    st.fixed_dictionaries(
        {"constant": st.one_of(st.text("'\"\\한\n", max_size=5), st.integers(-(10**17), 10**17), st.booleans())}
    ),
    st.just({"moment": "run_start"}),
)
_ROWS = st.fixed_dictionaries(
    {
        "text": st.one_of(st.none(), st.text(max_size=5)),
        "number": st.sampled_from([None, "0.50", "-12345678901234567890123456789012345678", "NaN", "1e300"]),
        "boolean": st.sampled_from([None, "true", "false", "t"]),
        "json": st.sampled_from([None, "null", '{"a": [1.50, null]}', "[1,]", '1,"external_id":"x"']),
        "time": st.sampled_from([None, "2026-07-19 09:07:23.5", "2026-07-19", "infinity"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(_NAMES), _FIELDS, min_size=1), st.lists(_ROWS, min_size=1, max_size=8))
def test_f31_whole_payloads_agree_with_plain_python(fields: dict[str, Any], rows: list[Row]) -> None:
    models = Columns.model_validate({"fields": fields}).fields
    encoded = encode(fields, rows, TYPES)
    found: dict[int, Any] = {one.row: one.code for one in encoded.rejected}
    for row, text in zip(encoded.rows.tolist(), texts(encoded), strict=True):
        pairs = reference.decimals(pairs_of(text))["pairs"]
        assert pairs[0] == ("external_id", f"u{row}")
        found[row] = {"pairs": pairs[1:]}
    for number, row in enumerate(rows):
        try:
            made: Any = reference.payload_of(models, row, {kind: kind for kind in TYPES})
        except reference.Broken as broken:
            made = str(broken)
        assert found[number] == made


@pytest.mark.parametrize(
    ("type_name", "kind"),
    [
        *((name, "number") for name in ("TINYINT", "HUGEINT", "UBIGINT", "BIGNUM", "DECIMAL(18,3)", "FLOAT", "DOUBLE")),  # DuckDB
        *((name, "number") for name in ("integer", "bigint", "smallint", "numeric", "numeric(20,2)", "real", "double precision")),
        *((name, "number") for name in ("INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC", "NUMBER(38,0)", "int", "decimal(20,2)")),
        *((name, "boolean") for name in ("BOOLEAN", "boolean", "BOOL", "bool")),
        *((name, "json") for name in ("JSON", "jsonb", "super", "VARIANT", "variant", "OBJECT", "ARRAY", "VECTOR(FLOAT, 3)")),
        *((name, "json") for name in ("text[]", "double precision[]", "INTEGER[2]", "STRUCT(a INTEGER)", "struct<a:int>")),
        *(
            (name, "json")
            for name in ("MAP(VARCHAR, VARCHAR)", "map<string,int>", "ARRAY<STRING>", "RANGE<DATE>", "UNION(a INT)")
        ),
        *((name, "time") for name in ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "timestamp(3) without time zone", "DATETIME")),
        *((name, "time") for name in ("TIMESTAMP_NTZ(9)", "TIMESTAMP_TZ(9)", "TIMESTAMP_NS", "timestamptz", "timestamp_ntz")),
        *((name, "text") for name in ("VARCHAR", "text", "STRING", "char(5)", "DATE", "date", "TIME", "time without time zone")),
        *(
            (name, "text")
            for name in ("interval", "INTERVAL", "int4range", "numrange", "uuid", "BLOB", "bytea", "money", "bit(3)")
        ),
        *((name, "text") for name in ("GEOGRAPHY", "ENUM('number', 'json')", "super_type", "objects", "arrays")),
    ],
)
def test_a_columns_type_decides_where_the_field_does_not(type_name: str, kind: str) -> None:
    assert kind_of(type_name) == kind


def test_every_digit_is_sent() -> None:
    digits = "-1234567890123456789012345678901234567.1234567890"
    assert payload({"a": "A"}, {"A": digits}, {"A": "NUMERIC"}) == f'"a":{digits}'
    assert payload({"a": {"column": "A", "as": "integer"}}, {"A": "+000" + "9" * 60 + ".00"}) == f'"a":{"9" * 60}'


def test_text_is_escaped_as_json_asks_for() -> None:
    text = '한국 😀 "q" \\ / \x00\x01\x1f\x7f\u2028 \'\n'
    assert payload({"a": "A"}, {"A": text}) == ('"a":"한국 😀 \\"q\\" \\\\ / \\u0000\\u0001\\u001F\x7f\u2028 \'\\n"')


def test_fields_stand_in_their_order_and_dots_nest() -> None:
    fields = {"z": "A", "o.b": "A", "y": {"constant": 1}, "o.a.c": "A", "o.$time": {"moment": "run_start"}}
    assert payload(fields, {"A": "x"}) == (f'"z":"x","o":{{"b":"x","a":{{"c":"x"}},"$time":"{reference.STARTED}"}},"y":1')


def test_an_object_of_which_nothing_is_left_is_left_out() -> None:
    assert payload({"o.a": "A", "o.b.c": "A"}, {"A": None}) == ""
    assert payload({"o.a": {"column": "A", "nulls": "send"}}, {"A": None}) == '"o":{"a":null}'


def test_columns_whose_names_differ_in_case_only_are_told_apart() -> None:
    row = {"Name": "one", "NAME": "two", 'quo"ted, 한': "three"}
    assert payload({"a": "Name", "b": "NAME", "c": 'QUO"TED, 한'}, row) == '"a":"one","b":"two","c":"three"'


def test_a_batch_without_rows_and_a_payload_without_columns() -> None:
    assert texts(encode({"a": {"constant": "x"}}, [])) == []
    assert payload({"a": {"constant": "it's"}, "b": {"constant": 1.5}}, {}) == '"a":"it\'s","b":1.5'


def test_the_value_that_does_not_fit_names_field_and_column() -> None:
    assert reject({"profile.age": {"column": "age", "as": "integer"}}, {"AGE": "x"}) == (
        "value_not_integer",
        "The field profile.age cannot be made: the column AGE is not a whole number.",
    )
    assert reject({"score": "S"}, {"S": "NaN"}, {"S": "DOUBLE"}) == (
        "value_not_number",
        "The field score cannot be made: the column S is not a number; NaN and infinity are none in JSON.",
    )
    assert reject({"p": {"column": "P", "mask": "sha256_phone"}}, {"P": "010-1234-5678"}) == (
        "value_not_phone",
        "The field p cannot be made: the column P is not a phone number that begins with + or 00.",
    )
    assert reject({"t": {"template": "{A}{B}", "nulls": "reject"}}, {"A": "x", "B": None}) == (
        "value_missing",
        "The field t has no value: a column of its template is NULL.",
    )


def test_no_text_leaves_its_field() -> None:
    """What stands in a column of JSON cannot end the field and begin another one."""
    for text in ('1,"external_id":"other"', '"a","b":1', "1}", "{}{}", "1 // x", '[1]],"b":[2'):
        assert reject({"a": {"column": "A", "as": "json"}}, {"A": text})[0] == "value_not_json"


def test_what_another_rule_rejects_first_keeps_its_reason() -> None:
    fields = {"a": {"column": "A", "as": "integer"}}
    rows = [{"ID": None, "A": "x"}, {"ID": "u", "A": "x"}, {"ID": "v", "A": "1"}]
    found = encode(fields, rows)
    assert [(one.row, one.code) for one in found.rejected] == [(0, "no_identifier"), (1, "value_not_integer")]
    assert found.rows.tolist() == [2]


def test_the_rules_of_payloads_hold_for_mapped_ones() -> None:
    many = {f"f{number}": {"constant": 1} for number in range(251)}
    assert reject(many, {"A": "x"})[0] == "too_many_keys"
    assert reject({"a": "A", "b": "A"}, {"A": "x" * 600_000})[0] == "payload_too_large"
    nested = encode({"o": "A"}, [{"A": '{"a": null}'}], {"A": "JSON"}, lint=True)
    assert [one.code for one in nested.rejected] == ["nested_null"]


def test_masked_fields_send_nothing_of_the_value_but_what_the_mask_keeps() -> None:
    row = {"MAIL": " Ada@Example.com\n", "PHONE": "010-1234-5678", "NAME": "홍길동"}
    fields = {
        "mail": {"column": "MAIL", "mask": "sha256_email"},
        "phone": {"column": "PHONE", "mask": {"type": "sha256_phone", "country_code": 82}},
        "name": {"column": "NAME", "mask": {"type": "truncate", "length": 1}},
        "note": {"template": "{NAME} {MAIL}", "mask": "redact"},
    }
    assert payload(fields, row) == (
        f'"mail":"{sha256(b"ada@example.com").hexdigest()}","phone":"{sha256(b"+821012345678").hexdigest()}",'
        '"name":"홍","note":"***"'
    )


def test_pipeline_files_know_the_roles_of_each_data_type() -> None:
    assert {data: (*kind.shape.identifiers, *kind.shape.optional) for data, kind in KINDS.items()} == ROLES
    assert TAKEN == IDENTIFIER_KEYS
