"""The UK's share pooling: same day first, then purchases of the next 30 days, then the section 104 pool.

1. All acquisitions of an asset on one day count as one, at their average cost.
2. Every disposal takes from its own day.
3. What is left takes, earliest disposal first, from the 30 days that follow, earliest day first.
4. Acquisitions that nobody claimed enter the pool; what is left of the disposals leaves it at the average.

Days are UTC days, as everywhere in the product.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from portfolio.lots.exact import ZERO, add, divide, share, subtract
from portfolio.lots.order import in_order
from portfolio.lots.pools import Part
from portfolio.lots.records import ACQUISITIONS, DISPOSALS, Disposal, Kind, Match, Movement
from portfolio.lots.sale import disposals_of
from portfolio.lots.shelf import Shelf

_WINDOW = timedelta(days=30)


class _Day:
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
        self.quantity = subtract(self.quantity, quantity)
        self.cost = subtract(self.cost, cost)
        return Part(self.time, 0, quantity, cost, ZERO, match)


class _Sale:
    """A disposal on its way: the parts found so far and the quantity still without a cost."""

    __slots__ = ("left", "movement", "parts")

    def __init__(self, movement: Movement) -> None:
        self.movement = movement
        self.left = movement.quantity
        self.parts: list[Part] = []

    def match(self, day: _Day, match: Match) -> None:
        part = day.take(self.left, match)
        self.left = subtract(self.left, part.quantity)
        self.parts.append(part)


class UkBook:
    """Needs the whole history before the first answer, because a disposal may look 30 days ahead."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._days: dict[tuple[str, str], dict[date, _Day]] = defaultdict(dict)

    def disposals(self, movements: Iterable[Movement]) -> Iterator[Disposal]:
        """Every disposed part, in the order of the disposals."""
        history = list(in_order(movements))
        for movement in history:
            if movement.kind in ACQUISITIONS:
                self._collect(movement)
        sales = [_Sale(movement) for movement in history if movement.kind in DISPOSALS]
        self._match_same_day(sales)
        self._match_thirty_days(sales)
        yield from self._run_pool(history, iter(sales))

    def _collect(self, movement: Movement) -> None:
        days = self._days[self.shelf.key(movement.asset, movement.account)]
        day = days.setdefault(movement.time.date(), _Day(movement.time))
        day.quantity = add(day.quantity, movement.quantity)
        day.cost = add(day.cost, add(movement.value, movement.fee))

    def _match_same_day(self, sales: list[_Sale]) -> None:
        for sale in sales:
            day = self._days_of(sale).get(sale.movement.time.date())
            if day and day.quantity:
                sale.match(day, Match.SAME_DAY)

    def _match_thirty_days(self, sales: list[_Sale]) -> None:
        order = {id(days): list(days) for days in self._days.values()}  # times rise, so the days do
        for sale in sales:
            days = self._days_of(sale)
            ahead = order[id(days)]
            sold_on = sale.movement.time.date()
            place = bisect_right(ahead, sold_on)
            while sale.left and place < len(ahead) and ahead[place] <= sold_on + _WINDOW:
                if days[ahead[place]].quantity:
                    sale.match(days[ahead[place]], Match.THIRTY_DAYS)
                place += 1

    def _run_pool(self, history: list[Movement], sales: Iterator[_Sale]) -> Iterator[Disposal]:
        for movement in history:
            if movement.kind in ACQUISITIONS:
                self._enter(movement)
            elif movement.kind is Kind.TRANSFER:
                self.shelf.move(movement)
            else:
                sale = next(sales)
                if sale.left:
                    sale.parts += self.shelf.remove(movement, sale.left)
                yield from disposals_of(movement, sale.parts)

    def _enter(self, movement: Movement) -> None:
        """With a day's first acquisition all that nobody claimed of the day enters the pool."""
        day = self._days[self.shelf.key(movement.asset, movement.account)][movement.time.date()]
        if day.quantity:
            self.shelf.pool(movement.asset, movement.account).put(day.take(day.quantity, Match.POOL))

    def _days_of(self, sale: _Sale) -> dict[date, _Day]:
        return self._days[self.shelf.key(sale.movement.asset, sale.movement.account)]
