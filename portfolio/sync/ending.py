"""Moves a connection to where the end of its run leaves it: state, reason, schedule, and the lease given back."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import Connection, State
from exchanges.errors import Closed, ExchangeError, KeyProblem, RateLimited
from portfolio.models import RunState
from portfolio.sync.outcome import WEEK, Outcome, connection_state, next_sync

GRAVITY: tuple[type[ExchangeError], ...] = (KeyProblem, Closed, RateLimited)
"""Of several errors the first kind of these decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, and what it knew of its connection when it began."""

    outcome: Outcome
    wave: datetime | None
    """The full walk that it worked for, by the time at which it was due."""
    key_set_at: datetime | None
    skew: float | None


def worst(errors: Sequence[ExchangeError]) -> ExchangeError | None:
    """The error that decides what happens to the connection."""
    return min(errors, key=_gravity, default=None)


def move(known: Connection, ending: Ending, now: datetime) -> None:
    """To be called inside a transaction; a key that was replaced meanwhile is not blamed for the old one's failure."""
    connection, outcome = Connection.objects.get(pk=known.pk), ending.outcome
    if isinstance(outcome.error, KeyProblem) and connection.key_set_at != ending.key_set_at:
        outcome = Outcome(state=outcome.state, again_at_once=True)
    every = timedelta(seconds=settings.SYNC_EVERY_SECONDS)
    error = outcome.error
    connection.state = connection_state(outcome, State(connection.state))
    connection.reason_code = error.code if error else ""
    connection.reason = error.sentence[:400] if error else ""
    connection.advice = error.advice[:400] if error else ""
    connection.next_sync_at = next_sync(outcome, now, connection.failures, every, random.Random())
    connection.failures = connection.failures + 1 if error else 0
    connection.skew_ms = connection.skew_ms if ending.skew is None else int(ending.skew * 1000)
    if outcome.state is RunState.OK:
        connection.synced_at = now
        if connection.full_walk_at in (None, ending.wave):
            connection.full_walk_at = now + WEEK
    connection.lease_owner, connection.lease_until = "", None
    connection.save(
        update_fields=[
            *("state", "reason_code", "reason", "advice", "next_sync_at", "failures", "skew_ms"),
            *("synced_at", "full_walk_at", "lease_owner", "lease_until"),
        ]
    )


def _gravity(error: ExchangeError) -> int:
    return next((place for place, kind in enumerate(GRAVITY) if isinstance(error, kind)), len(GRAVITY))
