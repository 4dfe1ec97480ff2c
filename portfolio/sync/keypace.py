"""The pace of one key over all processes and connections: what one turn leaves, the next one begins with.

Whoever holds a connection's lease holds its key, so one process calls with it at a time and keeps the pace by itself.
The times of its last calls go into the connection with the write that ends the turn. Where that write never came
(a kill), the next turn waits as if the last calls had been made just now.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from accounts.models import PACING, Connection
from exchanges.connect import allowed, window
from exchanges.connector import Clock
from exchanges.errors import ExchangeError, RateLimited
from portfolio.sync.outcome import LONGEST_TOLD


class Busy(ExchangeError):
    """The key is in use: one request at a time per key."""

    code = "busy"
    advice = "This connection is being read just now. Wait until that has ended, then check again."


class KeyPace:
    """The pace of the key of a connection, whose lease the caller holds."""

    def __init__(self, connection: Connection, left: Sequence[str], clock: Clock) -> None:
        """`left` is what was noted of last calls before the lease was taken, of every connection with this key."""
        self._connection = connection
        self._clock = clock
        self._somebody_died = PACING in left
        now = clock.now()
        quiet = (quiet_until(connection, now) - now).total_seconds()
        ages = _ages(connection.exchange, left, now)
        self._window = window(connection.exchange, clock, ages=ages, quiet=quiet)

    def wait(self) -> float:
        """Wait until a call may be made, count it, and return the seconds waited."""
        return self._window.wait()

    def told(self, seconds: float) -> None:
        """The exchange asked for a pause: noted at once, for whoever comes after us, however we end."""
        self._window.told(seconds)
        until = self._clock.now() + min(timedelta(seconds=seconds), LONGEST_TOLD)
        with_key(self._connection).update(quiet_until=until)

    def left(self) -> str:
        """When the last calls were made, for whoever calls next."""
        # Ages first: a pause between the two makes calls look younger than they are, never older.
        ages = self._window.ages()
        now = self._clock.now().timestamp()
        return ",".join(f"{now - age:.3f}" for age in ages)

    def leave(self) -> None:
        """Whoever was killed while he called with this key: we have waited for him, so nobody else has to."""
        if self._somebody_died:
            dead = with_key(self._connection).filter(paced=PACING, leased_key__isnull=True)
            dead.update(paced="")


def with_key(connection: Connection) -> models.QuerySet[Connection]:
    """All connections with the same key, this one among them."""
    mine = Q(pk=connection.pk)
    same = Q(exchange=connection.exchange, key_digest=connection.key_digest)
    return Connection.objects.filter(mine | same if connection.key_digest else mine)


def quiet_until(connection: Connection, now: datetime) -> datetime:
    """Until when the exchange asked not to be called with this key; now where it did not, or where a clock jumped."""
    until = connection.quiet_until
    return until if until is not None and now < until <= now + LONGEST_TOLD else now


def _ages(exchange: str, left: Sequence[str], now: datetime) -> list[float]:
    calls = allowed(exchange).calls
    if PACING in left:
        return [0.0] * calls
    times = {float(part) for text in left for part in text.split(",") if part}
    return [max(0.0, now.timestamp() - time) for time in sorted(times)[-calls:]]


@contextmanager
def seat(connection: Connection, clock: Clock) -> Iterator[KeyPace]:
    """The pace of a connection's key for a few calls outside a turn; raises Busy while another calls with it."""
    now = clock.now()
    if quiet_until(connection, now) > now:
        raise RateLimited(retry_after=(quiet_until(connection, now) - now).total_seconds())
    owner = f"check:{uuid.uuid4().hex[:12]}"
    left = [row.paced for row in with_key(connection)]
    if not connection.take_lease(owner, now):
        raise Busy
    pace = KeyPace(connection, left, clock)
    try:
        yield pace
    finally:
        connection.release(owner, pace.left())
        pace.leave()
