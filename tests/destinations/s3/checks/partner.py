"""A partner's account on local AWS servers, and what the tests of the checks ask of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pytest

from activation.destinations.s3.checks import TEST_OBJECT, Access, Place, check, require
from activation.errors import ActivationError
from activation.findings import Finding, Verdict
from activation.hooks.s3_export import S3ExportHook
from sandbox.aws import AwsSandbox, FaultProxy

BUCKET = "partner-bucket"
FOLDER = "내보내기/이벤트"
EXTERNAL_ID = "ext-canary-7f3a9c"
WRITE = [
    {"Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload"], "Resource": f"arn:aws:s3:::{BUCKET}/*"},
    {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"},
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
]
MISSING = "arn:aws:kms:{region}:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@dataclass
class World:
    """A partner's account behind a proxy, and an exporter who is a user with nothing but the right to assume roles."""

    aws: AwsSandbox
    proxy: FaultProxy
    exporter: dict[str, str] = field(default_factory=dict)

    def access(self, **arguments: Any) -> Access:
        return self.hook(**arguments).access()

    def hook(self, **arguments: Any) -> S3ExportHook:
        os.environ["AIRFLOW_CONN_PARTNER"] = self.aws.connection(**self.exporter, endpoint_url=self.proxy.url)
        return S3ExportHook("partner", **arguments)

    def role(self, name: str, policy: Any = WRITE, external_id: str | None = EXTERNAL_ID) -> str:
        who = f"arn:aws:iam::{self.aws.account}:user/exporter"
        return self.aws.role(name, policy, trust=who, external_id=external_id)


def wrong(access: Access, place: Place) -> Finding:
    """The finding at which a check stops; :func:`require` must raise the same."""
    findings = list(check(access, place))
    last = findings[-1]
    assert [one for one in findings if one.verdict is Verdict.WRONG] == [last]
    told: list[Finding] = []
    with pytest.raises(ActivationError) as raised:
        require(access, place, told.append)
    assert [(one.verdict, one.name) for one in told] == [(one.verdict, one.name) for one in findings[:-1]]
    begin = last.text.split(TEST_OBJECT)[0]  # the test object of each check has another name
    assert str(raised.value).startswith(begin)
    return last
