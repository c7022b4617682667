"""``activation explain``: what the models say of a key."""

from __future__ import annotations

import pytest

from activation.cli import main
from activation.spec.grammar import fields_of
from activation.spec.models import Pipeline
from activation.spec.reference import keys


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "destination.files.compression") == (
        "destination.files.compression: Compression (s3)\n"
        "  `none`, `gzip` or `zstd` for csv and jsonl; `none`, `snappy` or `zstd` for parquet. `null` is gzip, for\n"
        "  parquet zstd.\n"
        "\n"
        "  Takes:       none, gzip, zstd or snappy or null\n"
        "  Default:     null\n"
        "  Expressions: neither Jinja nor ${env:NAME}\n"
        "  Example:     compression: zstd\n"
    )


def test_a_block(capsys: pytest.CaptureFixture[str]) -> None:
    shown = told(capsys, "source")
    assert shown.splitlines()[3:] == [
        "  Takes:       a block of keys",
        "  Default:     none, it must be there",
        "  Types:       duckdb, postgres, snowflake, redshift, bigquery, databricks",
        "  Keys:        type, connection, table, query, statement_timeout, related",
        "  Expressions: neither Jinja nor ${env:NAME}",
        "  Example:     source: {type: postgres, connection: warehouse, table: analytics.users}",
    ]


def test_a_key_that_several_types_have(capsys: pytest.CaptureFixture[str]) -> None:
    both = told(capsys, "destination.connection")
    assert [line for line in both.splitlines() if line.startswith("destination.")] == [
        "destination.connection: Connection (braze, s3, kinesis)",
        "destination.connection: Connection (kakao_moment)",
    ]
    one = told(capsys, "destination.connection", "--destination", "kakao_moment")
    assert one == "destination.connection: Connection\n" + both.partition("(kakao_moment)\n")[2]
    assert "  Default:     kakao_default\n" in one
    assert "  Expressions: Jinja and ${env:NAME} allowed\n" in one


@pytest.mark.parametrize("path", ["columns.fields.city.mask", "columns.fields.NAME.mask"])
def test_a_key_below_names_that_the_author_chooses(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = told(capsys, path)
    assert shown.startswith("columns.fields.NAME.mask: Mask\n")
    assert "  Keys:        type, length, country_code, trunk\n" in shown
    assert "               mask: {type: truncate, length: 8}\n" in shown


def test_each_key_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for key in keys():
        assert told(capsys, key.path).startswith(f"{key.path}: "), key.path
    assert {key.path for key in keys() if "." not in key.path} == {*fields_of(Pipeline), "matrix"}


def test_all_keys(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys).splitlines()
    assert len(lines) == len(keys()) + 2
    assert lines[0] == "The keys of a pipeline file; activation explain KEY tells more of one. * must be there."
    shown = {line.strip() for line in lines}
    assert any(line.startswith("stream*") and line.endswith("Stream (kinesis)") for line in shown)
    assert any(line.startswith("region") and line.endswith("  Region") for line in shown)
    kinesis = told(capsys, "--destination", "kinesis", "--source", "duckdb").splitlines()
    assert not any("(" in line for line in kinesis)
    assert {line.split()[0] for line in kinesis if line} >= {"stream*", "audiences*", "related"}
    assert not {line.split()[0] for line in kinesis if line} & {"catalog", "file_name*", "files"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compresion"], "There is no key compresion. Fix: Did you mean destination.files.compression?"),
        (["delivery.poll"], "There is no key delivery.poll. "
         "Fix: Did you mean destination.changes.poll or destination.output.wait.poll?"),
        (["zzz"], "There is no key zzz. Fix: activation explain lists all of them."),
        (["destination.path", "--destination", "kinesis"],
         "There is no key destination.path with kinesis. Fix: It is a key of s3."),
        (["--destination", "kinesi"], "There is no destination 'kinesi'. "
         "Fix: Did you mean kinesis? Choose one of braze, s3, kinesis, kakao_moment."),
        (["source", "--source", "x"], "There is no source 'x'. "
         "Fix: Choose one of duckdb, postgres, snowflake, redshift, bigquery, databricks."),
    ],
)  # fmt: skip
def test_what_there_is_not(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *arguments]) == 2
    assert capsys.readouterr() == ("", f"activation: {message}\n")
