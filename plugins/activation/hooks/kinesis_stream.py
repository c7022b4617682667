"""From an ordinary Airflow connection of type ``aws`` to a Kinesis data stream, as a role if there is one."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.utils.connection_wrapper import AwsConnectionWrapper

from activation.destinations.kinesis.asking import denied, kinesis_error
from activation.destinations.kinesis.description import Description
from activation.destinations.kinesis.settings import Stream
from activation.destinations.s3.calls import client_errors
from activation.destinations.s3.errors import as_error
from activation.errors import ConfigurationError
from activation.hooks.s3_export import SETTINGS, S3ExportHook

if TYPE_CHECKING:
    from activation.destinations.kinesis.checks import Access

_STREAM = re.compile(
    r"(?P<arn>arn:(?P<partition>aws[a-z-]*):kinesis:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):stream/)?(?P<name>[a-zA-Z0-9_.-]{1,128})"
)
_TARGET = "Kinesis_20131202"
_CONTENT_TYPE = "application/x-amz-json-1.1"


class KinesisStreamHook(AwsBaseHook):
    """Reads an ``aws`` connection for one stream, and lets one connection serve many roles.

    The client only manages and describes; the records go over connections of their own, signed by :meth:`sign`. The credentials
    of a role are fetched again by themselves, from fifteen minutes before they end on, as long as the hook lives.

    :param aws_conn_id: the Airflow connection with the sender's own credentials.
    :param stream: name or ARN of the stream.
    :param role_arn: the role to act as, instead of the connection's ``role_arn``, as with
        :class:`activation.hooks.s3_export.S3ExportHook`.
    :param external_id: what the role's trust policy asks for, instead of the connection's ``assume_role_kwargs.ExternalId``.
    :param region_name: the region of the stream; ``None`` takes that of its ARN, or else the connection's ``region_name``.
    :raises ConfigurationError: if the stream is neither a name nor an ARN, or its ARN is of another region.
    """

    def __init__(
        self,
        aws_conn_id: str = AwsBaseHook.default_conn_name,
        *,
        stream: str,
        role_arn: str | None = None,
        external_id: str | None = None,
        region_name: str | None = None,
    ) -> None:
        found = _STREAM.fullmatch(stream)
        if found is None:
            raise ConfigurationError(
                f"{stream!r} is neither the name nor the ARN of a data stream.",
                "Correct destination.stream: profiles, or its ARN.",
            )
        if region_name and found["region"] and found["region"] != region_name:
            raise ConfigurationError(
                f"The stream {stream} is in {found['region']}, not in {region_name}.", "Correct region, or leave it out."
            )
        region = region_name or found["region"]
        super().__init__(aws_conn_id, region_name=region, client_type="kinesis", config=SETTINGS)
        self._connection, self._given = aws_conn_id, found
        self._role = S3ExportHook(aws_conn_id, role_arn=role_arn, external_id=external_id, region_name=region)

    @property
    def stream_name(self) -> str:
        """The name of the stream."""
        return self._given["name"]

    @cached_property
    def conn_config(self) -> AwsConnectionWrapper:
        """The connection with what was given instead of its own settings.

        :raises ConfigurationError: as :attr:`activation.hooks.s3_export.S3ExportHook.conn_config` does.
        """
        return self._role.conn_config

    def get_session(self, region_name: str | None = None, deferrable: bool = False) -> Any:
        """The session, made once, so that client and signatures share its credentials."""
        if deferrable or region_name not in (None, self.region_name):
            return super().get_session(region_name, deferrable)
        return self._session

    @cached_property
    def _session(self) -> Any:
        return super().get_session(self.region_name)

    def get_conn(self) -> Any:
        """The client of Kinesis, with the role's credentials where there is a role; made once.

        :raises ConfigurationError: if the role cannot be assumed, or the connection has no credentials or no region.
        :raises TransientError: if AWS cannot be reached now.
        """
        role = self.conn_config.role_arn
        action = f"Assuming the role {role}" if role else f"Opening the connection {self._connection!r}"
        try:
            client = self.conn
            self._credentials()
        except client_errors() as error:
            raise as_error(error, action) from None
        return client

    def stream(self) -> Stream:
        """The stream, ready to be written to.

        :raises ConfigurationError: if there is no such stream, or something about the connection is wrong.
        :raises TransientError: if AWS cannot be reached now.
        """
        verify, found = self._authorities(), self.description
        return Stream(found.arn, self._region, self._url, self.sign, verify=verify, on_demand=found.on_demand)

    def max_record_bytes(self) -> int:
        """Most bytes of one record, data before base64 and partition key: what the stream says, or else 1 MiB (contract 2.1).

        :raises ActivationError: as :meth:`stream` does.
        """
        return self.description.max_record

    @cached_property
    def description(self) -> Description:
        """What AWS says of the stream; little more than its ARN where kinesis:DescribeStreamSummary is not allowed.

        :raises ActivationError: as :meth:`stream` does.
        """
        client = self.get_conn()
        named = {"StreamARN": self._given[0]} if self._given["arn"] else {"StreamName": self.stream_name}
        try:
            return Description.of(client.describe_stream_summary(**named)["StreamDescriptionSummary"])
        except client_errors() as error:
            if not denied(error):
                raise kinesis_error(error, f"Describing the stream {self.stream_name}", self._unseen()) from None
        return Description(self._arn(self._account()))

    def sign(self, target: str, body: bytes) -> Mapping[str, str]:
        """Sign a call by Signature Version 4, with credentials as fresh as they must be. May be called in many threads.

        :param target: the action, such as ``PutRecords``.
        :returns: all headers to send but those that HTTP adds itself (``Host``, ``Content-Length``).
        :raises ActivationError: if the role's credentials cannot be fetched again.
        """
        from botocore.auth import SigV4Auth  # type: ignore[import-untyped,unused-ignore]
        from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped,unused-ignore]

        headers = {"Content-Type": _CONTENT_TYPE, "X-Amz-Target": f"{_TARGET}.{target}"}
        request = AWSRequest("POST", f"{self._url}/", data=body, headers=headers)
        try:
            SigV4Auth(self._credentials(), "kinesis", self._region).add_auth(request)
        except client_errors() as error:
            raise as_error(error, f"Signing with the credentials of the connection {self._connection!r}") from None
        return dict(request.headers.items())

    def access(self) -> Access:
        """What the checks before the first record need."""
        from activation.destinations.kinesis.checks import Access

        return Access(
            role=self._role.access(),
            client=self.get_conn,
            description=lambda: self.description,
            unseen=self._unseen,
            own_endpoint=lambda: not (urlsplit(self._url).hostname or "").endswith(".amazonaws.com"),
        )

    def _credentials(self) -> Any:
        """The credentials of this moment.

        :raises NoCredentialsError: if there are none.
        """
        from botocore.exceptions import NoCredentialsError  # type: ignore[import-untyped,unused-ignore]

        kept = self._session.get_credentials()
        if kept is None:
            raise NoCredentialsError
        return kept.get_frozen_credentials()

    @cached_property
    def _url(self) -> str:
        return str(self.get_conn().meta.endpoint_url).rstrip("/")

    @cached_property
    def _region(self) -> str:
        return str(self.get_conn().meta.region_name)

    def _authorities(self) -> str:
        """The file with certificate authorities that botocore would take.

        :raises ConfigurationError: if the connection turns the check of certificates off.
        """
        if self.verify is False:
            raise ConfigurationError(
                f"The connection {self._connection!r} turns the check of TLS certificates off (verify: false).",
                "Let its extra field verify name a file with the authority that signed the certificate.",
            )
        return self.verify if isinstance(self.verify, str) else os.environ.get("AWS_CA_BUNDLE", "")

    def _unseen(self) -> Stream:
        """The stream as far as it is known without asking; for errors."""
        account = self._given["account"] or str(self.conn_config.role_arn or "::::*").split(":")[4]
        return Stream(arn=self._arn(account), region=self._region, url=self._url, sign=self.sign)

    def _arn(self, account: str) -> str:
        partition = self._given["partition"] or self.get_conn().meta.partition
        return f"arn:{partition}:kinesis:{self._region}:{account}:stream/{self.stream_name}"

    def _account(self) -> str:
        """The account of the stream: that of its ARN, of the role, or of who writes.

        :raises ActivationError: if STS does not say.
        """
        if self._given["account"]:
            return self._given["account"]
        if self.conn_config.role_arn:
            return str(self.conn_config.role_arn).split(":")[4]
        try:
            return str(self._role.sts_client().get_caller_identity()["Account"])
        except client_errors() as error:
            raise as_error(error, f"Asking whose the connection {self._connection!r} is") from None
