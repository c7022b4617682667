"""Links from a task in the Airflow UI to what it has written and to what it has rejected.

Airflow asks for them in the worker, when the task has ended, and shows what is not empty. A link leads to a console that knows
who may see what; nothing of it is a secret.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink
from airflow.sdk.exceptions import AirflowException

from activation.errors import ActivationError
from activation.spec import BrazeDestination, Destination, KakaoDestination, KinesisDestination, S3Destination

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

DASHBOARDS = {
    **{f"https://rest.iad-0{number}.braze.com": f"https://dashboard-0{number}.braze.com" for number in range(1, 9)},
    **{f"https://rest.fra-0{number}.braze.eu": f"https://dashboard-0{number}.braze.eu" for number in (1, 2)},
    "https://rest.us-10.braze.com": "https://dashboard.us-10.braze.com",
    "https://rest.au-01.braze.com": "https://dashboard.au-01.braze.com",
}
"""REST endpoint of Braze -> its dashboard, as Braze's list of instances has them."""

ANY_DASHBOARD = "https://dashboard.braze.com"
"""Leads to the right one once somebody has logged in."""


class DestinationLink(BaseOperatorLink):
    """To the console of the destination: Braze's dashboard, the folder in S3, the stream, the ad account."""

    name = "Destination"
    xcom_key = "activation_destination"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address, or an empty text."""
        with suppress(ActivationError, AirflowException):
            return destination_url(operator.pipeline().destination)
        return ""


class RejectsLink(BaseOperatorLink):
    """To the folder with the rows that the run has rejected, where they lie in a bucket that has a console."""

    name = "Rejects"
    xcom_key = "activation_rejects"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address, or an empty text."""
        return folder_url(str((operator.report or {}).get("rejects") or ""))


LINKS = (DestinationLink(), RejectsLink())


def destination_url(to: Destination) -> str:
    """Where people look at what has arrived; an empty text if there is nothing to open.

    :param to: with rendered templates.
    :raises ActivationError: if its connection is missing or incomplete.
    """
    if isinstance(to, S3Destination):
        return folder_url(to.path)
    if isinstance(to, KakaoDestination):
        moment = f"https://moment.kakao.com/dashboard/{to.ad_account_id}"
        return folder_url(to.output.path or "") if to.output.to == "folder" else moment
    if isinstance(to, KinesisDestination):
        return _stream_url(to)
    return _dashboard(to.connection) if isinstance(to, BrazeDestination) else ""


def folder_url(path: str) -> str:
    """The console's page of a folder in object storage, ``s3://[connection@]bucket/folder`` or ``gs://…``; or an empty text."""
    scheme, _, rest = path.partition("://")
    bucket, _, folder = rest.rpartition("@")[2].partition("/")
    folder = quote(f"{folder.strip('/')}/" if folder.strip("/") else "")
    if scheme in ("s3", "s3a") and bucket:
        return f"https://console.aws.amazon.com/s3/buckets/{bucket}?prefix={folder}"
    if scheme in ("gs", "gcs") and bucket:
        return f"https://console.cloud.google.com/storage/browser/{bucket}/{folder}"
    return ""


def _stream_url(to: KinesisDestination) -> str:
    from activation.hooks.connections import find_connection

    given, _, name = to.stream.place
    region = given or find_connection(to.connection).extra_dejson.get("region_name") or ""
    host = f"{region}.console.aws.amazon.com" if region else "console.aws.amazon.com"
    return f"https://{host}/kinesis/home?region={region}#/streams/details/{quote(name)}/monitoring"


def _dashboard(connection: str) -> str:
    from activation.hooks.braze import BrazeHook

    url = BrazeHook(connection).get_conn().url
    known = DASHBOARDS.get(url, "")
    return known or (ANY_DASHBOARD if url.endswith((".braze.com", ".braze.eu")) else "")
