"""``activation check`` of a pipeline into a stream, against IAM as AWS has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from activation.cli import main
from sandbox.aws import AwsSandbox

EXTERNAL_ID = "act-7f3a9c51e2"
ARN = "arn:aws:kinesis:ap-northeast-2:123456789012:stream/profiles"
ACTIONS = ["kinesis:DescribeStreamSummary", "kinesis:PutRecords", "kinesis:ListShards"]


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox("access") as aws:
        aws.client("kinesis").create_stream(StreamName="profiles", ShardCount=2)
        aws.role("good", [{"Effect": "Allow", "Action": ACTIONS, "Resource": ARN}], external_id=EXTERNAL_ID)
        aws.role("reader", [{"Effect": "Allow", "Action": ACTIONS[:1], "Resource": ARN}], external_id=EXTERNAL_ID)
        yield aws


@pytest.fixture(scope="module")
def sender(aws: AwsSandbox) -> dict[str, str]:
    return aws.user("sender", [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}])


@pytest.fixture
def folder(aws: AwsSandbox, sender: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of pipeline files, below the working directory; the connection is ``streams``."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_STREAMS", aws.connection(**sender))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "dags" / "pipelines"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, role: str, *, stream: str = "profiles", records: str = "{}") -> None:
    place = {"name": stream, "role_arn": f"arn:aws:iam::123456789012:role/{role}", "external_id": EXTERNAL_ID}
    related = {name: f"crm.{name}" for name in ("memberships", "identities", "audiences")}
    text = f"""
source: {{type: duckdb, connection: w, table: crm.profiles, related: {json.dumps(related)}}}
columns: {{fields: {{person.name.firstName: FIRST_NAME}}}}
destination:
  type: kinesis
  connection: streams
  stream: {json.dumps(place)}
  audiences: [aud-1]
  records: {records}
"""
    (folder / "profiles.yaml").write_text(text, encoding="utf-8")


def check(capsys: pytest.CaptureFixture[str], sender: dict[str, str], subject: str = "profiles") -> tuple[int, list[str]]:
    """Exit code and lines, in which nothing secret stands."""
    code = main(["check", subject])
    out, error = capsys.readouterr()
    for secret in (EXTERNAL_ID, *sender.values()):
        assert secret not in out + error
    return code, (out + error).splitlines()


def names(lines: list[str], verdict: str) -> list[str]:
    """The checks that ended so."""
    return [line[9:].partition(":")[0] for line in lines if line.startswith(verdict)]


def test_k_c1_a_good_role_passes_and_the_right_that_can_be_done_without_is_named(
    sender: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "good")
    code, lines = check(capsys, sender)
    assert code == 0, lines
    assert names(lines, "ok") == ["parameters", "role", "external id", "stream", "right to write", "shards"]
    assert names(lines, "skipped") == ["region and endpoint", "KMS key"]
    assert any("kinesis:ListStreams is not allowed" in line for line in lines)


def test_k_c1_a_role_that_may_not_write_is_wrong_and_the_action_is_named(
    sender: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "reader")
    code, lines = check(capsys, sender)
    assert code == 1, lines
    assert names(lines, "WRONG") == ["right to write"]
    assert lines[-2].endswith(f"Fix: Allow kinesis:PutRecords on {ARN} to the connection's user or role.")


def test_packing_of_the_file_is_what_is_checked(
    aws: AwsSandbox, sender: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.role("no-shards", [{"Effect": "Allow", "Action": ACTIONS[:2], "Resource": ARN}], external_id=EXTERNAL_ID)
    write(folder, "no-shards")
    assert check(capsys, sender)[0] == 0
    write(folder, "no-shards", records="{aggregation: kpl}")
    code, lines = check(capsys, sender)
    assert (code, names(lines, "WRONG")) == (1, ["shards"])


def test_a_stream_that_is_a_template_cannot_be_checked(
    sender: dict[str, str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "good", stream="{{ var.value.stream }}")
    code, lines = check(capsys, sender)
    assert code == 2
    assert lines[0].startswith("activation: The destination.stream of profiles is a template")
