"""Per-user order: two changes of one user are never in flight at the same time, and go out in the order of the rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from activation.delivery.units import Unit


class KeyOrder:
    """Finds, in bulk, which unit must wait for which earlier ones.

    :param reach: how many units back a unit can still be in flight.
    """

    def __init__(self, reach: int) -> None:
        self._reach = reach
        self._keys: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._units: npt.NDArray[np.int64] = np.empty(0, np.int64)

    def link(self, units: Sequence[Unit]) -> None:
        """Set ``waits_for`` of the next units in the order of the rows."""
        sent = [(unit.number, items.encoded.keys[items.first : items.last]) for unit in units for items in unit.requests]
        if not sent:
            return
        keys = np.concatenate([self._keys, *(part for _, part in sent)])
        owners = np.concatenate([self._units, np.repeat([number for number, _ in sent], [len(part) for _, part in sent])])
        order = np.argsort(keys, kind="stable")
        same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
        if len(same):
            pairs = np.stack([owners[order[same + 1]], owners[order[same]]])
            pairs = np.unique(pairs[:, (pairs[0] != pairs[1]) & (pairs[0] >= units[0].number)], axis=1)
            for later, earlier in pairs.T:
                waits_for = units[later - units[0].number].waits_for
                if earlier not in waits_for:
                    waits_for.append(int(earlier))
        near = owners > units[-1].number - self._reach
        self._keys, self._units = keys[near], owners[near]
