"""All public exceptions, grouped by what recovers from them.

Every class survives pickling: its state is exactly its ``args``. The text of an error never carries a secret; what comes
from outside (a server's answer, a driver's message) is redacted before it gets here.
"""

from __future__ import annotations


class ActivationError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigurationError(ActivationError):
    """A pipeline file, a connection or a setting is wrong: a person must fix it, a retry cannot.

    :param problem: what is wrong and where, one sentence.
    :param fix: what to do about it, one sentence.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem, fix)
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.problem} Fix: {self.fix}" if self.fix else self.problem


class FatalError(ActivationError):
    """The run must stop because going on would lose or falsify something; the watermark stays where it is."""


class LimitExceededError(FatalError):
    """The run would move more rows than the pipeline allows; nothing was sent and the watermark stays where it is."""


class TransientError(ActivationError):
    """The outside did not answer as it should this time: a later attempt can succeed and resumes where this one stopped."""


class StoppedError(TransientError):
    """The task was asked to stop; what was in flight is finished and the progress is kept."""
