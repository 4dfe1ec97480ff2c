"""All that a user's gains are found from, in the order of time, from any moment on: lines, incomes, problems, marks.

Rows become items a little out of order (a transfer may have arrived before it was sent, by two clocks; half of an
exchange waits for the other), so items wait until nothing earlier can come. A mark is set between two days only where
no row after it reached before it: from there the same items come again without what was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from heapq import merge
from itertools import groupby

from accounts.models import User
from portfolio.corrections import corrections_of
from portfolio.gains.ledger import choices_of, entries_of, rows_of, transfers_of
from portfolio.gains.manual import read_manual
from portfolio.gains.meaning import Reading
from portfolio.gains.prices import Prices, prices_of
from portfolio.gains.records import Item, Line, Mark, Row, time_of
from portfolio.gains.years import UNDATED
from portfolio.lots.london import london_day, london_midnight
from portfolio.lots.order import content
from portfolio.models import ManualEntry
from portfolio.transfers.match import CLOCK

LEAST = 50
"""How many items lie between two marks at least."""
NEAR = timedelta(days=90)
"""Marks are set by the day in this time before now, and by the month before it."""
NEVER = datetime.max.replace(tzinfo=UTC)


class ReachesBack(Exception):
    """A row after the mark from which items were asked for belongs before it."""


class Stream:
    """The items since a mark; `prices` tells afterwards which were used and which are missing."""

    def __init__(self, user: User, now: datetime, since: datetime = UNDATED) -> None:
        self.choices = choices_of(user)
        self.prices: Prices = prices_of(user, now)
        self._user = user
        self._since = since
        self._daily_from = now - NEAR
        self._reading = Reading(self.prices, corrections_of(user), transfers_of(user, since), self.choices)
        self._waiting: list[tuple[datetime, datetime, Item]] = []
        self._split: set[datetime] = set()

    def items(self, turnover: dict[str, Decimal]) -> Iterator[Item]:
        """All items; a mark carries `turnover` as it is when the mark is passed."""
        day, count, reached = date.min, 0, UNDATED
        for item, read_at in self._ordered():
            at = time_of(item)
            if at < self._since:
                raise ReachesBack
            if (today := london_day(at)) != day:
                begin = london_midnight(today)
                if count >= LEAST and reached < begin and self._is_place(day, today, begin):
                    yield Mark(at=begin, turnover=dict(turnover))
                    count = 0
                day = today
            yield item
            count, reached = count + 1, max(reached, read_at)

    def _is_place(self, before: date, today: date, begin: datetime) -> bool:
        if begin in self._split:
            return False
        return begin >= self._daily_from or (before.year, before.month) != (today.year, today.month)

    def _ordered(self) -> Iterator[tuple[Item, datetime]]:
        """Items with rising times, equal ones by content, each with the time of the row that brought it up."""
        released = (pair for chunk in self._released() for pair in chunk)
        for _, group in groupby(released, key=lambda found: found[0]):
            same = list(group)
            if len(same) > 1:
                same.sort(key=lambda found: _content(found[2]))
            for _, read_at, item in same:
                yield item, read_at

    def _released(self) -> Iterator[Iterable[tuple[datetime, datetime, Item]]]:
        for row in self._rows():
            at = row.at if isinstance(row, Row) else row.occurred_at
            if self._waiting and self._waiting[0][0] < at - CLOCK:
                yield self._before(at - CLOCK)
            if isinstance(row, Row):
                self._note_half(at)
                self._reading.read(row)
            else:
                read_manual(self._reading, row)
            self._take(at)
        self._reading.finish()
        self._take(NEVER)
        yield self._before(NEVER)

    def _note_half(self, at: datetime) -> None:
        """No mark lies between the two halves of an exchange."""
        waiting, begin = self._reading.waiting_since, london_midnight(london_day(at))
        if waiting is not None and waiting < begin:
            self._split.add(begin)

    def _rows(self) -> Iterator[Row | ManualEntry]:
        rows, entries = rows_of(self._user, self._since), entries_of(self._user, self._since)
        return merge(rows, entries, key=lambda row: row.at if isinstance(row, Row) else row.occurred_at)

    def _take(self, read_at: datetime) -> None:
        found = self._reading.drained()
        if found:
            self._waiting += [(time_of(item), read_at, item) for item in found]
            self._waiting.sort(key=lambda waiting: waiting[0])

    def _before(self, limit: datetime) -> list[tuple[datetime, datetime, Item]]:
        """What is final: nothing earlier can come any more."""
        count = next((n for n, (at, _, _) in enumerate(self._waiting) if at >= limit), len(self._waiting))
        final, self._waiting = self._waiting[:count], self._waiting[count:]
        return final


def _content(item: Item) -> tuple[object, ...]:
    """Lines first, in the order of the lot engine; the rest as it was read."""
    return (0, *content(item.movement)) if isinstance(item, Line) else (1,)
