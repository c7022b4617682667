"""``activation check`` of a pipeline: the way into a partner's bucket, against IAM and S3 as a partner has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from activation.cli import main
from sandbox.aws import AwsSandbox
from sandbox.braze import ApiKey, BrazeSandbox
from sandbox.braze.testing import kept_to

EXTERNAL_ID = "act-7f3a9c51e2"
KEY = "0a1b2c3d-4e5f-key"
RIGHTS = [
    {
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"],
        "Resource": "arn:aws:s3:::bay/crm/*",
    },
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::*"},
]


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox("access") as aws:
        aws.bucket("bay")
        aws.role("good", RIGHTS, external_id=EXTERNAL_ID)
        aws.role("open", RIGHTS)
        aws.role("powerless", external_id=EXTERNAL_ID)
        yield aws


@pytest.fixture(scope="module")
def exporter(aws: AwsSandbox) -> dict[str, str]:
    return aws.user("exporter", [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}])


@pytest.fixture
def folder(aws: AwsSandbox, exporter: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of pipeline files, below the working directory; the connection is ``partner``."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_PARTNER", aws.connection(**exporter))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "dags" / "pipelines"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, role: str, *, name: str = "export", more: str = "", **given: str) -> None:
    """Write the file of an export.

    :param more: further keys of the block ``access``.
    :param given: ``connection`` or ``path`` of the destination.
    """
    to = {"connection": "partner", "path": "s3://bay/crm", **given}
    arn = f"arn:aws:iam::123456789012:role/{role}"
    text = f"""
schedule: "@hourly"
source: {{type: duckdb, connection: w, table: crm.events}}
cursor: {{column: SERVER_AT, key: [EVENT_ID]}}
destination:
  type: s3
  connection: {json.dumps(to["connection"])}
  data: event
  path: {json.dumps(to["path"])}
  access: {{role_arn: "{arn}", external_id: {EXTERNAL_ID}, region: ap-northeast-2{more}}}
"""
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def check(capsys: pytest.CaptureFixture[str], exporter: dict[str, str], *arguments: str) -> tuple[int, list[str]]:
    """Exit code and lines, in which nothing secret stands."""
    code = main(["check", *arguments])
    out, error = capsys.readouterr()
    for secret in (EXTERNAL_ID, *exporter.values()):
        assert secret not in out + error
    return code, (out + error).splitlines()


def names(lines: list[str], verdict: str) -> list[str]:
    """The checks that ended so."""
    return [line[9:].partition(":")[0] for line in lines if line.startswith(verdict)]


@pytest.mark.parametrize("subject", ["export", "dags/pipelines/export.yaml"])
def test_a_good_role_passes_every_check_and_nothing_stays_behind(
    aws: AwsSandbox, exporter: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str], subject: str
) -> None:
    write(folder, "good")
    code, lines = check(capsys, exporter, subject)
    assert code == 0
    assert names(lines, "ok") == [
        "parameters", "role", "external id", "region and bucket", "folder", "test object", "multipart upload",
    ]  # fmt: skip
    assert names(lines, "skipped") == ["KMS key"]
    assert lines[-1].startswith("7 ok, 0 WRONG, 1 skipped in ")
    assert aws.objects("bay") == {}
    assert aws.unfinished("bay") == []


def test_encryption_of_the_file_is_what_is_checked(
    aws: AwsSandbox, exporter: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "good", more=f', encryption: kms, kms_key: "{aws.key()}"')
    code, lines = check(capsys, exporter, "export")
    assert code == 0
    assert names(lines, "skipped") == []
    assert any(line.startswith("ok       KMS key: aws:kms with arn:aws:kms:") for line in lines)


def test_s_e10_a_role_without_the_condition_is_wrong_and_the_remedy_is_told(
    aws: AwsSandbox, exporter: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "open")
    code, lines = check(capsys, exporter, "export")
    assert code == 1
    assert (names(lines, "ok"), names(lines, "WRONG")) == (["parameters", "role"], ["external id"])
    assert lines[-2].startswith(
        "WRONG    external id: invalid arn: The role arn:aws:iam::123456789012:role/open can be assumed without"
    )
    assert "add to its trust policy the condition StringEquals on sts:ExternalId" in lines[-2]
    assert lines[-1].startswith("2 ok, 1 WRONG, 0 skipped in ")
    assert aws.objects("bay") == {}


@pytest.mark.parametrize(
    ("role", "path", "wrong"),
    [
        ("missing", "s3://bay/crm", "role: invalid arn: "),
        ("powerless", "s3://bay/crm", "test object: missing s3 policy: "),
        ("good", "s3://nowhere/crm", "region and bucket: invalid region or bucket: "),
        ("good", f"s3://bay/{'가' * 400}", "folder: invalid bucket folder format: "),
    ],
)
def test_the_last_line_before_the_sum_says_what_is_wrong(
    exporter: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str], role: str, path: str, wrong: str
) -> None:
    write(folder, role, path=path)
    code, lines = check(capsys, exporter, "export")
    assert code == 1
    assert lines[-2].startswith(f"WRONG    {wrong}")


def test_a_connection_goes_before_a_pipeline_of_its_name(
    exporter: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "good", name="partner")
    code, lines = check(capsys, exporter, "partner")
    assert code == 2
    assert lines == [
        "activation: The connection 'partner' is one to AWS: it does not say which bucket or stream it is for, nor whose role. "
        "Fix: Name a pipeline that uses it: activation check PIPELINE."
    ]
    assert check(capsys, exporter, "dags/pipelines/partner.yaml")[0] == 0


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ({"connection": "gone"}, [], "There is no Airflow connection 'gone'."),
        ({"connection": "{{ var.value.c }}"}, [], "The destination.connection of export is a template"),
        ({"path": "s3://bay/{{ ds }}"}, [], "The destination.path of export is a template"),
        ({}, ["--table", "a.b"], "export is a pipeline, of which the destination is checked."),
        ({"path": "bay/crm"}, [], "dags/pipelines/export.yaml:9:"),
    ],
)
def test_what_cannot_be_checked_is_told(
    exporter: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str], given: dict[str, str], options: list[str],
    message: str,
) -> None:  # fmt: skip
    write(folder, "good", **given)
    code, lines = check(capsys, exporter, "export", *options)
    assert code == 2
    assert lines[0].startswith(f"activation: {message}")


def test_of_a_pipeline_to_braze_the_connection_is_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "users.yaml").write_text(
        "source: {type: duckdb, connection: w, table: crm.users}\n"
        "destination: {type: braze, connection: crm, data: attributes}\n"
        "alerts: {email: [crm@example.com]}\n",
        encoding="utf-8",
    )
    with kept_to(BrazeSandbox(keys=[ApiKey(KEY)]), allow={"empty"}) as braze:
        monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "braze", "host": braze.url, "password": KEY}))
        assert main(["check", "users"]) == 0
        assert capsys.readouterr().out.startswith("ok       connection: ")
