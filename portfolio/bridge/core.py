"""Adds up a change: opening + bars = closing, to the last digit. Pure: knows no store, no clock, no user.

A holding goes from one day to the next like this, and everything else follows from it:

    value after − value before = quantity before × (price after − price before) + amounts moved × price after

Every bar is computed for itself from quantities and prices. What is then missing is put into "unexplained", except
for the rounding of the two values to 18 places, which goes to "prices".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from exchanges.records import Kind, Role

ZERO = Decimal(0)
ONE = Decimal(1)
ROUNDING = Decimal("1e-17")
"""Two values, each cut to 18 places, cannot be further from the exact sum than this."""


class Bar(StrEnum):
    """The parts of a change, in the order in which they are shown."""

    LATE = "late rows and corrections"
    ADDED = "connections added"
    DEPOSITS = "deposits"
    WITHDRAWALS = "withdrawals"
    TRANSFERS = "transfers"
    OWN = "own transfers"
    PRICES = "prices"
    SPREAD = "trades' spread"
    FEES = "fees"
    INCOME = "income"
    OTHER = "adjustments and other rows"
    FX = "exchange rate of the display currency"
    PRICED = "prices found or lost"
    UNEXPLAINED = "unexplained"


_BARS: Mapping[Kind, Bar] = {
    Kind.DEPOSIT: Bar.DEPOSITS,
    Kind.ISSUE: Bar.DEPOSITS,
    Kind.WITHDRAWAL: Bar.WITHDRAWALS,
    Kind.REDEEM: Bar.WITHDRAWALS,
    Kind.TRANSFER_IN: Bar.TRANSFERS,
    Kind.TRANSFER_OUT: Bar.TRANSFERS,
    Kind.TRADE: Bar.SPREAD,
    Kind.CONVERSION: Bar.SPREAD,
    Kind.INCOME: Bar.INCOME,
    Kind.FEE: Bar.FEES,
    Kind.ADJUSTMENT: Bar.OTHER,
    Kind.OTHER: Bar.OTHER,
}
KINDS_OF: Mapping[Bar, tuple[Kind, ...]] = {
    bar: tuple(kind for kind, its in _BARS.items() if its is bar) for bar in Bar
}
"""Which rows of the ledger stand behind a bar."""


def bar_of(kind: str, role: str) -> Bar:
    """Where an amount of the ledger belongs; a fee is a fee, whatever it was paid for."""
    return Bar.FEES if role == Role.FEE else _BARS.get(Kind(kind), Bar.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One asset of one connection at the end of a day; no value means unpriced. `rate` is the currency's, per USD."""

    day: date
    quantity: Decimal = ZERO
    price: Decimal | None = None
    value: Decimal | None = ZERO
    rate: Decimal = ONE
    bartered: Decimal = ZERO
    """What of its trades of the day was for something unpriced, in USD: it left (-) or entered (+) what has a price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next day on which there is something to say, and what moved on it, by bar, in the asset."""

    after: Cell
    moved: Mapping[Bar, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The change of one asset at one connection."""

    connection: int
    asset: str
    opening: Decimal
    closing: Decimal
    bars: Mapping[Bar, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The change of many together."""

    opening: Decimal
    closing: Decimal
    bars: Mapping[Bar, Decimal]

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> Total:
        """The exact sum of the parts, bar by bar."""
        opening = closing = ZERO
        bars: dict[Bar, Decimal] = dict.fromkeys(Bar, ZERO)
        for one in statements:
            opening, closing = opening + one.opening, closing + one.closing
            for bar, amount in one.bars.items():
                bars[bar] += amount
        return cls(opening=opening, closing=closing, bars=bars)

    @property
    def change(self) -> Decimal:
        """Closing less opening, which is the sum of all bars."""
        return self.closing - self.opening


def statement(
    connection: int, asset: str, opening: Cell, steps: Iterable[Step], *, told: Decimal | None = None
) -> Statement:
    """The change from `opening` over all steps; `told` is what the opening was said to be when its day closed."""
    bars: dict[Bar, Decimal] = defaultdict(Decimal)
    start = (opening.value or ZERO) * opening.rate
    if told is not None:
        bars[Bar.LATE] += start - told * opening.rate
        start = told * opening.rate
    before = opening
    for step in steps:
        _walk(before, step, bars)
        before = step.after
    closing = (before.value or ZERO) * before.rate
    return Statement(
        connection=connection,
        asset=asset,
        opening=start,
        closing=closing,
        bars={bar: amount for bar, amount in bars.items() if amount},
    )


def _walk(before: Cell, step: Step, bars: dict[Bar, Decimal]) -> None:
    """One step in USD, then in the display currency at the rate of its day."""
    after = step.after
    had, has = before.value or ZERO, after.value or ZERO
    parts: dict[Bar, Decimal] = defaultdict(Decimal)
    if after.price is None or after.value is None:
        parts[Bar.PRICED] -= had
    else:
        if before.value is None:
            parts[Bar.PRICED] += before.quantity * after.price
        elif before.price is not None:
            parts[Bar.PRICES] += before.quantity * (after.price - before.price)
        for bar, amount in step.moved.items():
            parts[bar] += amount * after.price
        if abs(after.bartered) > ROUNDING:
            parts[Bar.SPREAD] -= after.bartered
            parts[Bar.PRICED] += after.bartered
    rest = has - had - sum(parts.values(), ZERO)
    parts[Bar.PRICES if abs(rest) <= ROUNDING else Bar.UNEXPLAINED] += rest
    for bar, amount in parts.items():
        bars[bar] += amount * after.rate
    bars[Bar.FX] += had * (after.rate - before.rate)
