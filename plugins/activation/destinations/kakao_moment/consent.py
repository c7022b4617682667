"""How a person consents and a business token comes of it (contracts: kakao_moment 4.1). Nothing is stored."""

from __future__ import annotations

import asyncio
import hmac
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp

from activation.destinations.kakao_moment.koe import explained, find_code
from activation.destinations.kakao_moment.table import ConsentFacts
from activation.destinations.kakao_moment.wire import name_of, trust
from activation.errors import ActivationError, ConfigurationError, TransientError

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Consent:
    """An app of Kakao Developers that a person consents to.

    :ivar url: where it is asked for, without a path.
    :ivar rest_key: the app's REST API key.
    :ivar client_secret: the one of business authorization; empty if it is switched off in the app. Never shown.
    :ivar redirect_uri: as it is registered with the key.
    :ivar ad_account_id: which ad account it is for; empty: all.
    """

    url: str
    rest_key: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    ad_account_id: str
    facts: ConsentFacts
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a consent gave.

    :ivar expires_in: seconds; ``None`` if Kakao does not say, as is usual.
    """

    token: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    expires_in: int | None = None


class ForeignState(ConfigurationError):
    """The code belongs to another consent, maybe somebody else's."""


def address(consent: Consent, state: str, *, delete: bool = False) -> str:
    """Where the person consents.

    :param state: comes back with the code, so that nobody else's is taken.
    :param delete: whether the token shall be able to delete files.
    """
    facts = consent.facts
    query = {
        "client_id": consent.rest_key,
        "response_type": "code",
        "redirect_uri": consent.redirect_uri,
        "scope": ",".join([facts.scope, facts.delete_scope] if delete else [facts.scope]),
        "resource_ids": facts.resources.replace("{ad_account_id}", consent.ad_account_id or "*"),
        "state": state,
    }
    return f"{consent.url}{facts.authorize}?{urlencode(query)}"


def code_of(redirected: str, consent: Consent, state: str) -> str:
    """The code in the address to which Kakao has sent the browser.

    :param redirected: the whole address.
    :raises ForeignState: if the state is another one.
    :raises ConfigurationError: if Kakao refused, or it is no such address. Never shows the code.
    """
    answer = _query(redirected)
    if ("state" in answer or "code" in answer) and not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
        raise ForeignState(
            "The state in the address is not the one of this consent, so the code may be somebody else's.",
            "Begin again, and use the address of the browser window that this command has opened.",
        )
    if "error" in answer:
        raise refused(" ".join(answer.get(key, "") for key in ("error_code", "error", "error_description")))
    if not answer.get("code"):
        if code := find_code(redirected[:200]):
            raise refused(code)
        raise ConfigurationError(
            "This is not the address to which Kakao sends the browser.",
            f"Paste the whole address, which begins with {consent.redirect_uri}?code= and has a state.",
        )
    return answer["code"]


async def exchange(consent: Consent, code: str) -> Granted:
    """Get the token for a code.

    :raises ConfigurationError: if Kakao refuses it.
    :raises TransientError: if it cannot be reached; the code may still be good for ten minutes.
    """
    form = {
        "grant_type": "authorization_code",
        "client_id": consent.rest_key,
        "redirect_uri": consent.redirect_uri,
        "code": code,
        **({"client_secret": consent.client_secret} if consent.client_secret else {}),
    }
    status, body, trouble = 0, b"", ""
    connector = aiohttp.TCPConnector(ssl=await trust(consent.ca_file, "Kakao Moment"))
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session:
        try:
            async with session.post(consent.url + consent.facts.token, data=form, allow_redirects=False) as response:
                status, body = response.status, await response.read()
        except asyncio.TimeoutError:
            trouble = "did not answer in time"
        except (aiohttp.ClientError, OSError) as error:
            trouble = f"could not be reached ({name_of(error)})"
    if trouble or status >= 500:
        raise TransientError(f"{consent.url} {trouble or f'answered {status}'}. Try again.")
    return _granted(_object(body), status)


def refused(said: str) -> ActivationError:
    """The error for what Kakao said.

    :param said: holds a code such as KOE028, or only words.
    """
    code = find_code(said)
    if code:
        problem, remedy = explained(code)
        return ConfigurationError(f"Kakao refused the consent with {code}: {problem}.", remedy)
    if "access_denied" in said:
        return ConfigurationError("The consent was declined.", "Begin again and agree to it.")
    return ConfigurationError("Kakao refused the consent without a code.", "Begin again; look at what Kakao's page shows.")


def _granted(data: dict[str, Any], status: int) -> Granted:
    token = data.get("access_token")
    if status != 200 or not isinstance(token, str) or not token:
        raise refused(" ".join(str(data.get(key, "")) for key in ("error_code", "error", "error_description")))
    expires = data.get("expires_in")
    scopes = data.get("scope")
    return Granted(token, tuple(str(scopes or "").split()), expires if isinstance(expires, int) else None)


def _query(address: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(urlsplit(address.strip()).query, keep_blank_values=True))
    except ValueError:
        return {}


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
