"""The UK's share pooling: same day first, then purchases of the next 30 days, then the section 104 pool.

1. All acquisitions of an asset on one day count as one, at their average cost.
2. Every disposal takes from its own day.
3. What is left takes, earliest disposal first, from the 30 days that follow, earliest day first.
4. Acquisitions that nobody claimed enter the pool; what is left of the disposals leaves it at the average.

Days are days in London. A day waits until the 30 days after it have passed, so no more than a month is in memory.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from portfolio.lots.exact import ZERO, add, divide, share, subtract
from portfolio.lots.london import london_day
from portfolio.lots.order import in_order
from portfolio.lots.pools import Part
from portfolio.lots.records import ACQUISITIONS, DISPOSALS, Disposal, Kind, Match, Movement, Worked
from portfolio.lots.sale import disposals_of
from portfolio.lots.shelf import Key, Shelf

WINDOW = timedelta(days=30)


class Claim(NamedTuple):
    """What an earlier sale took of the purchases of a later day."""

    asset: str
    account: str
    day: date
    quantity: Decimal
    cost: Decimal


class _Lump:
    """What was acquired on one day and is not matched yet."""

    __slots__ = ("cost", "quantity", "time")

    def __init__(self, time: datetime) -> None:
        self.time = time
        self.quantity = ZERO
        self.cost = ZERO

    def take(self, wanted: Decimal, match: Match) -> Part:
        """A part at the day's average cost; the last units take all the cost that is left."""
        quantity = min(wanted, self.quantity)
        whole = quantity == self.quantity
        cost = self.cost if whole else share(divide(self.cost, self.quantity), quantity)
        self.lose(quantity, cost)
        return Part(self.time, 0, quantity, cost, ZERO, match)

    def lose(self, quantity: Decimal, cost: Decimal) -> None:
        self.quantity = subtract(self.quantity, quantity)
        self.cost = subtract(self.cost, cost)


class _Sale:
    """A disposal on its way: the parts found so far and the quantity still without a cost."""

    __slots__ = ("key", "left", "movement", "parts")

    def __init__(self, movement: Movement, key: Key) -> None:
        self.movement = movement
        self.key = key
        self.left = movement.quantity
        self.parts: list[Part] = []

    def match(self, lump: _Lump, match: Match) -> Part:
        part = lump.take(self.left, match)
        self.left = subtract(self.left, part.quantity)
        self.parts.append(part)
        return part


class _Day:
    """All of one day, in order, until it can be settled."""

    __slots__ = ("date", "lumps", "sales", "steps")

    def __init__(self, day: date) -> None:
        self.date = day
        self.lumps: dict[Key, _Lump] = {}
        self.sales: list[_Sale] = []
        self.steps: list[tuple[Movement | None, object, _Sale | None]] = []


class UkBook:
    """Answers thirty days late, because a disposal looks that far ahead; `finish` settles what still waits."""

    def __init__(self, shelf: Shelf, claims: Iterable[Claim] = ()) -> None:
        self.shelf = shelf
        self.claims = list(claims)
        """What was taken of days that are not settled yet."""
        self._earlier = list(self.claims)
        self._days: deque[_Day] = deque()

    def disposals(self, movements: Iterable[Movement]) -> Iterator[Disposal]:
        """Every disposed part, in the order of the disposals."""
        for movement in in_order(movements):
            for _, parts in self.feed(movement, None):
                yield from parts
        for _, parts in self.finish():
            yield from parts

    def feed(self, movement: Movement, tag: object) -> Iterator[Worked]:
        """Take a movement; what it makes final comes out."""
        day = london_day(movement.time)
        if not self._days or self._days[-1].date != day:
            self._match_same_day()
            while self._days and self._days[0].date + WINDOW < day:
                yield from self._settle(self._days.popleft())
            self._days.append(_Day(day))
        self._collect(self._days[-1], movement, tag)

    def passing(self, tag: object) -> Iterator[Worked]:
        """Something that is no movement but keeps its place among them."""
        if self._days:
            self._days[-1].steps.append((None, tag, None))
        else:
            yield tag, ()

    def finish(self) -> Iterator[Worked]:
        """All that still waits; the last thirty days are provisional."""
        self._match_same_day()
        while self._days:
            yield from self._settle(self._days.popleft())

    def _collect(self, day: _Day, movement: Movement, tag: object) -> None:
        key = self.shelf.key(movement.asset, movement.account)
        sale: _Sale | None = None
        if movement.kind in ACQUISITIONS:
            lump = day.lumps.get(key)
            if lump is None:
                lump = day.lumps[key] = _Lump(movement.time)
            lump.quantity = add(lump.quantity, movement.quantity)
            lump.cost = add(lump.cost, add(movement.value, movement.fee))
        elif movement.kind in DISPOSALS:
            sale = _Sale(movement, key)
            day.sales.append(sale)
        day.steps.append((movement, tag, sale))

    def _match_same_day(self) -> None:
        """A day is over: its sales take of its purchases before any earlier sale does."""
        if not self._days:
            return
        day = self._days[-1]
        for sale in day.sales:
            lump = day.lumps.get(sale.key)
            if lump and lump.quantity:
                sale.match(lump, Match.SAME_DAY)
        for claim in self._earlier:
            if claim.day == day.date:
                day.lumps[claim.asset, claim.account].lose(claim.quantity, claim.cost)

    def _settle(self, day: _Day) -> Iterator[Worked]:
        for waiting in day.sales:
            self._match_thirty_days(waiting, day.date)
        self.claims = [claim for claim in self.claims if claim.day > day.date]
        for movement, tag, sale in day.steps:
            if movement is None:
                yield tag, ()
            elif sale is not None:
                if sale.left:
                    sale.parts += self.shelf.remove(movement, sale.left)
                yield tag, disposals_of(movement, sale.parts)
            else:
                self._enter(day, movement)
                yield tag, ()

    def _match_thirty_days(self, sale: _Sale, sold_on: date) -> None:
        for later in self._days:
            if not sale.left or later.date > sold_on + WINDOW:
                return
            lump = later.lumps.get(sale.key)
            if lump and lump.quantity:
                part = sale.match(lump, Match.THIRTY_DAYS)
                self.claims.append(Claim(*sale.key, later.date, part.quantity, part.cost))

    def _enter(self, day: _Day, movement: Movement) -> None:
        """With a day's first acquisition all that nobody claimed of the day enters the pool; lots move when they do."""
        if movement.kind is Kind.TRANSFER:
            self.shelf.move(movement)
            return
        lump = day.lumps[self.shelf.key(movement.asset, movement.account)]
        if lump.quantity:
            self.shelf.pool(movement.asset, movement.account).put(lump.take(lump.quantity, Match.POOL))
