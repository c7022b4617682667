"""What is checked before the first byte of an export, in the order of contract s3_export 1.4; it stops where something is wrong.

The checks write one small object and one part of an upload into the folder, as the export would, and take both away again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from secrets import token_hex
from typing import Any

from activation import findings
from activation.destinations.s3.bucket import Bucket
from activation.destinations.s3.calls import address, asking, client_errors
from activation.destinations.s3.errors import ExportCase, as_error, bucket_region, case_error, classify
from activation.destinations.s3.layout import normal_folder
from activation.destinations.s3.settings import Encryption
from activation.errors import ActivationError
from activation.findings import Check, Finding, Skip, until_wrong

TEST_OBJECT = "_activation_test_"
"""How the name of a test object begins; readers of a folder leave names with an underscore out."""

_CONTENT = b"Written by a check of the export; it can be deleted.\n"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,576}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_KEY = re.compile(r"(arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:(key|alias)/|alias/)?[\w/-]+", re.ASCII)
"""Forms of names, as the references of S3 (bucket naming rules), IAM, STS (AssumeRole) and KMS give them."""


@dataclass(frozen=True, slots=True)
class Access:
    """The ways in, by which the hook reads its connection.

    :ivar s3: gives the client that the export writes with, after assuming the role if there is one.
    :ivar sts: gives a client of STS with the exporter's own credentials.
    :ivar role_arn: the role; empty if the exporter writes as itself.
    :ivar session: what AssumeRole is told beside role and external id, above all ``RoleSessionName``.
    :ivar external_id: what is told when the role is assumed; empty for nothing. It is in no text of a check.
    :ivar by_sts: whether the role is assumed with the exporter's own credentials, not by SAML or a web identity.
    :ivar region: where the bucket should be; empty if nobody said.
    """

    s3: Callable[[], Any]
    sts: Callable[[], Any]
    role_arn: str = ""
    session: Mapping[str, Any] = field(default_factory=dict)
    external_id: str = field(default="", repr=False)
    by_sts: bool = True
    region: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how an export is written.

    :ivar folder: in any form that :func:`activation.destinations.s3.layout.normal_folder` takes.
    :ivar encryption: ``None`` leaves it to the bucket.
    :ivar owner: who checks, one at a time. The name of the test object is made of it, so that a check finds and removes what the
        one before it has left when it was killed; without an owner each check has a name of its own.
    """

    bucket: str
    folder: str
    encryption: Encryption | None = None
    owner: str = ""


def check(access: Access, place: Place) -> Iterator[Finding]:
    """Check until something is wrong: the last finding says what, beginning with its case, and ends with the remedy."""
    yield from until_wrong(export_checks(access, place))


def require(access: Access, place: Place, tell: Callable[[Finding], None]) -> None:
    """Check, as the first thing of an export.

    :param tell: gets each finding that is not wrong.
    :raises ConfigurationError: at the first thing that a person must put right.
    :raises TransientError: if AWS does not answer as it should now.
    """
    findings.require(export_checks(access, place), tell)


def export_checks(access: Access, place: Place) -> Iterator[Check]:
    """All checks; each needs that the ones before it found nothing wrong."""
    steps = _Steps(access, place)
    yield Check("parameters", steps.parameters)
    yield Check("role", steps.role)
    yield Check("external id", steps.probe)
    yield Check("region and bucket", steps.bucket)
    yield Check("folder", steps.folder)
    yield Check("test object", steps.test_object)
    yield Check("KMS key", steps.key)
    yield Check("multipart upload", steps.multipart)


