"""The memberships of profiles: what each row adds to ``segmentMembership``, and what it says about the profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from activation.records.arrays import to_arrow, to_numpy
from activation.records.profiles.gathered import NEVER, Flags, Numbers, numbers, single
from activation.records.profiles.joining import Coded, Places, Quotes, chosen, glued, ranks
from activation.records.profiles.rules import INDEX, NAMESPACE, MessageRules, Reading
from activation.warehouses.profiles import EXITED, REALIZED

_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Microseconds since the epoch of the first and the last instant of the years 1 to 9999."""

_ZONES = {"z": "Z", "offset": "+0000"}
"""``time_format`` -> what ends an instant, in whole seconds (contracts: kinesis 1.5)."""

_IN, _OUT, _LEGACY, _UNKNOWN = range(4)
_WORDS = (REALIZED[0], EXITED[0], "existing", "")
_BLANKS = "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""The spaces of Unicode (category Zs), which may stand around a status."""


@dataclass(frozen=True, slots=True)
class MembershipRows:
    """Rows of the table of memberships; shape (rows,) each.

    :ivar number: of the row's profile, ascending.
    :ivar moment: UPDATED_AT where it lies in the window, else :data:`~activation.records.profiles.gathered.NEVER`.
    :ivar qualified: microseconds since the epoch as a text.
    """

    number: Numbers
    moment: Numbers
    audience: pa.Array
    status: pa.Array
    qualified: pa.Array


@dataclass(frozen=True, slots=True)
class Memberships:
    """The memberships that are written, in the order of their profiles; shape (memberships,) each.

    :ivar number: of the profile.
    :ivar piece: the texts of one profile, put together, are its object; of what breaks no rule.
    :ivar state: what it adds to the state of the mapped audiences.
    :ivar realized: whether a mapped audience has the profile.
    :ivar moment: when a mapped membership changed in the window, or ``NEVER``.
    :ivar told: whether there is news even if the profile is in no mapped audience.
    :ivar broken: index of a rule, or ``NEVER``.
    """

    number: Numbers
    piece: pa.Array
    state: pa.Array
    realized: Flags
    moment: Numbers
    told: Flags
    broken: Numbers


@dataclass(frozen=True, slots=True)
class _Audiences:
    """The audiences that a block's rows name; shape (audiences,) each. One that is not known is not mapped.

    :ivar space: number of the namespace, in no order.
    :ivar policy: number of the merge policy; -1: there is none.
    """

    names: pa.Array
    spaces: pa.Array
    space: Numbers
    policy: Numbers
    mapped: Flags
    fresh: Flags
    more: pa.Array


