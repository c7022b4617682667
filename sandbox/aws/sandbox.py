"""An AWS account on this machine, and what tests need to set it up and to look into it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from sandbox.aws.process import Server

Self = TypeVar("Self", bound="AwsSandbox")

REGION = "ap-northeast-2"
ROOT = {"access_key": "test", "secret_key": "test"}
"""The account's owner, whom nothing is denied."""

_HERE = Path(__file__).parent
_ACCOUNTS = {"storage": "000000000000", "access": "123456789012"}
_HEALTH = {"storage": "/_localstack/health", "access": "/_ministack/health"}
_VARIABLES: Mapping[str, Mapping[str, str]] = {
    "storage": {
        "GATEWAY_LISTEN": "127.0.0.1:{port}",
        "FILESYSTEM_ROOT": "{folder}/files",
        "DNS_ADDRESS": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "CUSTOM_SSL_CERT_PATH": "{folder}/server.pem",
        "DISABLE_EVENTS": "1",
        "SERVICES": "s3,kms,sts,iam",
        "EAGER_SERVICE_LOADING": "1",
        "S3_SKIP_KMS_KEY_VALIDATION": "0",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
    },
    "access": {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": "{port}",
        "MINISTACK_ACCOUNT_ID": _ACCOUNTS["access"],
        "MINISTACK_REGION": REGION,
    },
}
_TLS = {"USE_SSL": "1", "MINISTACK_SSL_CERT": "{folder}/certificate.pem", "MINISTACK_SSL_KEY": "{folder}/key.pem"}


