"""The one place where a quantity becomes dollars, and where digits are cut."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from portfolio.fields import PLACES

ZERO = Decimal(0)
SMALLEST = Decimal(1).scaleb(-PLACES)
BELIEVABLE = Decimal(10) ** 15
"""A single holding above this many dollars is a wrong figure, not wealth: it stays unpriced."""
SHARE_PLACES = Decimal("0.000001")


def usd(quantity: Decimal, price: Decimal | None) -> Decimal | None:
    """The value at a price: the exact product, cut to 18 places half to even where it has more; None if unpriced."""
    if price is None:
        return None
    value = quantity * price
    if abs(value) >= BELIEVABLE:
        return None
    return value.quantize(SMALLEST, rounding=ROUND_HALF_EVEN).normalize() + ZERO


def total(values: Iterable[Decimal | None]) -> Decimal:
    """The exact sum of those that are known."""
    return sum((value for value in values if value is not None), ZERO)


def share(part: int | Decimal, whole: int | Decimal) -> Decimal:
    """A part of a whole to six places; all of nothing is one."""
    if not whole:
        return Decimal(1)
    return (Decimal(part) / Decimal(whole)).quantize(SHARE_PLACES, rounding=ROUND_HALF_EVEN)
