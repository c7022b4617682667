"""The models on their own: defaults, values with units, names, and that what is written can be read again."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from activation.errors import ConfigurationError
from activation.spec import BrazeDestination, Cursor, Delivery, Duration, Errors, Pipeline, PostgresSource, Size, TableName
from activation.spec.fields import template_parts

GOOD: dict[str, Any] = {
    "id": "users",
    "source": {"type": "duckdb", "connection": "w", "table": "main.users"},
    "destination": {"type": "braze", "connection": "braze", "data": "attributes"},
}


def test_defaults() -> None:
    pipeline = Pipeline.model_validate(GOOD)
    assert (pipeline.description, pipeline.owner, pipeline.tags, pipeline.schedule) == ("", "activation", (), None)
    assert pipeline.cursor == Cursor(
        column="UPDATED_AT",
        rule="count",
        key=None,
        lookback=Duration(0),
        settle=Duration.parse("5s"),
        future="hold",
    )
    assert pipeline.cursor.remember == 10_000
    assert pipeline.delivery == Delivery(
        batch_rows=None,
        batch_bytes=None,
        in_flight=16,
        attempts=8,
        timeout=Duration.parse("30s"),
        checkpoint=Duration.parse("500ms"),
        rate_share=1.0,
        max_delay=Duration.parse("60s"),
    )
    assert pipeline.errors == Errors(retries=3, retry_delay=Duration.parse("1m"), timeout=None, max_reject_share=0.5)
    assert isinstance(pipeline.destination, BrazeDestination)
    assert not pipeline.destination.update_existing_only


def test_models_are_frozen_and_can_be_hashed_and_pickled() -> None:
    pipeline = Pipeline.model_validate(GOOD)
    with pytest.raises(ValidationError):
        pipeline.owner = "x"
    assert hash(pipeline) == hash(Pipeline.model_validate(GOOD))
    assert pickle.loads(pickle.dumps(pipeline)) == pipeline  # noqa: S301


def test_errors_of_the_models_do_not_repeat_what_was_given() -> None:
    with pytest.raises(ValidationError) as raised:
        Pipeline.model_validate({**GOOD, "owner": 7, "source": {**GOOD["source"], "connection": "postgres://u:hunter2@h"}})
    assert "hunter2" not in str(raised.value)


_DURATIONS = st.integers(0, 3650 * 86_400_000).map(Duration)


@given(_DURATIONS)
def test_duration_is_read_as_it_is_written(duration: Duration) -> None:
    assert Duration.parse(str(duration)) == duration
    assert duration.timedelta == timedelta(milliseconds=duration.milliseconds)
    assert Errors.model_fields["retry_delay"].annotation is Duration


@pytest.mark.parametrize(
    ("text", "seconds", "written"),
    [
        ("0s", 0.0, "0s"),
        ("500ms", 0.5, "500ms"),
        ("90s", 90.0, "1m30s"),
        ("1h30m", 5400.0, "1h30m"),
        ("36h", 129_600.0, "1d12h"),
        ("1d2h3m4s5ms", 93_784.005, "1d2h3m4s5ms"),
        ("3650d", 315_360_000.0, "3650d"),
    ],
)
def test_duration(text: str, seconds: float, written: str) -> None:
    assert Duration.parse(text).seconds == seconds
    assert str(Duration.parse(text)) == written


@pytest.mark.parametrize("text", ["", "5", "s", "1.5h", "-1s", "1 s", "30S", "1m1h", "1s1s", "30s\n", "٣s", "3651d", "1w"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration with a unit|is longer than ten years"):
        Duration.parse(text)


def test_duration_takes_pythons_own() -> None:
    assert Errors.model_validate({"timeout": timedelta(minutes=3)}).timeout == Duration.parse("3m")


@given(st.integers(0, 999_999_999).map(Size))
def test_size_is_read_as_it_is_written(size: Size) -> None:
    assert Size.parse(str(size)) == size


@pytest.mark.parametrize(
    ("text", "size"), [("4MB", 4_000_000), ("512KB", 512_000), ("1001B", 1001), ("0B", 0), ("5MiB", 5_242_880), ("1KiB", 1024)]
)
def test_size(text: str, size: int) -> None:
    assert Size.parse(text) == size
    assert str(Size.parse(text)) == text


@pytest.mark.parametrize("text", ["", "4", "MB", "4 MB", "4mb", "4GB", "4Mib", "-1B", "1.5MB", "4MB\n"])
def test_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size with a unit"):
        Size.parse(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("analytics.users", ("analytics", "users")),
        ('analytics."odd.name"', ("analytics", "odd.name")),
        ('"a ""b"""."c"', ('a "b"', "c")),
        ("lake.고객.사용자", ("lake", "고객", "사용자")),
        ("my-project.set.t$1", ("my-project", "set", "t$1")),
    ],
)
def test_table(text: str, parts: tuple[str, ...]) -> None:
    assert TableName(text).parts == parts
    assert not TableName(text).is_template


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1), min_size=2, max_size=3))
def test_any_quoted_table_is_read_as_it_is_written(parts: list[str]) -> None:
    quoted = ".".join('"{}"'.format(part.replace('"', '""')) for part in parts)
    if "{{" not in quoted and "{%" not in quoted and "{#" not in quoted:
        assert TableName(quoted).parts == tuple(parts)


