"""What the codes of Kakao's consent mean, and what to do about each (contracts: kakao_moment 4.3)."""

from __future__ import annotations

import re

KOE = {
    "KOE003": ("Kakao's login server had a hiccup", "Try again."),
    "KOE005": ("the app is a test app of which you are not a member", "Have its owner invite you, or use the app itself."),
    "KOE008": ("the key is of the wrong kind", "Enter the app's REST API key as the login of the connection."),
    "KOE010": (
        "the client secret is wrong or missing",
        "Enter the secret for business authorization, which is not the one for Kakao Login, as client_secret.",
    ),
    "KOE025": ("the Kakao account has not joined Kakao Business", "Join it with this account, or log in with another one."),
    "KOE026": ("the Kakao account is not in a usable state", "Log in to Kakao with it and do what it asks, or use another one."),
    "KOE027": ("the Kakao account owns no business assets", "Get a role in the ad account, or log in with another account."),
    "KOE028": ("the redirect URI is not registered", "Register the connection's redirect_uri with the app's REST API key."),
    "KOE101": ("the app's key is wrong", "Enter the app's REST API key as the login of the connection."),
    "KOE123": ("the app is no biz app", "Turn it into a biz app in Kakao Developers."),
    "KOE124": ("the app has no permission", "Ask Kakao for the Moment API under the app's additional features."),
    "KOE125": ("the app or its developer is sanctioned", "Ask Kakao's support."),
    "KOE201": ("the request asked for something else than a code", "Report it: this command always asks for a code."),
    "KOE232": (
        "a consent item has no permission or is not switched on",
        "Switch on the business consent items of Moment in the app; leave out --delete if the one to delete is not granted.",
    ),
    "KOE233": (
        "a parameter is not supported, or the consent does not say what it is for",
        "Check ad_account_id, and consent.resources in the extra field table of the connection.",
    ),
    "KOE303": ("the redirect URI is not the one of the consent", "Begin again, and leave redirect_uri as it is meanwhile."),
    "KOE320": ("the code was used before or is older than ten minutes", "Begin again; a code is good once."),
}
"""Code -> what is wrong, and the remedy."""

_CODE = re.compile(r"KOE\d{3}")


def find_code(text: str) -> str:
    """The first code in a text; empty if there is none."""
    found = _CODE.search(text.upper())
    return found.group() if found else ""


def explained(code: str) -> tuple[str, str]:
    """What is wrong, and the remedy; also for a code that nobody knows."""
    return KOE.get(code, ("it is not among the known codes", "Look for it on Kakao Developers, page business authorization."))
