"""The place of an export before its first row: what an earlier run left there is respected, withdrawn or aborted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from activation.destinations.s3 import layout
from activation.destinations.s3.bucket import Bucket, DeniedError
from activation.destinations.s3.calls import KeyTakenError, address, taken
from activation.destinations.s3.identity import Identity
from activation.destinations.s3.manifest import WITHDRAWN, Manifest, Shape, generated, read
from activation.destinations.s3.plan import Plan
from activation.destinations.s3.settings import ObjectSettings
from activation.destinations.s3.upload import Upload
from activation.errors import ConfigurationError


@dataclass
class Ground:
    """Where one try of an export writes, and on which conditions.

    :ivar prefix: the path of its objects: that of the plan, or of an attempt below it.
    :ivar withdrawn: the ETag of the withdrawn manifest that lies there, if one does.
    """

    bucket: Bucket
    plan: Plan
    shape: Shape
    prefix: str
    warnings: list[str] = field(default_factory=list)
    withdrawn: str | None = None

    def settings(self, content_type: str) -> ObjectSettings:
        """What is said about every object of this export."""
        return ObjectSettings(content_type, self.plan.identity.mark, self.plan.encryption, self.plan.transfer)

    def part(self, key: str) -> Upload:
        """Begin a part.

        :raises KeyTakenError: if another run's object lies there and must stay.
        """
        settings = self.settings(self.plan.form.content_type)
        if self.plan.on_exists != "replace":
            found = self.bucket.look(key)
            if found is not None and found.run != self.plan.identity.mark:
                raise taken(self.bucket.name, key)
            settings = replace(settings, absent=found is None, replaces=None if found is None else found.etag)
        return Upload(self.bucket.client, self.bucket.name, key, settings)

    def publish(self, manifest: Manifest) -> str:
        """Write the manifest.

        :returns: its key.
        :raises KeyTakenError: if another one has come to lie there and must stay.
        """
        key = layout.manifest_key(self.prefix)
        settings = self.settings("application/json")
        if self.plan.on_exists != "replace":
            settings = replace(settings, absent=self.withdrawn is None, replaces=self.withdrawn)
        self._put(key, manifest.to_json(), settings)
        return key

    def mark(self) -> None:
        """Write the empty marker, unless one lies there that must stay: it says the same."""
        settings = replace(self.settings("application/octet-stream"), absent=self.plan.on_exists != "replace")
        with suppress(KeyTakenError):
            self._put(layout.success_key(self.prefix), b"", settings)

    def withdraw(self) -> None:
        """Take the manifest away before a part of it changes, and the marker before that."""
        success = layout.success_key(self.prefix)
        if not self.bucket.remove(success) and (self.plan.success_marker or self.bucket.look(success) is not None):
            self.warnings.append(
                f"{address(self.bucket.name, success)} of an earlier export could not be removed: readers must go by the "
                "manifest. Allow s3:DeleteObject."
            )
        key = layout.manifest_key(self.prefix)
        if not self.bucket.remove(key):
            empty = Manifest(self.plan.identity, self.shape, WITHDRAWN, (), (), generated())
            self.withdrawn = self._put(key, empty.to_json(), self.settings("application/json"))

    def stale(self, kept: Iterable[str]) -> tuple[str, ...]:
        """Remove what looks like a part and is none of these.

        :returns: the keys of those that stay, in order.
        """
        wanted, stay = set(kept), []
        try:
            found = [key for key in self.bucket.keys(f"{self.prefix}/part-") if layout.is_part(self.prefix, key)]
        except DeniedError as error:
            self.warnings.append(f"Parts of an earlier run could not be looked for; the manifest does not list them. {error}")
            return ()
        for key in found:
            if key not in wanted and not (self._may_go(key) and self.bucket.remove(key)):
                stay.append(key)
        return tuple(stay)

    def abort_leftovers(self) -> None:
        """Abort the multipart uploads of parts below the plan's path that a killed try has left."""
        base = self.plan.place.prefix
        try:
            for key, upload in list(self.bucket.uploads(f"{base}/")):
                if layout.is_part(base, key):
                    self.bucket.abort(key, upload)
        except DeniedError as error:
            self.warnings.append(f"Unfinished uploads of an earlier run were not aborted; they cost money. {error}")

    def _may_go(self, key: str) -> bool:
        if self.plan.on_exists == "replace":
            return True
        found = self.bucket.look(key)
        return found is not None and found.run == self.plan.identity.mark

    def _put(self, key: str, content: bytes, settings: ObjectSettings) -> str:
        upload = Upload(self.bucket.client, self.bucket.name, key, settings)
        upload.write(content)
        return upload.finish()


def prepare(bucket: Bucket, plan: Plan, shape: Shape) -> Ground:
    """Make the place of an export ready for its parts; see ``on_exists`` of :class:`Plan`.

    :raises KeyTakenError: if another run's export lies there and must stay.
    :raises ConfigurationError: if what lies there is of another pipeline, or no manifest at all.
    """
    ground = Ground(bucket, plan, shape, plan.place.prefix)
    if plan.on_exists == "version":
        ground.prefix = layout.attempt(plan.place.prefix, _free_attempt(bucket, plan))
        ground.abort_leftovers()
        return ground
    key = layout.manifest_key(ground.prefix)
    try:
        content = bucket.read(key)
        earlier = None if content is None else read(content, address(bucket.name, key)).identity
        hidden = False
    except DeniedError:
        earlier, hidden = None, True
    if earlier is not None:
        _refuse(plan, earlier, bucket.name, key)
    ground.abort_leftovers()
    if earlier is not None or (hidden and plan.on_exists == "replace"):
        ground.withdraw()
    return ground


def _refuse(plan: Plan, earlier: Identity, bucket: str, key: str) -> None:
    """Raise if the export whose manifest lies there must stay."""
    if (earlier.pipeline_id, earlier.data) != (plan.identity.pipeline_id, plan.identity.data):
        raise ConfigurationError(
            f"{address(bucket, key)} is of the pipeline {earlier.pipeline_id} ({earlier.data}); two cannot share a path.",
            "Put {pipeline_id} into the path, or choose another folder.",
        )
    if plan.on_exists == "fail" and earlier.mark != plan.identity.mark:
        raise taken(bucket, key)


def _free_attempt(bucket: Bucket, plan: Plan) -> int:
    """The first attempt that has neither a manifest nor an object of another run."""
    base = plan.place.prefix
    found: dict[int, list[str]] = defaultdict(list)
    for key in bucket.keys(f"{base}/attempt="):
        folder, _, name = key[len(base) + 1 :].partition("/")
        if (number := layout.attempt_number(folder)) is not None:
            found[number].append(name)
    number = 1
    while number in found and not _own(bucket, plan, layout.attempt(base, number), found[number]):
        number += 1
    return number


def _own(bucket: Bucket, plan: Plan, prefix: str, names: list[str]) -> bool:
    if layout.MANIFEST in names:
        return False
    looks = (bucket.look(f"{prefix}/{name}") for name in names)
    return all(found is not None and found.run == plan.identity.mark for found in looks)
