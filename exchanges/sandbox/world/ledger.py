"""The truth of one account: rows in order of time, growing as time passes, and the balances that follow.

A row never changes once it exists; its status is a function of the moment at which somebody looks.
Knows no wire: what an exchange would answer is derived from here elsewhere.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum

EXACT = Context(prec=60)
Changes = tuple[tuple[str, Decimal], ...]
EMPTY: Mapping[str, str] = {}


class Status(StrEnum):
    """How far a row has come."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that happened. `changes` is what it does to the balances once it is completed, fees included."""

    stream: str
    id: str
    kind: str
    at: datetime
    asset: str
    amount: Decimal
    fee: Decimal = Decimal(0)
    changes: Changes = ()
    settles: datetime
    outcome: Status = Status.COMPLETED
    visible: datetime
    facts: Mapping[str, str] = field(default_factory=dict)

    def status(self, at: datetime) -> Status:
        """Pending for the first third of its way, then processing, then what became of it."""
        if at >= self.settles:
            return self.outcome
        return Status.PENDING if at < self.at + (self.settles - self.at) / 3 else Status.PROCESSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order on a market, with all its fills, past and to come."""

    id: str
    created: datetime
    base: str
    counter: str
    side: str
    price: Decimal
    amount: Decimal
    fills: tuple[Row, ...] = ()
    ends: datetime
    outcome: str = "Filled"
    take_profit: Decimal | None = None

    def remaining(self, at: datetime) -> Decimal:
        """How much is not traded yet."""
        return self.amount - sum((fill.amount for fill in self.fills if fill.at <= at), Decimal(0))

    def status(self, at: datetime) -> str:
        """Open until it ends."""
        return "Open" if at < self.ends else self.outcome

    def held(self, at: datetime) -> tuple[str, Decimal]:
        """What the order keeps from being used elsewhere."""
        if not self.created <= at < self.ends:
            return self.base, Decimal(0)
        left = self.remaining(at)
        return (self.counter, left * self.price) if self.side == "buy" else (self.base, left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one moment of a life brought; `at` never falls from step to step, rows may lie later than it."""

    at: datetime
    rows: tuple[Row, ...] = ()
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What is held of one asset; `available` leaves out what is on its way out or bound by orders."""

    total: Decimal
    available: Decimal


class Ledger:
    """All rows of one account. Thread-safe; grows by itself whenever it is looked at."""

    def __init__(self, life: Iterator[Step], now: Callable[[], datetime]) -> None:
        self.now = now
        self._life = life
        self._ahead: Step | None = None
        self._rows: list[tuple[datetime, int, Row]] = []
        self._orders: list[Order] = []
        self._count = 0
        self._lock = threading.RLock()

    def rows(self, *streams: str, at: datetime | None = None, since: datetime | None = None) -> list[Row]:
        """What may be listed at that moment, oldest first; of all streams when none is named; from `since` on."""
        moment = at or self.now()
        return [
            row
            for row in self._until(moment, since)
            if row.visible <= moment and (not streams or row.stream in streams)
        ]

    def orders(self, at: datetime | None = None) -> list[Order]:
        """All orders placed by then, oldest first."""
        moment = at or self.now()
        self._until(moment)
        return [order for order in self._orders if order.created <= moment]

    def balances(self, at: datetime | None = None) -> dict[str, Balance]:
        """What is held at that moment: the exact sum of all completed rows, asset by asset."""
        moment = at or self.now()
        total: defaultdict[str, Decimal] = defaultdict(Decimal)
        held: defaultdict[str, Decimal] = defaultdict(Decimal)
        for row in self._until(moment):
            on_its_way = moment < row.settles
            for asset, change in row.changes:
                if not on_its_way and row.outcome is Status.COMPLETED:
                    total[asset] = EXACT.add(total[asset], change)
                elif on_its_way and change < 0:
                    held[asset] = EXACT.subtract(held[asset], change)
        for order in self.orders(moment):
            asset, amount = order.held(moment)
            held[asset] = EXACT.add(held[asset], amount)
        return {
            asset: Balance(total=total[asset], available=EXACT.subtract(total[asset], held[asset]))
            for asset in sorted({*total, *held})
        }

    def put(self, row: Row) -> Row:
        """Add a row of one's own making."""
        with self._lock:
            self._count += 1
            insort(self._rows, (row.at, self._count, row), key=lambda entry: entry[:2])
        return row

    def place(self, order: Order) -> Order:
        """Add an order of one's own making, with its fills."""
        with self._lock:
            insort(self._orders, order, key=lambda one: one.created)
            for fill in order.fills:
                self.put(fill)
        return order

    def _until(self, moment: datetime, since: datetime | None = None) -> Sequence[Row]:
        with self._lock:
            self._grow(moment)
            start = bisect_left(self._rows, since, key=lambda entry: entry[0]) if since else 0
            end = bisect_right(self._rows, moment, key=lambda entry: entry[0])
            return [entry[2] for entry in self._rows[start:end]]

    def _grow(self, moment: datetime) -> None:
        while True:
            step = self._ahead or next(self._life, None)
            self._ahead = step
            if step is None or step.at > moment:
                return
            self._ahead = None
            for row in step.rows:
                self.put(row)
            for order in step.orders:
                self.place(order)
