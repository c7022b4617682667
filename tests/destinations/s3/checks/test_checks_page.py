"""The policies that the page for partners gives to paste: they are enough, and no more than enough."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activation.destinations.s3.answers import PERMISSIONS
from activation.destinations.s3.checks import Place, check
from activation.findings import Verdict
from activation.hooks.s3_export import S3ExportHook
from tests.destinations.s3.checks.partner import BUCKET, World

PAGE = Path(__file__).parents[4] / "docs" / "s3-export-access.md"
FOLDER = "exports/이벤트"
EXTERNAL_ID = "act-7f3a9c51e2"


def _policies(world: World) -> list[dict[str, Any]]:
    """Trust policy, S3 policy, KMS policy and the exporter's own, filled in."""
    filled = {
        "exporter arn": f"arn:aws:iam::{world.aws.account}:user/reader-of-the-page",
        "external id": EXTERNAL_ID,
        "role arn": f"arn:aws:iam::{world.aws.account}:role/of-the-page",
        "bucket": BUCKET,
        "folder": FOLDER,
        "key arn": "arn:aws:kms:ap-northeast-2:444455556666:key/1",
    }
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [json.loads(re.sub(r"<([a-z ]+)>", lambda found: filled[found[1]], block)) for block in blocks]


@pytest.fixture(scope="module")
def hook(partner: World) -> S3ExportHook:
    """A connection of an exporter, and a role, with what the page says and nothing else."""
    trust, s3, _, own = _policies(partner)
    exporter = partner.aws.user("reader-of-the-page", own["Statement"])
    role = partner.aws.role("of-the-page", s3["Statement"])
    partner.aws.client("iam").update_assume_role_policy(RoleName="of-the-page", PolicyDocument=json.dumps(trust))
    partner.exporter = exporter
    return partner.hook(role_arn=role, external_id=EXTERNAL_ID)


def test_with_the_policies_of_the_page_every_check_passes_and_nothing_stays(partner: World, hook: S3ExportHook) -> None:
    findings = list(check(hook.access(), Place(BUCKET, FOLDER)))
    assert [one.verdict for one in findings if one.name != "KMS key"] == [Verdict.OK] * 7
    assert findings[3].text.endswith("; it can be listed")
    assert findings[5].text.endswith(" written and removed again")
    assert partner.aws.objects(BUCKET) == {}
    s3 = hook.get_conn()
    s3.list_multipart_uploads(Bucket=BUCKET, Prefix=f"{FOLDER}/")
    s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}/a", Body=b"1")
    assert s3.get_object(Bucket=BUCKET, Key=f"{FOLDER}/a")["Body"].read() == b"1"
    s3.delete_object(Bucket=BUCKET, Key=f"{FOLDER}/a")


@pytest.mark.parametrize("key", ["elsewhere", "exports/이벤트-2/a", "exports/a"])
def test_with_them_nothing_can_be_written_outside_of_the_folder(hook: S3ExportHook, key: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        hook.get_conn().put_object(Bucket=BUCKET, Key=key, Body=b"1")


def test_with_them_nothing_can_be_listed_outside_of_the_folder(hook: S3ExportHook) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        hook.get_conn().list_objects_v2(Bucket=BUCKET, Prefix="exports/a")


def test_the_page_asks_for_every_right_that_an_operation_needs_and_for_no_other(partner: World) -> None:
    _, s3, kms, own = _policies(partner)
    assert {action for one in s3["Statement"] for action in one["Action"]} == set(PERMISSIONS.values())
    assert kms["Statement"][0]["Action"] == ["kms:GenerateDataKey", "kms:Decrypt"]
    assert own["Statement"][0]["Action"] == "sts:AssumeRole"