class AwsSandbox:
    """An account that lives while a ``with`` block lasts.

    :param kind: ``storage`` (localstack: S3 with conditional writes, checksums, KMS keys and their states; nobody is denied
        anything) or ``access`` (ministack: IAM users, roles, trust and bucket policies, STS; all objects are kept in memory).
    :param tls: whether clients talk TLS, under a private authority whose certificate is :attr:`ca_file`.
    :ivar region: the region of clients and buckets unless another is given.
    """

    region = REGION

    def __init__(self, kind: str, *, tls: bool = False) -> None:
        if kind not in _VARIABLES:
            raise ValueError(f"there is no AWS sandbox {kind!r}; there are {', '.join(_VARIABLES)}")
        self.account, self.tls = _ACCOUNTS[kind], tls
        secure = _TLS if tls and kind == "access" else {}
        self._server = Server(_HERE / kind, {**_VARIABLES[kind], **secure}, _HEALTH[kind], tls=tls)

    def __enter__(self: Self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers: five seconds for ``storage``, one for ``access``.

        :raises RuntimeError: if it does not; shows what it printed last.
        """
        self._server.start()

    def stop(self) -> None:
        """Stop it and remove what it wrote."""
        self._server.stop()

    @property
    def url(self) -> str:
        """The endpoint of all services. Its host is an address, so clients put the bucket into the path."""
        return self._server.url

    @property
    def ca_file(self) -> str | None:
        """The certificate to trust, with TLS."""
        return self._server.ca_file

    def client(
        self,
        service: str,
        *,
        access_key: str = ROOT["access_key"],
        secret_key: str = ROOT["secret_key"],
        session_token: str | None = None,
        endpoint_url: str | None = None,
        region: str | None = None,
        ca_file: str | None = None,
        tries: int = 4,
    ) -> Any:
        """A boto3 client that waits at most 30 s for an answer.

        :param endpoint_url: where the service is, instead of here; a fault proxy, say.
        :param ca_file: the certificate to trust, instead of :attr:`ca_file`.
        :param tries: the first one included.
        """
        import boto3  # type: ignore[import-untyped,unused-ignore]
        from botocore.config import Config  # type: ignore[import-untyped,unused-ignore]

        return boto3.session.Session().client(
            service,
            region_name=region or self.region,
            endpoint_url=endpoint_url or self.url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=session_token,
            verify=ca_file or self.ca_file,
            config=Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": tries}),
        )

    def connection(
        self,
        *,
        access_key: str = ROOT["access_key"],
        secret_key: str = ROOT["secret_key"],
        endpoint_url: str | None = None,
        **extra: Any,
    ) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable, as JSON.

        :param endpoint_url: where all services are, instead of here; a fault proxy, say.
        :param extra: extra fields that replace or add to the usual ones, such as ``role_arn`` and ``assume_role_kwargs``.
        """
        place = endpoint_url or self.url
        # The provider assumes roles at Amazon's own STS unless that service has an endpoint of its own.
        usual = {"region_name": self.region, "endpoint_url": place, "service_config": {"sts": {"endpoint_url": place}}}
        trust = {"verify": self.ca_file} if self.ca_file else {}
        fields = {"conn_type": "aws", "login": access_key, "password": secret_key, "extra": {**usual, **trust, **extra}}
        return json.dumps(fields)

    def environment(self) -> Mapping[str, str]:
        """Variables that a process needs: nothing is asked of a machine's metadata service, and TLS is trusted."""
        trust = {"AWS_CA_BUNDLE": self.ca_file} if self.ca_file else {}
        return {"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": self.region, **trust}

    def bucket(self, name: str, region: str | None = None, *, policy: Sequence[Mapping[str, Any]] = ()) -> str:
        """Make a bucket and give its name.

        :param policy: statements of its bucket policy, if it has one; ``access`` applies them, to IAM users and roles.
        """
        place = region or self.region
        s3 = self.client("s3", region=place)
        made = {} if place == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": place}}
        s3.create_bucket(Bucket=name, **made)
        if policy:
            s3.put_bucket_policy(Bucket=name, Policy=_document(policy))
        return name

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Key -> content of all objects below a prefix, in the order of keys."""
        s3 = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def unfinished(self, bucket: str, prefix: str = "") -> list[tuple[str, str]]:
        """Key and upload id of each multipart upload that is neither complete nor aborted."""
        pages = self.client("s3").get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
        return [(one["Key"], one["UploadId"]) for page in pages for one in page.get("Uploads", ())]

    def key(self, state: str = "Enabled", *, region: str | None = None) -> str:
        """Make a KMS key and give its ARN; ``storage`` uses it in S3 as AWS does.

        :param state: ``Enabled``, ``Disabled`` or ``PendingDeletion``.
        """
        kms = self.client("kms", region=region)
        made: dict[str, str] = kms.create_key()["KeyMetadata"]
        if state == "Disabled":
            kms.disable_key(KeyId=made["KeyId"])
        elif state == "PendingDeletion":
            kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)
        return made["Arn"]

    def role(
        self,
        name: str,
        policy: Sequence[Mapping[str, Any]] = (),
        *,
        trust: str | None = None,
        external_id: str | None = None,
    ) -> str:
        """Make a role and give its ARN.

        :param policy: the statements that say what it may do.
        :param trust: the ARN of who may assume it; anybody of the account if none is given.
        :param external_id: what the trust policy demands as ``sts:ExternalId``; without one it demands nothing.
        """
        principal = {"AWS": trust or f"arn:aws:iam::{self.account}:root"}
        trusted: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        if external_id is not None:
            trusted["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
        iam = self.client("iam")
        made: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trusted]))["Role"]["Arn"]
        if policy:
            iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=_document(policy))
        return made

    def user(self, name: str, policy: Sequence[Mapping[str, Any]] = ()) -> dict[str, str]:
        """Make a user, ``arn:aws:iam::<account>:user/<name>``.

        :param policy: the statements that say what it may do.
        :returns: ``access_key`` and ``secret_key``, as :meth:`client` and :meth:`connection` take them.
        """
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if policy:
            iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=_document(policy))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return {"access_key": made["AccessKeyId"], "secret_key": made["SecretAccessKey"]}


def _document(statements: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
