"""Which of two memories of the watermark to believe: Airflow's asset state or the run journal.

Airflow deletes the state of an asset that no DAG refers to any more, and a crash can fall between the journal's record and
the asset state; the journal is therefore written first and wins in both cases. Any other difference was made by a person
who edited the asset state, and a person is honoured. What a person typed carries no run, and the run that adopts it puts its
own name in; so a value that a person typed can never be mistaken for one that a crash left behind.
"""

from __future__ import annotations

from dataclasses import dataclass

from activation.cursor.watermark import Watermark


@dataclass(frozen=True, slots=True)
class Move:
    """What a finished run did to the watermark.

    :ivar before: the asset state that the run began with; ``None`` if there was none.
    :ivar after: the watermark that it committed.
    """

    before: Watermark | None
    after: Watermark


@dataclass(frozen=True, slots=True)
class Recovered:
    """The watermark to go on from.

    :ivar note: what a person should know about its origin; empty if both memories agree.
    """

    watermark: Watermark
    note: str = ""


def recover(asset: Watermark | None, journal: Move | None) -> Recovered:
    """Choose the watermark to go on from.

    :param asset: what the asset state holds; ``None`` if it holds nothing.
    :param journal: the last run's record; ``None`` if no run has finished yet.
    """
    if journal is None:
        return Recovered(asset or Watermark())
    last = journal.after
    if asset == last:
        return Recovered(last)
    if asset is None:
        return Recovered(last, f"The asset state is missing; the run journal's watermark {last} is used.")
    if asset == journal.before:
        return Recovered(last, f"The asset state is one run behind; the run journal's watermark {last} is used.")
    return Recovered(asset, f"The asset state was set by a person to {asset} (the run journal says {last}); it is honoured.")
