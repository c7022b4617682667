"""Everything about Kakao Moment that nobody has read on its live pages, and the few facts beside it, as one table.

Every entry says how sure it is and where the contract says so (contracts: kakao_moment). The extra field ``table`` of a
connection changes entries, so a better fact needs no new release.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from activation.errors import ConfigurationError

Mark = Literal["D", "S", "I"]
"""How sure a fact is: documented by Kakao, second-hand, or inferred."""

_ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) /[!-~]*")
_WITH_ID = ("edit", "delete", "usages")


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry.

    :ivar value: text, number, yes or no, a tuple of numbers or texts, or a mapping of texts.
    :ivar row: section of the contract.
    :ivar text: what it is, for the documentation.
    """

    value: Any
    mark: Mark
    row: str
    text: str


def _resource(name: str, marks: Mapping[str, Mark], key: str, status: str, form: Mapping[str, str]) -> dict[str, Fact]:
    path, row = f"/openapi/v4/{name}", "2.1" if name == "customerFiles" else "3"
    return {
        "list": Fact(f"GET {path}", marks["list"], row, "lists all files of an ad account"),
        "register": Fact(f"POST {path}", marks["register"], row, "makes a file of CSV parts"),
        "edit": Fact(f"PUT {path}/{{id}}", marks["edit"], row, "replaces all ids of a file"),
        "delete": Fact(f"DELETE {path}/{{id}}", marks["delete"], row, "deletes a file"),
        "usages": Fact(f"GET {path}/usages/{{id}}", marks["usages"], row, "tells which ad groups use a file"),
        "key": Fact(key, "D", row, "field with the registration key, which an edit changes"),
        "status": Fact(status, "D", row, "field with the state"),
        "form": Fact(form, "I", row, "further parts of a register and an edit"),
    }


_FILES: dict[str, Mark] = {"list": "D", "register": "S", "edit": "I", "delete": "S", "usages": "S"}
_DATA: dict[str, Mark] = {"list": "D", "register": "I", "edit": "I", "delete": "I", "usages": "I"}

FACTS: Mapping[str, Mapping[str, Fact]] = {
    "api": {
        "host": Fact("https://apis.moment.kakao.com", "D", "1", "address of the API"),
        "accounts": Fact("GET /openapi/v4/adAccounts/pages", "D", "2.2", "lists ad accounts, without naming one"),
        "account_header": Fact("adAccountId", "D", "2.2", "header with the number of the ad account"),
        "name_part": Fact("name", "I", "8 C5", "part of a register with the file's name"),
        "file_part": Fact("file", "I", "8 C5", "part of a register with a CSV; may be there several times"),
        "file_type": Fact("text/csv", "I", "2.1", "content type of a CSV part"),
    },
    "customer_files": _resource("customerFiles", _FILES, "adidListKey", "customerFileStatus", {}),
    "customer_data": _resource("customerData", _DATA, "kuidListKey", "status", {"fileType": "ADID", "type": "FILE"}),
    "states": {
        "pending": Fact(("WAITING", "MODIFYING"), "D", "2.4", "Kakao still looks the users up"),
        "ready": Fact(("COMPLETE",), "D", "2.4", "can be used for targeting"),
        "failed": Fact(("ERROR",), "D", "2.4", "something is wrong with the file"),
        "deleted": Fact(("DELETE",), "D", "2.4", "deleted, or being deleted"),
        "editable": Fact(("COMPLETE", "ERROR"), "I", "2.4", "may be edited"),
    },
    "limits": {
        "files_per_account": Fact(50, "S", "2.5", "customer files of an ad account"),
        "parts_per_request": Fact(10, "S", "2.5", "CSV parts of one register"),
        "request_bytes": Fact(200_000_000, "I", "2.5", "bytes of ids in one register; 200 MB, as the smaller of two readings"),
        "name_least": Fact(1, "I", "2.5", "characters of a name, at least"),
        "name_most": Fact(50, "I", "2.5", "characters of a name, at most"),
        "names_unique": Fact(True, "I", "2.5", "whether a register refuses a name that is taken"),
    },
    "codes": {
        "retired": Fact((-9,), "D", "5.2", "the API was shut down"),
        "consent": Fact((-401, -402, -101), "D", "5.2", "a person must consent again"),
        "retry": Fact((-1, -10, -603, -9798), "D", "5.2", "a later try can succeed, beside the statuses 408, 429 and 5xx"),
        "quota": Fact((-10,), "D", "5.2", "too many calls"),
        "not_found": Fact((21006, 6003, 31001, 32001, 33003, 75014), "S", "5.3", "detail codes: it does not exist"),
        "rights": Fact((9004, 7001, 75303, 75401, 75601), "S", "5.3", "detail codes: no rights"),
        "conflict": Fact((21400, 21500, 32013, 32040, 32041, 38022), "S", "5.3", "detail codes: its state forbids it"),
    },
    "pace": {
        "write_seconds": Fact(5.0, "S", "2.5", "between two writes"),
        "read_seconds": Fact(0.0, "I", "8 C9", "between two reads"),
        "quota_seconds": Fact(60.0, "I", "5.2", "pause after too many calls, if the answer names none"),
        "first_pause": Fact(1.0, "I", "5.3", "seconds before the second try; doubled before each further one"),
        "longest_pause": Fact(120.0, "I", "5.3", "seconds between two tries, at most"),
        "tries": Fact(5, "S", "5.3", "of a call, the first one counted"),
        "idle_seconds": Fact(300.0, "I", "6.2", "without a byte of an answer until a call counts as unanswered"),
        "slowest_bytes": Fact(50_000, "I", "6.2", "a second, below which an upload counts as stuck"),
    },
    "consent": {
        "host": Fact("https://kauth.kakao.com", "D", "4.1", "address where a person consents"),
        "authorize": Fact("/oauth/business/authorize", "D", "4.1", "path of the consent"),
        "token": Fact("/oauth/business/token", "S", "4.1", "path where a code becomes a token"),
        "scope": Fact("moment_management", "I", "4.2", "consent item to list, register and edit"),
        "delete_scope": Fact("moment_delete", "S", "4.2", "further consent item to delete"),
        "resources": Fact("moment:{ad_account_id}", "S", "4.1", "what the consent is for; * without an ad account"),
    },
}
"""Group -> entry -> fact. The groups are the fields of :class:`Table`, the entries those of its parts."""


