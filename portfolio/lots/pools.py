"""Where lots wait to be taken: one heap for the methods that choose a lot, one average for the one that does not.

Both hand out parts whose costs sum exactly to what was put in.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from heapq import heappop, heappush
from typing import Protocol

from portfolio.lots.exact import ZERO, add, divide, ranked, share, subtract
from portfolio.lots.records import Match, Method


class Part:
    """A quantity with its cost and origin; the engine's small change, mutable while it waits in a pool.

    `number` is its place in the order of all acquisitions, `unit` the cost of one unit when it was acquired.
    `is_lazy`, `row` and `tie` belong to pools that are kept (`kept.py`) and are not set elsewhere.
    """

    __slots__ = ("acquired", "cost", "is_lazy", "match", "number", "quantity", "row", "tie", "unit")
    is_lazy: bool
    row: object
    tie: int

    def __init__(
        self,
        acquired: datetime | None,
        number: int,
        quantity: Decimal,
        cost: Decimal,
        unit: Decimal,
        match: Match,
    ) -> None:
        self.acquired = acquired
        self.number = number
        self.quantity = quantity
        self.cost = cost
        self.unit = unit
        self.match = match

    def charge(self, fee: Decimal) -> None:
        """Spread a fee over the whole part."""
        self.cost = add(self.cost, fee)
        self.unit = divide(self.cost, self.quantity)


class Pool(Protocol):
    """What the engine needs of a place for lots."""

    def put(self, part: Part) -> None:
        """Add a part."""

    def take(self, quantity: Decimal) -> tuple[list[Part], Decimal]:
        """Take up to `quantity`; the second answer is what was missing."""

    def parts(self) -> Iterator[Part]:
        """What is left, oldest first."""


Rank = int | tuple[Decimal, int]

_RANKS: dict[Method, Callable[[Part], Rank]] = {
    Method.FIFO: lambda part: part.number,
    Method.LIFO: lambda part: -part.number,
    Method.HIFO: lambda part: (ranked(part.unit).copy_negate(), part.number),
}


class OrderedPool:
    """Lots in the order in which the method takes them: by age, by youth, or by unit cost."""

    __slots__ = ("_entries", "_rank", "_ties")

    def __init__(self, method: Method) -> None:
        self._rank = _RANKS[method]
        self._entries: list[tuple[Rank, int, Part]] = []
        self._ties = 0

    def put(self, part: Part) -> None:
        """Add a lot; parts of one lot that meet again stay apart and keep their order of arrival."""
        self._ties += 1
        heappush(self._entries, (self._rank(part), self._ties, part))

    def take(self, quantity: Decimal) -> tuple[list[Part], Decimal]:
        """Take up to `quantity`, whole lots first; a split lot keeps what its share leaves over."""
        entries = self._entries
        taken = []
        while quantity and entries:
            part = entries[0][2]
            if part.quantity > quantity:
                taken.append(split(part, quantity))
                return taken, ZERO
            heappop(entries)
            quantity = subtract(quantity, part.quantity)
            taken.append(part)
        return taken, quantity

    def parts(self) -> Iterator[Part]:
        """The lots that are left, oldest first."""
        yield from (
            entry[2] for entry in sorted(self._entries, key=lambda entry: (entry[2].number, entry[1]))
        )


def split(part: Part, quantity: Decimal) -> Part:
    """Take a piece off a lot; the lot keeps what the piece's share of the cost leaves over."""
    cost = share(part.unit, quantity)
    part.quantity = subtract(part.quantity, quantity)
    part.cost = subtract(part.cost, cost)
    return Part(part.acquired, part.number, quantity, cost, part.unit, part.match)


class AveragePool:
    """One quantity and one cost: every unit costs the same, and none has a date."""

    __slots__ = ("cost", "quantity")

    def __init__(self) -> None:
        self.quantity = ZERO
        self.cost = ZERO

    def put(self, part: Part) -> None:
        """Melt a part into the pool."""
        self.quantity = add(self.quantity, part.quantity)
        self.cost = add(self.cost, part.cost)

    def take(self, quantity: Decimal) -> tuple[list[Part], Decimal]:
        """Take up to `quantity` at the average; the last units take all the cost that is left."""
        if not self.quantity:
            return [], quantity
        if quantity >= self.quantity:
            part = _pooled(self.quantity, self.cost)
            missing = subtract(quantity, self.quantity)
            self.quantity = self.cost = ZERO
            return [part], missing
        part = _pooled(quantity, share(divide(self.cost, self.quantity), quantity))
        self.quantity = subtract(self.quantity, quantity)
        self.cost = subtract(self.cost, part.cost)
        return [part], ZERO

    def parts(self) -> Iterator[Part]:
        """The pool as one part, when anything is in it."""
        if self.quantity:
            yield _pooled(self.quantity, self.cost)


def _pooled(quantity: Decimal, cost: Decimal) -> Part:
    return Part(None, 0, quantity, cost, ZERO, Match.POOL)
