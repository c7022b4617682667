"""The rules of a destination of type ``s3``, and what is told where one is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from activation.spec import PipelineFileError, load_file

GOOD = """schedule: "@hourly"
source: {type: duckdb, connection: warehouse, table: crm.events}
cursor: {column: SERVER_AT, key: [EVENT_ID]}
destination: {type: s3, connection: aws, data: event, path: s3://bucket/folder}
"""


def told(folder: Path, text: str) -> list[str]:
    """The first line of each problem, without the place."""
    file = folder / "events.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        load_file(file, environment={})
    except PipelineFileError as error:
        return [problem.message for problem in error.problems]
    return []


def test_a_good_file_has_nothing_to_tell(tmp_path: Path) -> None:
    assert told(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("s3://bucket/folder", "bucket/folder", "destination.path is not the path of a folder in a bucket."),
        ("s3://bucket/folder", "s3://Bucket/folder", "destination.path is not the path of a folder in a bucket."),
        ('schedule: "@hourly"\n', "", "destination is periodic, but the pipeline has no schedule."),
        (
            "event, path: s3://bucket/folder}",
            "user_profile, path: s3://b-1/f, export: {type: one_time}}",
            "destination exports once, but the pipeline has a schedule.",
        ),
        ("key: [EVENT_ID]", "rule: dedup", "cursor.rule means nothing to an export."),
        ("schedule:", "delivery: {attempts: 3}\nschedule:", "delivery.attempts means nothing to an export."),
        ("schedule:", "errors: {max_rows: 3}\nschedule:", "errors.max_rows means nothing to an export."),
        ("schedule:", "columns: {fields: {a: B}}\nschedule:", "columns.fields means nothing to an export."),
        (
            "folder}",
            "folder, export: {from_date: '2026-01-01'}}",
            "destination.export has from_date or to_date but is periodic.",
        ),
        ("folder}", "folder, export: {catch_up: true}}", "destination.export catches up, but does not say from where on."),
        (
            "folder}",
            "folder, export: {start: '2026-02-01', end: '2026-01-01'}}",
            "destination.export ends before it begins.",
        ),
        ("folder}", "folder, export: {start: '2026-02-30'}}", "destination.export.start is not a day."),
        ("folder}", "folder, export: {timezone: Asia/Seol}}", "destination.export.timezone is not a time zone."),
        ("folder}", "folder, select: {events: [a]}}", "destination.select has events without saying what they mean."),
        (
            "folder}",
            "folder, select: {properties_condition: exclude}}",
            "destination.select has properties_condition without properties.",
        ),
        ("folder}", "folder/../x}", "destination.path has a part . or .. in its folder."),
        (
            "folder}",
            "folder, files: {format: csv, compression: snappy}}",
            "destination.files has the compression snappy, which csv does not take.",
        ),
        (
            "folder}",
            "folder, files: {layout: '{folder}/{dat}'}}",
            "destination.files.layout cannot be used: The path '{folder}/{dat}' has an unknown field 'dat'.",
        ),
        ("folder}", "folder, access: {kms_key: k}}", "destination.access names a kms_key but is not encrypted with it."),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert told(tmp_path, GOOD.replace(old, new, 1)) == [message]
