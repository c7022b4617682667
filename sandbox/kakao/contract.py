"""What Kakao's pages or their users say of Moment customer files (contract: kakao_moment; rows marked D and S).

What nobody saw (rows marked I) is a switch, see :mod:`sandbox.kakao.settings`.
"""

from datetime import timedelta, timezone
from typing import Final

PREFIX: Final = "/openapi/v4/"
FILES, DATA = "customerFiles", "customerData"
"""The two generations of the same resource (1, row 2)."""

AUTHORIZE: Final = "/oauth/business/authorize"
TOKEN: Final = "/oauth/business/token"
TOKEN_INFO: Final = "/v1/business/tokeninfo"
"""Paths of the consent side (4.1)."""

CODE_SECONDS: Final = 600
"""Life of an authorization code, which is good for one use (4.1)."""

MANAGE, REMOVE, CREATE, BIZFORM = "moment_management", "moment_delete", "moment_create", "moment_bizform_result_read"
"""Consent items (4.2)."""

FILES_PER_ACCOUNT, PARTS, MEGABYTES = 50, 10, 200
"""Limits of an ad account and of one request (2.5)."""

RENEWAL: Final = timedelta(days=90)
"""How long a URL source is renewed (2.5)."""

KST: Final = timezone(timedelta(hours=9))
DATE_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"
"""Dates have no zone (2.3)."""

BUSINESS: Final = -813
BUSINESS_MESSAGE: Final = "KakaoMomentException"
NOT_FOUND, NO_ROLE = 21006, 9004
"""Detail codes that somebody saw (5.3)."""

CODES: Final = {
    -1: (400, "The service failed for a moment. Try again."),
    -2: (400, "A parameter is missing, has another type or is out of range."),
    -3: (400, "This API is not supported, or the feature is not activated."),
    -5: (403, "The app has no permission for this API."),
    -8: (400, "A header is wrong."),
    -9: (400, "This API was shut down."),
    -10: (400, "API limit has been exceeded."),
    -12: (403, "The app or its developer is sanctioned."),
    -101: (400, "The user is not linked to the app."),
    -401: (401, "The token does not exist or belongs to another app."),
    -402: (403, "A consent item is missing."),
    -602: (400, "The upload is too large."),
    -603: (400, "The platform took too long."),
    -813: (400, BUSINESS_MESSAGE),
    -9798: (503, "The service is under maintenance."),
}
"""Code -> HTTP status and a text of our own; clients go by codes (5.2)."""

NO_BUSINESS_TOKEN: Final = "The target biz token is not supplied."
"""What an ordinary login token gets, with 401 (5.2)."""

KOE: Final = {
    "KOE003": ("server_error", "The OAuth server failed for a moment. Try again."),
    "KOE005": ("access_denied", "The app is a test app, and the user is no member of it."),
    "KOE008": ("invalid_client", "This is a key of another kind; the REST API key is needed."),
    "KOE025": ("access_denied", "The account has not joined Kakao Business."),
    "KOE026": ("access_denied", "The account is in no usable state."),
    "KOE027": ("access_denied", "The account owns no business assets."),
    "KOE028": ("invalid_request", "The redirect URI is not registered."),
    "KOE101": ("invalid_client", "There is no app with this key."),
    "KOE123": ("unauthorized_client", "The app is no biz app."),
    "KOE124": ("unauthorized_client", "The app has no permission."),
    "KOE125": ("unauthorized_client", "The app or its developer is sanctioned."),
    "KOE201": ("invalid_request", "response_type must be code."),
    "KOE232": ("invalid_scope", "A consent item has no permission or is not set up."),
    "KOE233": ("invalid_request", "A parameter is not supported, or resource_ids is missing."),
    "KOE010": ("invalid_client", "The client secret is wrong or missing."),
    "KOE303": ("invalid_grant", "The redirect URI is not the one that the code was made for."),
    "KOE320": ("invalid_grant", "The authorization code does not exist, was used or has expired."),
}
"""Code -> ``error`` and a description of our own (4.3)."""
