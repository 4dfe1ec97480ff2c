"""The course of an invented life: at which moments something happens, and what the purse can pay.

The past (before `opened`) is years long and unhurried; from `opened` on something happens every few minutes, so
that a running demo is alive, and after a day ten times less often.
"""

from __future__ import annotations

import heapq
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from exchanges.sandbox.world.dice import Dice
from exchanges.sandbox.world.ledger import EXACT, Row, Status, Step

LIVELY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How long an account has lived, how many moments its past has, and how often something happens now."""

    seed: str
    born: datetime
    opened: datetime
    moments: int
    every: timedelta

    def times(self) -> Iterator[tuple[int, datetime, timedelta]]:
        """Number, moment, and the time until the next one may come; for ever."""
        span = (self.opened - self.born) / max(self.moments, 1)
        for number in range(self.moments):
            yield number, self._within(number, self.born + number * span, span), span / 2
        number, start = self.moments, self.opened
        while True:
            step = self.every if start < self.opened + LIVELY else self.every * 10
            yield number, self._within(number, start, step), step / 2
            number, start = number + 1, start + step

    def _within(self, number: int, start: datetime, span: timedelta) -> datetime:
        """Somewhere in the first half of its stretch: what begins there can be over before the next one."""
        part = Dice(self.seed, "moment", number).whole(0, 499)
        moment = start + span * part / 1000
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def is_live(self, at: datetime) -> bool:
        """Whether the moment belongs to the running demo, not to the past."""
        return at >= self.opened


class Told:
    """A life without end, invented as far as somebody has listened; everybody hears it from the beginning."""

    def __init__(self, life: Iterable[Step]) -> None:
        self._life = iter(life)
        self._steps: list[Step] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Step]:
        for number in count():
            with self._lock:
                if number == len(self._steps):
                    self._steps.append(next(self._life))
            yield self._steps[number]


class Purse:
    """What can be spent while a life is being told: money on its way in does not count, money bound does not."""

    def __init__(self) -> None:
        self._settled: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._held: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._waiting: list[tuple[datetime, int, tuple[tuple[str, Decimal], ...], bool]] = []
        self._count = 0

    def reach(self, at: datetime) -> None:
        """Let everything settle that settles until then."""
        while self._waiting and self._waiting[0][0] <= at:
            _, _, changes, completed = heapq.heappop(self._waiting)
            for asset, change in changes:
                if change < 0:
                    self._held[asset] = EXACT.add(self._held[asset], change)
                if completed:
                    self._settled[asset] = EXACT.add(self._settled[asset], change)

    def free(self, asset: str) -> Decimal:
        """What can be spent of an asset now."""
        return EXACT.subtract(self._settled[asset], self._held[asset])

    def take(self, row: Row) -> None:
        """Bind what the row costs until it settles."""
        self.bind(row.settles, row.changes, completed=row.outcome is Status.COMPLETED)

    def bind(self, until: datetime, changes: tuple[tuple[str, Decimal], ...], *, completed: bool) -> None:
        """Bind all that goes out; at the end it is gone (completed) or free again."""
        for asset, change in changes:
            if change < 0:
                self._held[asset] = EXACT.subtract(self._held[asset], change)
        self._count += 1
        heapq.heappush(self._waiting, (until, self._count, changes, completed))