class _Steps:
    """The looks, and what the later ones need of the earlier ones."""

    def __init__(self, access: Access, place: Place) -> None:
        self._access, self._place = access, place
        self._s3: Any = None
        self._written: Mapping[str, Any] = {}
        self._refused: ActivationError | None = None

    def parameters(self) -> str:
        """Forms only, so that a slip costs no request."""
        access, place = self._access, self._place
        _form(_BUCKET, place.bucket, ExportCase.BUCKET, f"{place.bucket!r} is no name of a bucket.")
        if access.region:
            _form(_REGION, access.region, ExportCase.BUCKET, f"{access.region!r} is no name of a region.")
        if access.role_arn:
            _form(_ROLE, access.role_arn, ExportCase.ARN, f"{access.role_arn!r} is not the ARN of a role.")
        if access.external_id:
            problem = "The external id has a wrong form: it is 2 to 1224 letters, digits and any of + = , . @ : / -."
            _form(_EXTERNAL_ID, access.external_id, ExportCase.PARAMETER, problem)
        if place.encryption is not None and place.encryption.key is not None:
            _key(place.encryption.key, access.region)
        return f"s3://{place.bucket}, {access.region or 'region by the worker'}, {access.role_arn or 'no role'}"

    def role(self) -> str:
        """Assume the role, with the external id if there is one."""
        with asking(f"Assuming the role {self._access.role_arn}" if self._access.role_arn else "Reading the connection"):
            self._s3 = self._access.s3()
        if not self._access.role_arn:
            raise Skip("no role is configured; the connection's own credentials write")
        return f"{self._access.role_arn} assumed{' with its external id' if self._access.external_id else ''}"

    def probe(self) -> str:
        """The role must not be assumable without the external id, or anybody else's pipeline could write as it (contract 2.2)."""
        if not self._access.role_arn:
            raise Skip("no role is configured")
        if not self._access.by_sts:
            raise Skip("the connection assumes the role by SAML or a web identity, which know no external id")
        if not self._access.external_id:
            raise Skip("no external id is configured; the role of another company should ask for one")
        with asking(f"Trying whether the role {self._access.role_arn} asks for its external id"):
            sts = self._access.sts()
            for how, told in (("without the external id", {}), ("with a wrong external id", {"ExternalId": token_hex(16)})):
                if self._assumable(sts, told):
                    raise case_error(
                        ExportCase.ARN,
                        f"The role {self._access.role_arn} can be assumed {how}, so whoever knows its ARN could have this "
                        "exporter write as it (confused deputy).",
                        "Let the owner of the role add to its trust policy the condition StringEquals on sts:ExternalId with the "
                        "pipeline's external_id, in every statement that allows sts:AssumeRole.",
                    )
        return "the role is refused without it, and with a wrong one"

    def _assumable(self, sts: Any, told: Mapping[str, str]) -> bool:
        """Whether the role admits the exporter, who differs from the one it has just admitted in the external id alone."""
        try:
            sts.assume_role(RoleArn=self._access.role_arn, **self._access.session, **told)
        except client_errors() as error:
            if classify(error) is ExportCase.ARN:
                return False
            raise
        return True

    def bucket(self) -> str:
        """The bucket is there, in the region; seeing its objects is no right that an export must have."""
        bucket, listed = self._place.bucket, "it can be listed"
        with asking(f"Looking for the bucket {bucket}"):
            try:
                seen = self._s3.list_objects_v2(Bucket=bucket, Prefix=f"{self._place.folder.strip('/')}/", MaxKeys=1)
            except client_errors() as error:
                if classify(error) is not ExportCase.S3_POLICY:
                    raise
                seen, listed = getattr(error, "response", {}), "it may not be listed (s3:ListBucket)"
        region = bucket_region(seen) or self._region()
        if region and self._access.region and region != self._access.region:
            raise case_error(
                ExportCase.BUCKET,
                f"The bucket {bucket} is in {region}, not in {self._access.region}.",
                f"Set region to {region}.",
            )
        return f"{bucket} is there{f', in {region}' if region else ''}; {listed}"

    def _region(self) -> str:
        """The region by the call that tells it also to those who may not see the bucket; empty if it does not."""
        try:
            return bucket_region(self._s3.head_bucket(Bucket=self._place.bucket))
        except client_errors() as error:
            return bucket_region(getattr(error, "response", {}))

    def folder(self) -> str:
        """The folder is one; S3 makes it with its first object."""
        return normal_folder(self._place.folder)

    def test_object(self) -> str:
        """Write an object as the export does, encrypted alike: many buckets refuse any other."""
        key = self._key
        action = f"Writing the test object {address(self._place.bucket, key)}"
        with asking(action):
            try:
                self._written = self._s3.put_object(Key=key, Body=_CONTENT, **self._arguments())
            except client_errors() as error:
                if classify(error) is not ExportCase.KMS_POLICY:
                    raise
                self._refused = as_error(error, action)
                return "the bucket takes it, but its KMS key does not"
        try:
            self._s3.delete_object(Bucket=self._place.bucket, Key=key)
        except client_errors() as error:  # an export need not have the right
            return f"{key} written, but not removed again ({classify(error).value}): remove it, or allow s3:DeleteObject"
        return f"{key} written and removed again"

    def key(self) -> str:
        """The test object was encrypted with the key."""
        if self._refused is not None:
            raise self._refused
        wanted = self._place.encryption
        if wanted is None or wanted.kind == "AES256":
            raise Skip(
                "no KMS key is configured; the bucket's own encryption counts" if wanted is None else "S3's own keys encrypt"
            )
        if self._written.get("ServerSideEncryption") != wanted.kind:
            problem = f"The test object was not encrypted with {wanted.kind}, though asked for."
            raise case_error(ExportCase.KMS_POLICY, problem, "See that the bucket's endpoint is one of Amazon S3.")
        return f"{wanted.kind} with {self._written.get('SSEKMSKeyId', 'the key that S3 manages')}"

    def multipart(self) -> str:
        """Begin an upload, send a part (with a KMS key it needs kms:Decrypt), and abort it."""
        key = self._key
        with suppress(ActivationError):  # an export need not have the right
            self._abort_leftovers(key)
        with asking(f"Beginning the test upload {key}"):
            upload = self._s3.create_multipart_upload(Key=key, **self._arguments())["UploadId"]
        one = {"Bucket": self._place.bucket, "Key": key, "UploadId": upload}
        try:
            with asking(f"Sending a part of the test upload {key}"):
                self._s3.upload_part(PartNumber=1, Body=_CONTENT, **one)
        except ActivationError:
            with suppress(*client_errors()):  # the error that led here matters more
                self._s3.abort_multipart_upload(**one)
            raise
        with asking(f"Aborting the test upload {key}"):
            self._s3.abort_multipart_upload(**one)
        return f"{key} begun, one part sent, aborted"

    def _abort_leftovers(self, key: str) -> None:
        """Abort what a killed check of this owner has left."""
        bucket = Bucket(self._s3, self._place.bucket)
        for found, upload in list(bucket.uploads(key)):
            bucket.abort(found, upload)

    @cached_property
    def _key(self) -> str:
        owner = self._place.owner
        name = sha256(owner.encode()).hexdigest()[:16] if owner else token_hex(8)
        return f"{normal_folder(self._place.folder)}/{TEST_OBJECT}{name}"

    def _arguments(self) -> dict[str, str]:
        encryption = self._place.encryption
        return {"Bucket": self._place.bucket, **({} if encryption is None else encryption.parameters())}


def _key(key: str, region: str) -> None:
    """A KMS key by its ARN is in the region of the bucket; one by its id belongs to the account of the role."""
    _form(_KEY, key, ExportCase.PARAMETER, f"{key!r} is no KMS key.", "Write the ARN of the key, as KMS shows it.")
    found = _KEY.fullmatch(key)
    if found and found["region"] and region and found["region"] != region:
        problem = f"The KMS key is in {found['region']}, but the bucket in {region}."
        raise case_error(ExportCase.PARAMETER, problem, "Name a key in the region of the bucket.")


def _form(form: re.Pattern[str], text: str, case: ExportCase, problem: str, fix: str = "") -> None:
    if not form.fullmatch(text):
        raise case_error(case, problem, fix)
