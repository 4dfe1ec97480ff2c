"""Which hosts are left alone because they do not answer, as all processes together know it.

State is in the database; a host of which nothing bad is known costs a process one question in two seconds, however
many of its threads ask it. Whoever is killed while he tries a host leaves nothing behind that does not run out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from django.conf import settings

from exchanges.catalog import EXCHANGES
from exchanges.catalog import exchange as known_exchange
from exchanges.circuit import OPENS_AT, points, rest
from exchanges.connector import Clock
from exchanges.errors import ExchangeError, Resting, Unreachable
from exchanges.hosts import origin
from portfolio.models import Host
from portfolio.models.hosts import PROBE
from portfolio.sync.crowd import CROWD

BELIEVED = 2.0
"""Seconds for which a host counts as well without another look."""
_well: WeakKeyDictionary[Clock, dict[str, float]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What a user is told of a host that does not answer."""

    label: str
    since: datetime | None
    next_try: datetime
    error: str
    is_open: bool
    """Whether nobody asks it now; else it has failed lately and is asked by few at a time."""

    @property
    def sentence(self) -> str:
        """In one line."""
        if self.is_open:
            return f"{self.label} does not answer; next try at {self.next_try:%Y-%m-%d %H:%M:%S} UTC."
        return f"{self.label} did not answer lately; it is being tried."


class Breaker:
    """The circuit before one host, for one turn or one refresh."""

    def __init__(self, url: str, clock: Clock, label: str = "The exchange") -> None:
        """`clock` is the process's own: what it says is written down for others."""
        self._host = origin(url)
        self._clock = clock
        self._label = label
        self._row: Host | None = None
        """What is known of a host that is not well."""
        self._tries: int | None = None
        """How often the host had been left alone when this call was let through to try it."""

    def admit(self) -> None:
        """Let a call pass; raises Resting while the host is left alone, or while another call tries it."""
        if self.is_believed():
            return
        now = self._clock.now()
        self._row = Host.objects.named(self._host).unwell().first()
        self._tries = None
        if self._row is None:
            _well.setdefault(self._clock, {})[self._host] = self._clock.monotonic()
        elif self._row.rests(now):
            raise self._resting(self._row.rest_until or now, now)
        elif self._row.rest_until is not None:
            if not Host.objects.named(self._host).take_probe(now):
                raise self._resting(now + PROBE / 2, now)
            self._tries = self._row.openings

    def answered(self) -> None:
        """Whatever was known against the host is over."""
        CROWD.answered(self._host)
        if self._row is not None:
            Host.objects.named(self._host).clear()
            self._row = self._tries = None

    def failed(self, error: ExchangeError) -> None:
        """Count it, and leave the host alone where it was too often, or where this call was the one that tried."""
        _well.get(self._clock, {}).pop(self._host, None)
        now = self._clock.now()
        host = Host.objects.named(self._host)
        if self._row is None:
            Host.objects.get_or_create(name=self._host)
        unresolved = isinstance(error, Unreachable) and error.unresolved
        host.blame(points(error), str(error), now, unresolved=unresolved)
        self._row = host.get()
        closed = self._row.rest_until is None and self._row.points >= OPENS_AT
        if closed or self._tries == self._row.openings:
            pause = rest(self._row.openings + 1, random.Random())
            host.open(self._row.openings, now + timedelta(seconds=pause))
        self._tries = None

    def is_believed(self) -> bool:
        """Whether this process saw a moment ago that nothing is known against the host."""
        seen = _well.get(self._clock, {}).get(self._host)
        return seen is not None and self._clock.monotonic() - seen < BELIEVED

    def _resting(self, until: datetime, now: datetime) -> Resting:
        row = self._row
        return Resting(
            f"{self._label} does not answer; next try at {until:%Y-%m-%d %H:%M:%S} UTC.",
            retry_after=max(1.0, (until - now).total_seconds()),
            unresolved=row is not None and row.unresolved,
        )


def host_of(exchange: str) -> str:
    """The host of an exchange, as it is written down."""
    return origin(settings.EXCHANGE_URLS[exchange])


def breaker(exchange: str, clock: Clock) -> Breaker:
    """The circuit before an exchange's host."""
    return Breaker(settings.EXCHANGE_URLS[exchange], clock, known_exchange(exchange).label)


def trouble(exchange: str, clock: Clock) -> Trouble | None:
    """What is wrong with an exchange's host; asks nobody where the process knows it to be well."""
    return None if breaker(exchange, clock).is_believed() else troubles(clock.now()).get(exchange)


def troubles(now: datetime) -> dict[str, Trouble]:
    """By exchange, what is wrong with hosts that do not answer; one query."""
    rows = {row.name: row for row in Host.objects.unwell()}
    found = {}
    for name, known in EXCHANGES.items():
        row = rows.get(host_of(name))
        if row is not None and row.points >= OPENS_AT:
            found[name.value] = _trouble(known.label, row, now)
    return found


def _trouble(label: str, row: Host, now: datetime) -> Trouble:
    rests = row.rests(now)
    return Trouble(
        label=label,
        since=row.failed_at,
        next_try=row.rest_until if rests and row.rest_until else now,
        error=row.error,
        is_open=rests,
    )
