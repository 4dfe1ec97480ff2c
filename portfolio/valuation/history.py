"""How much of one asset one connection held at the end of each day, how that is known, and what flowed. Pure.

Steps (docs/valuation.md tells them with an example):
1. From the first snapshot on, the snapshots say it; between two that differ, the ledger places the change on its day.
2. Before the first snapshot: its total minus all that the ledger posted since (backwards).
3. A flow is what came from or went outside by the ledger, plus whatever changed without any row explaining it: the
   quantity of a day is always that of the day before + postings + unexplained.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate

from exchanges.records import Kind, Role
from portfolio.models.valuations import Certainty
from portfolio.valuation.amounts import ZERO

FLOWS = frozenset(
    {
        Kind.DEPOSIT,
        Kind.WITHDRAWAL,
        Kind.TRANSFER_IN,
        Kind.TRANSFER_OUT,
        Kind.ISSUE,
        Kind.REDEEM,
        Kind.ADJUSTMENT,
        Kind.OTHER,
    }
)
"""Kinds whose principal comes from or goes outside; OTHER too, because what nobody understands must not be profit."""
DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A balance that the exchange confirmed from `first` to `last`."""

    first: datetime
    last: datetime
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One posting of a completed transaction, or some that nothing tells apart; `at` is that of the first."""

    at: datetime
    amount: Decimal
    kind: str
    role: str
    against: frozenset[str] = frozenset()
    """The other assets that the same transaction moved."""
    count: int = 1
    """How many postings it stands for: those between the same two midnights and confirmations may be summed."""

    @property
    def flows(self) -> bool:
        """Whether it came from outside; a fee of a withdrawal is a cost, not money taken out."""
        return self.kind in FLOWS and self.role == Role.PRINCIPAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of one asset: its snapshots and its postings, both ascending by time."""

    seen: Sequence[Seen]
    moved: Sequence[Moved]
    trusted: bool
    """Whether the ledger claims to be complete, so that it may speak for the time before the first snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayQuantity:
    """One asset at the end of one day."""

    day: date
    quantity: Decimal
    certainty: Certainty
    flow: Decimal
    unexplained: Decimal
    moved: bool
    """Whether anything was posted on that day."""
    opened: Decimal
    """The quantity at the end of the day before."""
    bartered: tuple[Moved, ...]
    """What was exchanged for other assets."""


def midnight(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, time(), tzinfo=UTC)


def first_day(known: Known) -> date | None:
    """The first day on which anything is known of the asset."""
    times = [known.seen[0].first] if known.seen else []
    times += [known.moved[0].at] if known.moved else []
    return min(times).date() if times else None


def days(known: Known, start: date, now: datetime, *, fresh: bool) -> Iterator[DayQuantity]:
    """Each day from `start` to that of `now`; `fresh` says that nothing was there before `start`.

    `known.moved` must hold all postings since the last snapshot that ended before `start` (all of them when fresh).
    """
    asset = _Asset(known, now)
    before = ZERO if fresh else asset.quantity(start - DAY)
    for n in range((now.date() - start).days + 1):
        day = start + n * DAY
        rows = asset.rows(day)
        quantity = asset.quantity(day)
        unexplained = quantity - before - sum((m.amount for m in rows), ZERO)
        flow = sum((m.amount for m in rows if m.flows), unexplained)
        yield DayQuantity(
            day=day,
            quantity=quantity,
            certainty=asset.certainty(day),
            flow=flow,
            unexplained=unexplained,
            moved=bool(rows),
            opened=before,
            bartered=tuple(m for m in rows if m.against and not m.flows),
        )
        before = quantity


class _Asset:
    """Answers about single days by bisection, so that any stretch costs only its own days."""

    def __init__(self, known: Known, now: datetime) -> None:
        self.known, self.now = known, now
        self.times = [m.at for m in known.moved]
        self.sums = [ZERO, *accumulate((m.amount for m in known.moved), initial=None)]
        self.starts = [s.first for s in known.seen]
        self.shaky_until = self._shaky_until()

    def rows(self, day: date) -> Sequence[Moved]:
        return self.known.moved[
            bisect_left(self.times, midnight(day)) : bisect_left(self.times, self._end(day))
        ]

    def quantity(self, day: date) -> Decimal:
        end = self._end(day)
        place = bisect_left(self.starts, end) - 1
        if not self.known.seen:
            return self._posted_before(end)
        if place < 0:
            return self.known.seen[0].total - self._posted_until(self.starts[0]) + self._posted_before(end)
        snapshot = self.known.seen[place]
        if self._explained_gap(place, end):
            return snapshot.total + self._posted_before(end) - self._posted_until(snapshot.last)
        return snapshot.total

    def certainty(self, day: date) -> Certainty:
        end = self._end(day)
        place = bisect_left(self.starts, end) - 1
        if not self.known.seen:
            return Certainty.UNCERTAIN
        if place < 0:
            return Certainty.LEDGER if end > self.shaky_until else Certainty.UNCERTAIN
        if self.known.seen[place].last >= midnight(day):
            return Certainty.SNAPSHOT
        return Certainty.LEDGER if self._explained_gap(place, end) else Certainty.UNCERTAIN

    def _end(self, day: date) -> datetime:
        """The first moment that no longer belongs to the day; of today, the moment after now."""
        return min(midnight(day + DAY), self.now + _INSTANT)

    def _posted_before(self, end: datetime) -> Decimal:
        return self.sums[bisect_left(self.times, end)]

    def _posted_until(self, moment: datetime) -> Decimal:
        return self.sums[bisect_right(self.times, moment)]

    def _explained_gap(self, place: int, end: datetime) -> bool:
        """Whether `end` lies between two snapshots and the ledger explains the whole difference between them."""
        seen = self.known.seen
        if seen[place].last >= end or place + 1 == len(seen):
            return False
        posted = self._posted_until(seen[place + 1].first) - self._posted_until(seen[place].last)
        return seen[place].total + posted == seen[place + 1].total

    def _shaky_until(self) -> datetime:
        """Up to when the ledger may not speak: all of the time before the first snapshot where it does not add up to
        it from nothing, and in any case the time up to a day on which it would have us hold less than nothing."""
        never = datetime.min.replace(tzinfo=UTC)
        if not self.known.seen:
            return never
        first = self.known.seen[0]
        residual = first.total - self._posted_until(first.first)
        if residual or not self.known.trusted:
            return first.first + DAY
        dates = {m.at.date() for m in self.known.moved if m.at < first.first}
        negative = [self._end(day) for day in dates if self._posted_before(self._end(day)) < 0]
        return max(negative, default=never)


def anchored(known: Known, first: datetime, last: datetime) -> Known:
    """For an asset that no snapshot names although balances were read from `first` to `last`: it was nothing then."""
    if known.seen:
        return known
    return replace(known, seen=(Seen(first=first, last=last, total=ZERO),))