class MembershipWriter:
    """Writes memberships.

    :param audiences: as :func:`~activation.records.profiles.audiences.known_audiences` gives them.
    """

    def __init__(self, audiences: pa.Table, rules: MessageRules, reading: Reading, quotes: Quotes) -> None:
        self._known = {name: single(audiences[name]) for name in audiences.column_names}
        self._policies = Coded.of(self._known["merge_policy"])
        self._rules, self._lower, self._quotes = rules, reading.lower, quotes

    def of(self, rows: MembershipRows) -> Memberships:
        """Write the memberships that the scope lets through; the mapped ones always are."""
        coded = Coded.of(rows.audience)
        known = self._audiences(coded.values)
        word = _words(rows.status)
        order = self._shown(rows.number, coded.codes, word, known)
        number, code, word, moment = (values[order] for values in (rows.number, coded.codes, word, rows.moment))
        qualified = numbers(rows.qualified.take(to_arrow(order)))
        missing = (qualified < _FIRST) | (qualified > _LAST)
        mapped, realized = known.mapped[code], known.mapped[code] & (word == _IN)
        left = np.zeros(len(order), np.bool_) if self._lower is None else (moment != NEVER) & ~known.fresh[code]
        faults = {
            "audience_missing": ~to_numpy(known.names.is_valid(), np.bool_)[code],
            "status_unknown": word == _UNKNOWN,
            "qualification_time_missing": missing,
            "membership_twice": np.append(False, (np.diff(number) == 0) & (np.diff(code) == 0))[: len(order)],
        }
        written = word.copy()
        if self._rules.legacy_existing and self._lower is not None:
            written[realized & (qualified <= self._lower)] = _LEGACY
        keys = self._quotes(known.names)
        states = [glued(keys, pa.scalar(f"={name};")) for name in _WORDS]
        states.append(pa.array([""] * len(keys), pa.string()))
        return Memberships(
            number,
            self._pieces(known, keys, Places.of(number, known.space[code]), code, written, np.where(missing, 0, qualified)),
            chosen(states, np.where(mapped, word, len(_WORDS)), code),
            realized,
            np.where(mapped, moment, NEVER),
            mapped & ((word == _UNKNOWN) | left),
            np.select([*faults.values()], [INDEX[name] for name in faults], NEVER),
        )

    def _audiences(self, names: pa.Array) -> _Audiences:
        place = pc.index_in(names, self._known["id"], skip_nulls=True)
        found = {name: column.take(place) for name, column in self._known.items()}
        spaces = Coded.of(pc.fill_null(found["namespace"], NAMESPACE))
        policy = np.append(
            np.where(to_numpy(self._policies.values.is_valid(), np.bool_)[self._policies.codes], self._policies.codes, -1), -1
        )
        flags = {name: to_numpy(pc.fill_null(found[name], False), np.bool_) for name in ("mapped", "fresh")}
        row = to_numpy(pc.fill_null(place, len(policy) - 1), np.int32)
        more = pc.fill_null(found["more"], "")
        return _Audiences(names, spaces.values, spaces.codes, policy[row], flags["mapped"], flags["fresh"], more)

    def _shown(self, number: Numbers, code: Numbers, word: Numbers, known: _Audiences) -> Numbers:
        """The rows that are written, in the order of their profiles, namespaces and audiences."""
        mapped, policy = known.mapped[code], known.policy[code]
        if self._rules.scope == "all":
            rows = np.arange(len(code))
        elif self._rules.scope == "mapped_only":
            rows = np.flatnonzero(mapped)
        else:
            group = number * (len(self._policies.values) + 1) + policy
            rest = np.flatnonzero(~mapped & (word == _IN) & (policy >= 0))
            shown = mapped.copy()
            shown[rest[np.isin(group[rest], group[mapped])]] = True
            rows = np.flatnonzero(shown)
        rank = ranks(known.spaces.take(to_arrow(known.space)), known.names)
        place = number[rows] * len(rank) + rank[code[rows]]
        return rows if (np.diff(place) >= 0).all() else rows[np.argsort(place, kind="stable")]

    def _pieces(
        self, known: _Audiences, keys: pa.Array, places: Places, code: Numbers, word: Numbers, qualified: Numbers
    ) -> pa.Array:
        """The texts; the first one of a namespace opens it, the last one of the profile closes the object."""
        space = self._quotes(known.spaces).take(to_arrow(known.space))
        opening = glued(space, ":{", keys, ':{"lastQualificationTime":"')
        heads = [glued("{", opening), glued("},", opening), glued(",", keys, ':{"lastQualificationTime":"')]
        zone = _ZONES[self._rules.time_format]
        tails = [glued(f'{zone}","status":"{name}"', known.more, end) for end in ("}", "}}}") for name in _WORDS]
        return glued(
            chosen(heads, places.head, code), _instants(qualified), chosen(tails, places.last * len(_WORDS) + word, code)
        )


def _words(status: pa.Array) -> Numbers:
    coded = Coded.of(status)
    plain = pc.utf8_lower(pc.utf8_trim(coded.values, characters=_BLANKS))
    words = {name: word for word, names in ((_IN, REALIZED), (_OUT, EXITED)) for name in names}
    place = pc.fill_null(pc.index_in(plain, pa.array([*words]), skip_nulls=True), len(words))
    found: Numbers = np.array([*words.values(), _UNKNOWN])[to_numpy(place, np.int32)][coded.codes]
    return found


def _instants(microseconds: Numbers) -> pa.Array:
    """Instants of the years 1 to 9999, as ISO 8601 says it in whole seconds, without a zone."""
    seconds = to_arrow(microseconds // 1_000_000)
    texts = seconds.cast(pa.timestamp("s")).cast(pa.string())
    letters: npt.NDArray[np.uint8] = np.frombuffer(texts.buffers()[2] or b"", np.uint8).copy()
    letters[: 19 * len(texts)].reshape(-1, 19)[:, 10] = ord("T")
    return pa.Array.from_buffers(pa.string(), len(texts), [None, texts.buffers()[1], pa.py_buffer(letters)])
