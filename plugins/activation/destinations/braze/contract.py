"""Facts about Braze's REST API as data: a better fact changes a line here and no code (contracts: braze 2)."""

from __future__ import annotations

from dataclasses import dataclass

INSTANCES = {
    **{f"US-0{number}": f"https://rest.iad-0{number}.braze.com" for number in range(1, 9)},
    "US-10": "https://rest.us-10.braze.com",
    "EU-01": "https://rest.fra-01.braze.eu",
    "EU-02": "https://rest.fra-02.braze.eu",
    "AU-01": "https://rest.au-01.braze.com",
    "ID-01": "https://rest.id-01.braze.com",
    "JP-01": "https://rest.jp-01.braze.com",
    "KR-01": "https://rest.kr-01.braze.com",
}
"""Instance -> REST endpoint (2.1); no pattern holds for all of them."""

TRACK = "/users/track"
TRACK_PERMISSION = "users.track"

TRACK_BULK = "/users/track/bulk"
TRACK_BULK_PERMISSION = "users.track.bulk"
DELETE = "/users/delete"
DELETE_PERMISSION = "users.delete"
CATALOG_ITEMS = "/catalogs/{}/items"
"""2.2."""

MOST_BODY = 4_000_000
"""Bytes of a request's body, but for the bulk endpoint (2.3)."""

MOST_DELETES = 50
MOST_ITEMS = 50
"""Users of a delete, items of a catalog call (2.3)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What an account's contract allows in one request for user data (2.3).

    :ivar objects: most objects.
    :ivar bytes: most bytes of the body.
    :ivar per_user: most objects of one user; ``None`` is without limit.
    :ivar bulk: whether it is the bulk endpoint.
    """

    objects: int
    bytes: int = MOST_BODY
    per_user: int | None = None
    bulk: bool = False


DEFAULT_PROFILE = "combined_75"
BULK_PROFILE = "bulk_1000"


def profile(name: str) -> Profile:
    """The limits of a profile: ``combined_N`` (N objects in total), ``per_array_75`` or ``bulk_1000``.

    A pipeline fills one array, so ``per_array_75`` allows what ``combined_75`` does.
    """
    if name == BULK_PROFILE:
        return Profile(1_000, 2_000_000, 100, bulk=True)
    return Profile(int(name.rpartition("_")[2]))


TOO_MANY = "max input length exceeded"
"""Part of the message of a 400 for too many objects, in lower case (2.5)."""

LIMIT_HEADER = "X-RateLimit-Limit"
REMAINING_HEADER = "X-RateLimit-Remaining"
RESET_HEADER = "X-RateLimit-Reset"
RETRY_HEADERS = ("X-Ratelimit-Retry-After", "Retry-After")
"""2.4; the first of the two is what a 429 of a MAU plan carries instead of the other headers; the second is not documented."""

EPOCH_FROM = 1_000_000_000
"""A reset value from here on is a UTC epoch second, a smaller one is seconds left: decided by magnitude (2.4, inferred)."""

MOST_SKEW = 5.0
"""Seconds that an answer may be older than its arrival before its ``Date`` (RFC 9110, whole seconds) is believed instead of the
own clock."""

SUCCESS_MESSAGES = ("success", "queued")
"""2.5; ``queued`` came with 202 in older texts and counts as accepted."""

ENVELOPE_BYTES = 1_024
"""Bytes that are kept free in a request body for what surrounds the items."""

REFUSED = (400, 413)
"""Status codes that say something about the items: the batch is halved until the bad one stands alone (2.5)."""

FAILED = (408, 500, 502, 503, 504)
"""Status codes after which the same request may succeed later (2.5; 408 inferred)."""

UNKNOWN = (408, 502, 504)
"""Those of :data:`FAILED` after which the request may have been carried out all the same: a gateway gave up (inferred)."""

SERVER_CODES = {
    "the value provided for the 'email' field is not a valid email.": "email_bad_format",
    "'external_id' is required": "no_identifier",
    "'external_id' must be fewer than 988 bytes": "external_user_id_too_large",
}
"""Human texts that stand in ``errors[].type`` instead of a name (2.5, seen by peers) -> the reason code."""