@pytest.mark.parametrize(
    "text", ["", "users", "a.", ".a", "a..b", "a.b.c.d", 'a."b', 'a."b"c', "a b.c", "a.b;c", 'a.""', "a.b\n"]
)
def test_no_table(text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^The table name (is not a table name|has \d parts? where 2 or 3 are needed)\."
    ):
        _ = TableName(text).parts


def test_a_template_is_checked_after_rendering() -> None:
    source = PostgresSource(type="postgres", connection="{{ c }}", table=TableName("{{ params.schema }}.users"))
    with pytest.raises(ConfigurationError) as raised:
        source.table_parts()
    assert str(raised.value) == "The table name is a template that was not rendered. Fix: Render it, then read its parts."
    assert source.table_parts("a.users") == ("a", "users")
    with pytest.raises(ConfigurationError) as raised:
        source.table_parts("x.a.users")
    assert str(raised.value) == "The table name has 3 parts, but postgres takes at most 2. Fix: Write schema.table."
    with pytest.raises(ConfigurationError, match=r"^The table name has 1 part where 2 or 3 are needed\."):
        source.table_parts("users")


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "description": st.just("고객"),
            "tags": st.lists(st.sampled_from(["a", "b", "고객"]), max_size=3),
            "schedule": st.sampled_from([None, "@daily", "*/5 1-3 * * MON,fri"]),
            "cursor": st.fixed_dictionaries(
                {"rule": st.just("dedup")},
                optional={"remember": st.integers(0, 100_000), "key": st.just(["A", "B"]), "lookback": _DURATIONS.map(str)},
            )
            | st.fixed_dictionaries({}, optional={"rule": st.just("inclusive"), "future": st.just("send")}),
            "columns": st.just(
                {
                    "identifiers": {"external_id": "ID"},
                    "fields": {
                        "a": "A",
                        "b.c": {"column": "B", "as": "time", "nulls": "skip"},
                        "d": {"template": "{A}{{{B}}}", "mask": {"type": "truncate", "length": 3}},
                        "e": {"constant": False},
                        "f": {"column": "F", "mask": "sha256_email"},
                        "g": {"moment": "run_start"},
                    },
                }
            ),
            "delivery": st.fixed_dictionaries({}, optional={"batch_bytes": st.just("100KB"), "in_flight": st.integers(1, 256)}),
            "errors": st.fixed_dictionaries({}, optional={"timeout": st.just("2h"), "max_reject_share": st.floats(0, 1)}),
        },
    )
)
def test_what_is_dumped_can_be_validated_again(blocks: dict[str, Any]) -> None:
    pipeline = Pipeline.model_validate({**GOOD, **blocks})
    assert hash(pipeline) == hash(pickle.loads(pickle.dumps(pipeline)))  # noqa: S301
    assert Pipeline.model_validate(pipeline.model_dump()) == pipeline
    assert Pipeline.model_validate(pipeline.model_dump(mode="json")) == pipeline
    assert Pipeline.model_validate_json(pipeline.model_dump_json()) == pipeline


def test_remember_is_dumped_only_where_it_has_an_effect() -> None:
    assert "remember" not in Cursor().model_dump()
    assert Cursor(rule="dedup").model_dump()["remember"] == 10_000


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hi {FIRST} {LAST}!", (("Hi ", "FIRST"), (" ", "LAST"), ("!", ""))),
        ("no column", (("no column", ""),)),
        ("{A}{B}", (("", "A"), ("", "B"), ("", ""))),
        ("{{{ A B }}} }} and {{", (("{", "A B"), ("} } and {", ""))),
        ("{{{A}{B}}}", (("{", "A"), ("", "B"), ("}", ""))),
    ],
)
def test_template(text: str, parts: tuple[tuple[str, str], ...]) -> None:
    assert template_parts(text) == parts


@pytest.mark.parametrize("text", ["{", "}", "{}", "{ }", "a {b", "{{{a}}", "{a}}", "{{ ds }}", "{{a}}", "{% if a %}", "{# a #}"])
def test_no_template(text: str) -> None:
    with pytest.raises(PydanticCustomError, match=r"has a brace that encloses no column|looks like Jinja"):
        template_parts(text)
