"""Moves a connection to where the end of its run leaves it: state, reason, schedule, and the lease given back."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.models import Connection, State
from exchanges.errors import Closed, ExchangeError, KeyProblem, RateLimited, Resting
from portfolio.models import RunState
from portfolio.sync.outcome import WEEK, Outcome, connection_state, next_sync

GRAVITY: tuple[type[ExchangeError], ...] = (KeyProblem, Closed, RateLimited, Resting)
"""Of several errors the first kind of these decides."""

AUDITED = ("state", "reason_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, and what it knew of its connection when it began."""

    outcome: Outcome
    wave: datetime | None
    """The full walk that it worked for, by the time at which it was due."""
    key_set_at: datetime | None
    skew: float | None
    paced: str
    """When its last calls were made."""


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
    after: dict[str, Any] = {
        "state": connection_state(outcome, State(connection.state)),
        "reason_code": error.code if error else "",
        "reason": error.sentence[:400] if error else "",
        "advice": error.advice[:400] if error else "",
        "next_sync_at": next_sync(outcome, now, connection.failures, every, random.Random()),
        "lease_owner": "",
        "lease_until": None,
        "leased_key": None,
        "paced": ending.paced,
    }
    if not isinstance(error, Resting):  # the host's trouble, not this connection's
        after["failures"] = connection.failures + 1 if error else 0
    if ending.skew is not None:
        after["skew_ms"] = int(ending.skew * 1000)
    if outcome.state is RunState.OK:
        after["synced_at"] = now
        if connection.full_walk_at in (None, ending.wave):
            after["full_walk_at"] = now + WEEK
    _write(connection, after)


def _write(connection: Connection, after: dict[str, Any]) -> None:
    """Through the audit log only where there is something for it: it reads the row once more."""
    if all(getattr(connection, name) == after[name] for name in AUDITED):
        Connection.objects.filter(pk=connection.pk).update(**after)
        return
    for name, value in after.items():
        setattr(connection, name, value)
    connection.save(update_fields=list(after))


def _gravity(error: ExchangeError) -> int:
    return next((place for place, kind in enumerate(GRAVITY) if isinstance(error, kind)), len(GRAVITY))
