"""Rebuilds one connection: holds it, derives all of it into a shadow, compares, and swaps where that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Max

from accounts.models import Connection
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connector import Clock
from portfolio import valuation
from portfolio.models import Run, WorthPoint
from portfolio.rebuild import derive
from portfolio.rebuild.compare import Difference, Differences
from portfolio.rebuild.shadow import derived, numbers, shadow
from portfolio.rebuild.swap import Refused, swap
from portfolio.rebuild.tables import TABLES
from portfolio.sync import owner as owners
from portfolio.sync.replay import Unreadable

BEAT = 5.0
"""Seconds after which the lease is shown alive again."""
UNBROKEN = timedelta(minutes=10)
"""How long proving and valuing all days of one connection may take, in which no heartbeat is shown."""
INSTANT = timedelta(microseconds=1)


class Busy(Exception):
    """A sentence that says who else is at the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What came of it: how many rows were derived and how many differ, by noun, and the first that differs."""

    rows: dict[str, int]
    differing: dict[str, int]
    first: Difference | None
    swapped: bool


def rebuild(
    connection: Connection, *, write: bool, tell: Callable[[int], object], clock: Clock = SYSTEM_CLOCK
) -> Rebuilt:
    """Compare a connection with its raw records, with `write` put right what differs; `tell` brings figures up to date."""
    if connection.is_own and _is_behind(connection):
        # Who tells it writes its ledger first, and holds it for that.
        tell(connection.pk)
    with _held(connection, clock) as hold:
        if _is_behind(connection):
            tell(connection.pk)
        day, source = valuation.told_until(connection), derive.source(connection, hold.alive, clock.now())
        with shadow():
            unread = derive.ledger(connection, source)
            if write:
                derive.name_new()
            found = Differences(connection.pk, day)
            try:
                _derive_figures(connection, hold, found, day, clock.now())
                return _concluded(connection, hold, found, unread, write=write)
            finally:
                found.forget()


def _is_behind(connection: Connection) -> bool:
    """Whether a sync has ended, or was killed, whose figures nobody has told yet: that is no difference."""
    runs = Run.objects.of(connection).aggregate(alive=Max("heartbeat_at"), end=Max("finished_at"))
    last = max([moment for moment in runs.values() if moment is not None], default=None)
    told = WorthPoint.objects.of(connection).aggregate(at=Max("at"))["at"]
    return connection.figures_since is not None or (last is not None and (told is None or told <= last))


def _derive_figures(
    connection: Connection, hold: _Hold, found: Differences, day: date | None, now: datetime
) -> None:
    """Figures are told without the lease, and prices change while we look: only what differs twice does differ."""
    for _ in range(2):
        hold.keep(ahead=UNBROKEN)
        derive.figures(connection, hold.alive, _moment(day, now), now)
        found.find()
        if not found.total:
            return


def _concluded(
    connection: Connection, hold: _Hold, found: Differences, unread: list[Unreadable], *, write: bool
) -> Rebuilt:
    if write and unread:
        raise Refused(
            f"{len(unread)} raw records cannot be read by this version; nothing was swapped. {_of(unread[0])}."
        )
    first = _of(unread[0]) if unread else found.first()
    if write and found.total:
        swap(connection, found, hold.keep)
    return Rebuilt(
        rows={table.noun: numbers(f"SELECT COUNT(*) FROM {derived(table.name)}")[0] for table in TABLES},
        differing={table.noun: count for table, count in found.counts.items() if count},
        first=first,
        swapped=write and bool(found.total),
    )


def _of(record: Unreadable) -> Difference:
    return Difference(
        what="raw record",
        row=f"{record.stream} {record.source_id}",
        stands="stored",
        derived=f"nothing that this version can read: {record.reason}",
    )


def _moment(day: date | None, now: datetime) -> datetime | None:
    """As of when the daily rows stand: now, or the end of the last day that was told."""
    if day is None or day == now.date():
        return now if day else None
    return datetime.combine(day + timedelta(days=1), time(), UTC) - INSTANT


class _Hold:
    """The lease of one rebuild."""

    def __init__(self, connection: Connection, owner: str, clock: Clock) -> None:
        self._connection, self._owner, self._clock = connection, owner, clock
        self._beaten = clock.monotonic()

    def alive(self) -> None:
        """Keep the lease, at most once in a few seconds."""
        if self._clock.monotonic() - self._beaten >= BEAT:
            self.keep()

    def keep(self, ahead: timedelta = timedelta(0)) -> None:
        """Keep the lease now, `ahead` longer where nobody can show life meanwhile; raises Busy where it was lost."""
        self._beaten = self._clock.monotonic() + ahead.total_seconds()
        if not self._connection.keep_lease(self._owner, self._clock.now() + ahead):
            raise Busy(f"“{self._connection.label}” was taken over by a sync. Run rebuild again.")


@contextmanager
def _held(connection: Connection, clock: Clock) -> Iterator[_Hold]:
    """Hold the connection, so that no sync writes meanwhile."""
    # Named as a process, so that others on its machine take over at once where it was killed.
    owner = owners.new()
    connection.refresh_from_db()
    if owners.is_gone(connection.lease_owner):
        connection.release(connection.lease_owner)
    if not connection.take_lease(owner, clock.now(), calls=False):
        raise Busy(f"“{connection.label}” is being read just now. Run rebuild again in a moment.")
    try:
        yield _Hold(connection, owner, clock)
    finally:
        connection.release(owner)
