"""From an ordinary Airflow connection of type ``aws`` to a client of S3 that acts as a partner's role."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook, SessionFactory
from airflow.providers.amazon.aws.utils.connection_wrapper import AwsConnectionWrapper
from airflow.sdk.exceptions import AirflowException
from airflow.sdk.log import mask_secret

from activation.destinations.s3.calls import client_errors
from activation.destinations.s3.errors import ExportCase, as_error, case_error
from activation.hooks.connections import find_connection

if TYPE_CHECKING:
    from activation.destinations.s3.checks import Access

POOL = 32
"""Connections to S3 that are kept open; more parts than that are never uploaded at once."""

SETTINGS: dict[str, Any] = {
    "retries": {"mode": "standard", "total_max_attempts": 6},
    "max_pool_connections": POOL,
    "connect_timeout": 10,
    "read_timeout": 120,
    "tcp_keepalive": True,
}
"""How the client behaves where the connection's extra field ``config_kwargs`` says nothing else; times in seconds. Checksums of
requests stay as botocore has them: computed wherever S3 takes one."""

ASSUME = "assume_role"


class S3ExportHook(AwsBaseHook):
    """Reads an ``aws`` connection, and lets one connection serve many partners' roles.

    The credentials of a role are fetched again by themselves, from fifteen minutes before they end on, as long as the client
    lives.

    :param aws_conn_id: the Airflow connection with the exporter's own credentials.
    :param role_arn: the role to act as, instead of the connection's ``role_arn``. The connection's external id belongs to the
        connection's role and is not sent to another one.
    :param external_id: what the role's trust policy asks for, instead of the connection's ``assume_role_kwargs.ExternalId``.
    :param region_name: the region of the bucket, instead of the connection's ``region_name``.
    """

    def __init__(
        self,
        aws_conn_id: str = AwsBaseHook.default_conn_name,
        *,
        role_arn: str | None = None,
        external_id: str | None = None,
        region_name: str | None = None,
    ) -> None:
        super().__init__(aws_conn_id, region_name=region_name, client_type="s3", config=SETTINGS)
        self._connection = aws_conn_id
        self._role_arn = role_arn
        self._external_id = external_id

    @cached_property
    def conn_config(self) -> AwsConnectionWrapper:
        """The connection with what was given instead of its own settings.

        :raises ConfigurationError: if there is no such connection (the provider would take the worker's own credentials), or an
            external id without a role that asks for it.
        """
        config = self._read()
        own: Any = self._config
        config.botocore_config = own.merge(config.botocore_config) if config.botocore_config else own
        if self._role_arn and self._role_arn != config.role_arn:
            config.role_arn = self._role_arn
            config.assume_role_method = config.assume_role_method or ASSUME
            config.assume_role_kwargs = {key: value for key, value in config.assume_role_kwargs.items() if key != "ExternalId"}
        if self._external_id:
            if not config.role_arn or config.assume_role_method != ASSUME:
                raise case_error(
                    ExportCase.PARAMETER,
                    f"There is an external id, but the connection {self._connection!r} assumes no role with one.",
                    f"Give role_arn, and leave the connection's assume_role_method empty or {ASSUME}.",
                )
            config.assume_role_kwargs = {**config.assume_role_kwargs, "ExternalId": self._external_id}
        if config.role_arn and config.assume_role_method == ASSUME:
            config.assume_role_kwargs = {"RoleSessionName": session_name(self._connection), **config.assume_role_kwargs}
        if secret := config.assume_role_kwargs.get("ExternalId"):
            mask_secret(secret)
        return config

    def _read(self) -> AwsConnectionWrapper:
        try:
            return AwsConnectionWrapper(conn=find_connection(self._connection), region_name=self._region_name)
        except (AirflowException, NotImplementedError, TypeError) as error:
            # The text may quote the extra field.
            raise case_error(
                ExportCase.PARAMETER,
                f"The connection {self._connection!r} cannot be read: {type(error).__name__}.",
                "Correct its extra field: a JSON object whose assume_role_method is one that the provider knows.",
            ) from None

    def get_conn(self) -> Any:
        """The client of S3, with the role's credentials where there is a role; made once.

        :raises ConfigurationError: if the role cannot be assumed, or the connection has no credentials.
        :raises TransientError: if AWS cannot be reached now.
        """
        config = self.conn_config
        action = f"Assuming the role {config.role_arn}" if config.role_arn else f"Opening the connection {self._connection!r}"
        try:
            return self.conn
        except client_errors() as error:
            raise as_error(error, action) from None

    def sts_client(self) -> Any:
        """A client of STS with the connection's own credentials, before any role.

        :raises ConfigurationError: if the connection's credentials cannot be read.
        """
        config = self.conn_config
        try:
            session = SessionFactory(conn=config, region_name=self.region_name, config=self.config).basic_session
            # The provider assumes roles at the service's own endpoint only, never at the connection's endpoint_url.
            endpoint = config.get_service_endpoint_url("sts", sts_connection_assume=True)
            return session.client("sts", endpoint_url=endpoint, config=self.config, verify=self.verify)
        except client_errors() as error:
            raise as_error(error, f"Opening the connection {self._connection!r}") from None

    def access(self) -> Access:
        """What the checks before the first byte need."""
        from activation.destinations.s3.checks import Access

        config = self.conn_config
        return Access(
            s3=self.get_conn,
            sts=self.sts_client,
            role_arn=str(config.role_arn or ""),
            session={key: value for key, value in config.assume_role_kwargs.items() if key != "ExternalId"},
            external_id=str(config.assume_role_kwargs.get("ExternalId") or ""),
            by_sts=config.assume_role_method in (None, ASSUME),
            region=str(self.region_name or ""),
        )


def session_name(conn_id: str) -> str:
    """How a session of a role is called, as the partner's CloudTrail shows it.

    :returns: 64 characters at most: letters, digits and any of ``= , . @ _ - +`` (the reference of AssumeRole).
    """
    return re.sub(r"[^\w+=,.@-]", "-", f"activation-{conn_id}", flags=re.ASCII)[:64]
