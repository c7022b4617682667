"""Access tokens and authorization codes (4.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from sandbox.kakao import contract
from sandbox.kakao.errors import Refused, envelope, refused


@dataclass
class Token:
    """What an access token is good for.

    :ivar kind: ``business``, or ``login`` for one of Kakao Login, which Moment refuses.
    :ivar accounts: ad accounts that it was made for; ``None`` for all of the user.
    """

    kind: str = "business"
    scopes: tuple[str, ...] = (contract.MANAGE, contract.REMOVE)
    user: str = "user-1"
    accounts: tuple[str, ...] | None = None


@dataclass
class Code:
    """An authorization code; ``born`` by the server's clock."""

    token: Token
    client_id: str
    redirect_uri: str
    born: float
    used: bool = False


@dataclass
class Tokens:
    """All that were given out. A token lives until it is revoked: no lifetime is known, and there is no refresh token."""

    by_text: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)

    def give(self, token: Token) -> str:
        """Keep a token and give its text."""
        text = secrets.token_urlsafe(32)
        self.by_text[text] = token
        return text

    def keep(self, code: Code) -> str:
        """Keep a code and give its text."""
        text = secrets.token_urlsafe(32)
        self.codes[text] = code
        return text

    def revoke(self, text: str) -> None:
        """Make a token invalid, as long disuse does."""
        self.by_text.pop(text, None)

    def bearer(self, header: str | None) -> Token:
        """The business token of an ``Authorization`` header.

        :raises Refused: 401 if there is none, with a text of its own for a token of Kakao Login (C1).
        """
        kind, _, text = (header or "").partition(" ")
        token = self.by_text.get(text)
        if kind != "Bearer" or token is None:
            raise refused(-401)
        if token.kind != "business":
            raise Refused(401, envelope(-401, contract.NO_BUSINESS_TOKEN))
        return token


def demand(token: Token, needed: tuple[str, ...], place: str) -> None:
    """Check consent items (C3).

    :param place: of ``required_scopes``: ``top`` or ``extras``.
    :raises Refused: 403 with those that are missing.
    """
    missing = [one for one in needed if one not in token.scopes]
    if not missing:
        return
    body: dict[str, Any] = refused(-402).body
    (body if place == "top" else body["extras"])["required_scopes"] = missing
    raise Refused(403, body)
