"""The switches of the server: all that the contract marks I (nobody saw it), each beside its row, so that a reading of the
live pages changes data and no code. Numbers that are documented can be changed here as well, to test with small ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Final, Literal

import msgspec

from sandbox.kakao import contract

DETAILS: Final = {
    "no_file": 99001,
    "too_many_parts": 99002,
    "too_large": 99003,
    "too_many_files": 99004,
    "not_csv": 99005,
    "empty": 99006,
    "no_valid_id": 99007,
    "name": 99008,
    "duplicate_name": 99009,
    "in_use": 99010,
    "state": 99011,
    "url": 99012,
}
"""Detail codes of failures of customer files: none is known, so they are from a block of their own (5.3)."""


@dataclass(frozen=True)
class Shape:
    """Routes, names and codes.

    :ivar edit: method of the edit on the file's path (2.1, C7).
    :ivar delete_many: where the ids of a delete of many stand (2.1, C8).
    :ivar ids: their name: the query parameter, repeated or with commas, or the body's member (2.1, C8).
    :ivar name: field of register and edit with the file's name; an edit may leave it out (C5).
    :ivar file: field of the multipart parts, also repeated (C5).
    :ivar file_type: field of ``customerData`` with the kind of identifiers; may be left out (3).
    :ivar url: member of the register from a URL (2.1).
    :ivar details: failure -> detail code; what is not named has that of :data:`DETAILS` (5.3).
    """

    edit: Literal["PUT", "POST"] = "PUT"
    delete_many: Literal["query", "body"] = "query"
    ids: str = "ids"
    name: str = "name"
    file: str = "file"
    file_type: str = "fileType"
    url: str = "url"
    details: dict[str, int] = field(default_factory=lambda: dict(DETAILS))


@dataclass(frozen=True)
class Limits:
    """What an account and a request may have.

    :ivar files: of an account (S, 2.5).
    :ivar parts: of one request (S, 2.5).
    :ivar megabytes: of all parts of a request together (S, 2.5).
    :ivar megabyte: 1,000,000 or 1,048,576 bytes (I, 2.5).
    :ivar name_length: characters, from 1 (I, 2.5).
    :ivar duplicate_names: whether an account may have two files of the same name (I, 2.5).
    :ivar write_seconds: least seconds between two writes of a user to an account; 0 for no limit (I, 2.5, C9).
    :ivar read_seconds: the same for reads (I, C9).
    """

    files: int = contract.FILES_PER_ACCOUNT
    parts: int = contract.PARTS
    megabytes: int = contract.MEGABYTES
    megabyte: int = 1_000_000
    name_length: int = 50
    duplicate_names: bool = True
    write_seconds: float = 5
    read_seconds: float = 0

    @property
    def bytes(self) -> int:
        """Bytes of all parts of a request together."""
        return self.megabytes * self.megabyte


@dataclass(frozen=True)
class Answers:
    """How the server answers.

    :ivar write: what register and edit give: the whole object, ``{"id": …}``, a list of one object, or nothing (2.6, C6).
    :ivar delete: what deletes give (2.6).
    :ivar required_scopes: place of that list: beside ``code``, or in ``extras`` (C3).
    :ivar no_role_status: HTTP status of an account without a role (C2).
    :ivar list_deleted: whether the list shows deleted files for a while (C4).
    :ivar population_before: how ``populationScore`` is before the first extraction (2.3).
    :ivar rate: 429 with -813, or 400 with -10 (C9).
    :ivar retry_after: the header ``Retry-After`` of a 429 in seconds; ``None`` for none, as documented (5.2).
    """

    write: Literal["object", "id", "array", "empty"] = "object"
    delete: Literal["empty", "object"] = "empty"
    required_scopes: Literal["top", "extras"] = "top"
    no_role_status: int = 403
    list_deleted: bool = False
    population_before: Literal["null", "absent"] = "null"
    rate: Literal["429", "-10"] = "429"
    retry_after: int | None = None


@dataclass(frozen=True)
class States:
    """How a file's states follow each other; seconds are those of the server's clock.

    :ivar complete_seconds: from register to COMPLETE or ERROR; 6 hours at most are documented (2.4).
    :ivar modify_seconds: the same of an edit (2.4).
    :ivar deleted_seconds: how long a deleted file is DELETE before it is gone (2.4).
    :ivar edit_from: states in which an edit is taken (2.4).
    :ivar ready_while_modifying: whether the old population stays usable (2.4).
    :ivar delete_in_use: whether a file that an ad group uses can be deleted (C8).
    :ivar frozen: whether the clock stands still unless it is advanced; else it runs as usual, plus what it is advanced.
    """

    complete_seconds: float = 3600
    modify_seconds: float = 3600
    deleted_seconds: float = 60
    edit_from: tuple[str, ...] = ("COMPLETE", "ERROR")
    ready_while_modifying: bool = True
    delete_in_use: bool = False
    frozen: bool = False


@dataclass(frozen=True)
class Ids:
    """Which lines count, and for how much.

    :ivar match_ratio: population for each valid id that is there once (C6).
    :ivar case: which letters an id may have (7.1).
    :ivar all_zero: whether the identifier of people who opted out counts (7.1).
    :ivar line_ends: whether CRLF is taken too (7.1).
    """

    match_ratio: float = 0.5
    case: Literal["any", "lower", "upper"] = "any"
    all_zero: bool = False
    line_ends: Literal["lf", "any"] = "lf"


@dataclass(frozen=True)
class OAuth:
    """The app and its consent (4).

    :ivar rest_key: REST API key; every other key is unknown (KOE101), but ``native_key`` is of another kind (KOE008).
    :ivar business_secret: client secret of business auth; any other is refused, such as that of Kakao Login (S).
    :ivar secret_needed: whether the secret is switched on (D).
    :ivar redirect_uris: those that are registered.
    :ivar consents: consent items of the app.
    :ivar consent: ``ask`` shows the page with two buttons; ``agree`` and ``deny`` press one at once (I).
    :ivar errors: whether the authorize page shows an error or redirects with it; those of key and address are always shown (I).
    """

    rest_key: str = "rest-key"
    native_key: str = "native-key"
    business_secret: str = "business-secret"
    secret_needed: bool = True
    redirect_uris: tuple[str, ...] = ("http://localhost:8085/callback",)
    consents: tuple[str, ...] = (contract.MANAGE, contract.REMOVE, contract.CREATE, contract.BIZFORM)
    consent: Literal["ask", "agree", "deny"] = "ask"
    errors: Literal["page", "redirect"] = "page"


@dataclass(frozen=True)
class Account:
    """An ad account: its name, its state, and whether the user has a role in it."""

    name: str = "광고계정"
    config: Literal["ON", "OFF", "DEL"] = "ON"
    role: bool = True


def _accounts() -> dict[str, Account]:
    return {"12345": Account("광고계정 1"), "54321": Account("광고계정 2"), "99999": Account("남의 광고계정", role=False)}


@dataclass(frozen=True)
class Settings:
    """All switches.

    :ivar generation: which resource answers; ``retired`` is both, but ``customerFiles`` was shut down (C12, C13).
    :ivar accounts: ad account id -> account.
    """

    generation: Literal["customer_files", "customer_data", "both", "retired"] = "customer_files"
    shape: Shape = field(default_factory=Shape)
    limits: Limits = field(default_factory=Limits)
    answers: Answers = field(default_factory=Answers)
    states: States = field(default_factory=States)
    ids: Ids = field(default_factory=Ids)
    oauth: OAuth = field(default_factory=OAuth)
    accounts: dict[str, Account] = field(default_factory=_accounts)


def changed(settings: Settings, wanted: Mapping[str, Any]) -> Settings:
    """Settings with some switches set anew; a group keeps those of its switches that are not named.

    :raises ValueError: for a switch that there is not, or a value that it cannot have.
    """
    merged = _merged(settings, wanted)
    try:
        return msgspec.convert(merged, Settings)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def _merged(group: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    known = {one.name for one in fields(group)}
    if unknown := set(wanted) - known:
        raise ValueError(f"there is no switch {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    result = asdict(group)
    for name, value in wanted.items():
        now = getattr(group, name)
        if is_dataclass(now):
            result[name] = _merged(now, value)
        elif name == "details":
            result[name] = {**now, **value}
        else:
            result[name] = value
    return result
