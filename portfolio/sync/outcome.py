"""What a run's end means for its connection: state, reason, advice, and when it is read again. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import State
from exchanges.errors import Closed, ExchangeError, KeyProblem, RateLimited, Temporary
from portfolio.models import RunState

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
LONGEST_TOLD = timedelta(days=1)
"""However long an exchange asks us to wait, it is asked again after this."""
CLOSED_DELAY = timedelta(hours=6)
"""A computer that is offline looks the same as an exchange whose address is gone, so it is asked again now and then."""
SOON = timedelta(seconds=20)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a run."""

    state: RunState
    error: ExchangeError | None = None
    """What stopped the run, or the first thing that went wrong in it."""
    again_at_once: bool = False
    """The turn's time was over, or the ledger moved on while it was read."""


def connection_state(outcome: Outcome, before: State) -> State:
    """Where the connection stands after the run."""
    if isinstance(outcome.error, KeyProblem):
        return State.NEEDS_ATTENTION
    if isinstance(outcome.error, Closed):
        return State.CLOSED
    if before in (State.CHECKING, State.NEEDS_ATTENTION, State.CLOSED) and outcome.state is RunState.FAILED:
        return before
    return State.ACTIVE


def next_sync(
    outcome: Outcome, now: datetime, failures: int, every: timedelta, dice: random.Random
) -> datetime:
    """When it is read again: as the exchange said, soon, backing off while it fails, or as configured."""
    if isinstance(outcome.error, RateLimited | Temporary) and outcome.error.retry_after:
        return now + min(timedelta(seconds=outcome.error.retry_after), LONGEST_TOLD)
    if isinstance(outcome.error, Closed):
        return now + CLOSED_DELAY * dice.uniform(0.75, 1.25)
    if outcome.error is not None:
        delay = min(FIRST_DELAY * (1 << min(failures, 10)), max(LONGEST_DELAY, every))
        return now + delay * dice.uniform(0.75, 1.25)
    if outcome.again_at_once:
        return now if outcome.state is RunState.PARTIAL else now + min(SOON, every)
    return now + every * dice.uniform(1.0, 1.1)