@dataclass(frozen=True, slots=True)
class Api:
    """Where the API is and how it is asked; see :data:`FACTS`, as for every part of the table."""

    host: str
    accounts: str
    account_header: str
    name_part: str
    file_part: str
    file_type: str


@dataclass(frozen=True, slots=True)
class Resource:
    """One generation of customer files; a route is a method and a path."""

    list: str
    register: str
    edit: str
    delete: str
    usages: str
    key: str
    status: str
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class States:
    """What the states of a file mean."""

    pending: tuple[str, ...]
    ready: tuple[str, ...]
    failed: tuple[str, ...]
    deleted: tuple[str, ...]
    editable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how many."""

    files_per_account: int
    parts_per_request: int
    request_bytes: int
    name_least: int
    name_most: int
    names_unique: bool


@dataclass(frozen=True, slots=True)
class Codes:
    """What the codes of an answer mean."""

    retired: tuple[int, ...]
    consent: tuple[int, ...]
    retry: tuple[int, ...]
    quota: tuple[int, ...]
    not_found: tuple[int, ...]
    rights: tuple[int, ...]
    conflict: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how often."""

    write_seconds: float
    read_seconds: float
    quota_seconds: float
    first_pause: float
    longest_pause: float
    tries: int
    idle_seconds: float
    slowest_bytes: int


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """Where a person consents, and to what."""

    host: str
    authorize: str
    token: str
    scope: str
    delete_scope: str
    resources: str


@dataclass(frozen=True, slots=True)
class Table:
    """All of it. :data:`TABLE` is as it is written here."""

    api: Api
    customer_files: Resource
    customer_data: Resource
    states: States
    limits: Limits
    codes: Codes
    pace: Pace
    consent: ConsentFacts

    @classmethod
    def overridden(cls, given: Any, name: str = "The Kakao Moment connection") -> Table:
        """The table with some entries changed.

        :param given: the extra field ``table`` of a connection: ``{"limits": {"name_most": 100}}``; ``None`` changes nothing.
        :param name: names the connection in an error.
        :raises ConfigurationError: for a group or an entry that there is not, with the nearest one, or a value of another kind.
        """
        values = {group: {entry: fact.value for entry, fact in facts.items()} for group, facts in FACTS.items()}
        for group, entries in _object(given, f"{name} has a table that").items():
            if group not in FACTS:
                raise _unknown(name, f"the group {group!r}", group, FACTS)
            for entry, value in _object(entries, f"{name} has table.{group}, which").items():
                if entry not in FACTS[group]:
                    raise _unknown(name, f"{group}.{entry}", entry, FACTS[group])
                values[group][entry] = _value(entry, value, FACTS[group][entry].value, f"{name} sets table.{group}.{entry}")
        parts = (Api, Resource, Resource, States, Limits, Codes, Pace, ConsentFacts)
        return cls(*(part(**values[group]) for group, part in zip(FACTS, parts, strict=True)))


def facts() -> Iterator[tuple[str, Fact]]:
    """Every entry by its dotted name, for the documentation."""
    return ((f"{group}.{entry}", fact) for group, entries in FACTS.items() for entry, fact in entries.items())


def _object(given: Any, what: str) -> Mapping[str, Any]:
    if given is None or given == "":
        return {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{what} is no JSON object.", 'Write it like {"limits": {"files_per_account": 60}}.')
    return given


def _unknown(name: str, what: str, given: str, known: Mapping[str, Any]) -> ConfigurationError:
    from activation.spec.messages import suggest

    return ConfigurationError(f"{name} overrides {what}, which the table does not have.", suggest(str(given), known))


def _value(entry: str, value: Any, default: Any, what: str) -> Any:
    """A value of the same kind as the default.

    :raises ConfigurationError: if it is of another kind, or cannot be.
    """
    if isinstance(default, tuple) and isinstance(value, list):
        value = tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, type(default)) or isinstance(value, bool) != isinstance(default, bool) or not _sound(value, default):
        shown = list(default) if isinstance(default, tuple) else default
        raise ConfigurationError(f"{what} to a value that it cannot have.", f"Write it like {shown!r}.")
    is_route = isinstance(default, str) and _ROUTE.fullmatch(default) is not None
    if is_route and (not _ROUTE.fullmatch(value) or (entry in _WITH_ID) != ("{id}" in value)):
        raise ConfigurationError(f"{what} to {value!r}, which is no route.", f"Write it like {default!r}.")
    return value


def _sound(value: Any, default: Any) -> bool:
    if isinstance(value, tuple):
        kind = type(default[0])
        return bool(value) and all(type(each) is kind and each != "" for each in value)
    if isinstance(value, Mapping):
        return all(isinstance(part, str) for pair in value.items() for part in pair)
    if isinstance(value, (int, float)):
        return math.isfinite(value) and (value > 0 or (value == 0 and isinstance(value, (bool, float))))
    return bool(value)


TABLE = Table.overridden(None)
"""The table as it stands in :data:`FACTS`."""
