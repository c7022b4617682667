"""Asking S3: what its client raises becomes an error of this package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from activation.destinations.s3.errors import as_error
from activation.errors import ConfigurationError

GONE = frozenset({"NoSuchKey", "NotFound", "404"})
"""Codes of an object that is not there; one without a body has its HTTP status as code."""

DENIED = frozenset({"AccessDenied", "Forbidden", "403"})
"""Codes of a call that a policy forbids."""

UNMET = frozenset({"PreconditionFailed", "412"})
"""Codes of a write whose condition does not hold (contracts: s3_export 2.3)."""


class KeyTakenError(ConfigurationError):
    """An object that must not be overwritten lies under the key."""


def client_errors() -> tuple[type[Exception], ...]:
    """What a client of AWS raises: what was answered, and what kept it from an answer."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped,unused-ignore]

    return (ClientError, BotoCoreError)


@contextmanager
def asking(action: str) -> Iterator[None]:
    """Turn what the client raises in the block into an error of this package.

    :param action: what is done, as the start of a sentence.
    :raises ActivationError: with the case, what AWS said, and the remedy.
    """
    try:
        yield
    except client_errors() as error:
        raise as_error(error, action) from None


def code(error: BaseException) -> str:
    """The code of an answer of AWS, or its HTTP status where it has no body; empty for anything else."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, Mapping) else ""


def address(bucket: str, key: str) -> str:
    """An object as people write it."""
    return f"s3://{bucket}/{key}"


def taken(bucket: str, key: str) -> KeyTakenError:
    """The error of an object that lies where one was to be written and must stay."""
    return KeyTakenError(
        f"{address(bucket, key)} is there already, and was not overwritten.",
        "Set on_exists to replace or version, or remove the earlier export. A retry knows the objects of its own run only if the "
        "role may read them (s3:GetObject).",
    )
