"""Who may log in, with which role, and what a role may read."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from snowflake.connector.errors import ProgrammingError

from .dialect import missing

OWNER = "OWNER"
"""The role that may do everything."""

_GRANT = re.compile(
    r"GRANT\s+(USAGE|SELECT)\s+ON\s+(DATABASE|SCHEMA|TABLE|VIEW|WAREHOUSE)\s+(.+?)\s+TO\s+ROLE\s+(\S+?)\s*;?\s*", re.IGNORECASE
)
_PART = re.compile(r'"((?:[^"]|"")*)"|([A-Za-z_][A-Za-z0-9_$]*)')


class Refused(Exception):
    """A log-in that fails.

    :ivar code: the service's number.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Access:
    """Users and rights.

    :ivar users: name -> ``password``, ``public_key`` (PEM), ``roles``, and ``refused``: a number and a text that its log-in gets.
    :ivar warehouses: names that a session can use.
    """

    users: Mapping[str, Mapping[str, Any]]
    warehouses: Iterable[str]
    granted: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)

    def log_in(self, data: Mapping[str, Any], role: str) -> str:
        """Check what a client sent.

        :returns: the role of the session.
        :raises Refused: if it may not.
        """
        user = self.users.get(str(data.get("LOGIN_NAME", "")).upper())
        if data.get("AUTHENTICATOR") == "SNOWFLAKE_JWT":
            _check_token(str(data.get("TOKEN")), user)
        elif user is None or data.get("PASSWORD") != user.get("password"):
            raise Refused("390100", "Incorrect username or password was specified.")
        if user is not None and (refused := user.get("refused")):
            raise Refused(*refused)
        roles = user["roles"] if user else []
        if role and role.upper() not in roles:
            raise Refused(
                "390189", f"Role '{role}' specified in the connect string is not granted to this user. Contact your local system "
                "administrator, or attempt to login with another role, e.g. PUBLIC."
            )  # fmt: skip
        return role.upper() or roles[0]

    def grant(self, text: str) -> bool:
        """Take a GRANT; says whether the text was one."""
        found = _GRANT.fullmatch(text.strip())
        if found is None:
            return False
        role = _names(found[4])[0]
        self.granted.add((role, _names(found[3])))
        return True

    def check(self, role: str, tables: Iterable[tuple[str, str, str]]) -> None:
        """Refuse to read what the role has no right on: its database, its schema and the table itself.

        :raises ProgrammingError: as for a table that is not there.
        """
        for table in tables:
            if role != OWNER and any((role, table[:size]) not in self.granted for size in (1, 2, 3)):
                raise missing(table)

    def check_warehouse(self, warehouse: str) -> None:
        """Refuse to run a statement without a warehouse."""
        if warehouse.upper() not in self.warehouses:
            text = "No active warehouse selected in the current session.  Select one with the 'use warehouse' command."
            raise ProgrammingError(msg=text, errno=606, sqlstate="57P03")


def _names(text: str) -> tuple[str, ...]:
    return tuple(quoted.replace('""', '"') if quoted else bare.upper() for quoted, bare in _PART.findall(text))


def _check_token(token: str, user: Mapping[str, Any] | None) -> None:
    try:
        if user is None:
            raise ValueError("unknown user")
        key = serialization.load_pem_public_key(user["public_key"].encode())
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        claims = jwt.decode(token, key, algorithms=["RS256"])  # type: ignore[arg-type]
        if not claims["iss"].endswith(".SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()):
            raise ValueError("wrong fingerprint")
    except (ValueError, KeyError, jwt.PyJWTError):
        raise Refused("390144", "JWT token is invalid.") from None
