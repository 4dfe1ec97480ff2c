"""Money-weighted return: the one yearly rate at which all flows and the closing value meet.

The unknown is the daily discount factor v in sum(amount * v ** days) = 0. Floats only find where the sum
changes its sign; the root itself is polished in Decimal. More than one root is refused, not chosen from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from itertools import pairwise

from portfolio.returns.growth import DAYS_IN_YEAR
from portfolio.returns.records import ONE, WORKING, ZERO, Refused

# The log growth of the whole span is looked through closely where portfolios live, then in growing steps
# to a hundredfold a day: nearly all money may have come on the last day of a long span.
_NEAR = [step / 20 for step in range(-80, 81)]
_WIDER = 1.1
_STEEPEST_DAY = math.log(100)
_HALVINGS = 60
_POLISHINGS = 3
_LARGEST_RATE = Decimal("1e30")
_SPARSE = 4
_VANISHES = 40.0
"""exp(-40) is less than the last digit of a float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Money seen from the owner's purse: negative when put in, positive when taken out or standing at the end."""

    on: date
    amount: Decimal


def money_weighted(flows: Sequence[Flow]) -> Decimal:
    """The yearly rate (XIRR, years of 365 days) of dated flows in any order; raises `Refused` where none is sure."""
    sums: dict[date, Decimal] = {}
    with localcontext(WORKING):
        for flow in flows:
            sums[flow.on] = sums.get(flow.on, ZERO) + flow.amount
    moved = {on: amount for on, amount in sums.items() if amount}
    if not moved:
        raise Refused("No money moved.")
    if all(amount < 0 for amount in moved.values()):
        raise Refused("Nothing came back and nothing is left, so no rate fits.")
    if all(amount > 0 for amount in moved.values()):
        raise Refused("No money was put in, so no rate fits.")
    start = min(moved)
    return _yearly_rate({(on - start).days: amount for on, amount in moved.items()})


def _yearly_rate(amounts: dict[int, Decimal]) -> Decimal:
    span = max(amounts)
    brackets = _brackets(_Sums({days: float(amount) for days, amount in amounts.items()}), span)
    if not brackets:
        raise Refused("No yearly rate makes these flows meet.")
    if len(brackets) > 1:
        raise Refused(
            f"{len(brackets)} different yearly rates make these flows meet; none of them is the return."
        )
    with localcontext(WORKING):
        discount = _polish(amounts, Decimal(math.exp(-brackets[0] / span)))
        rate = discount**-DAYS_IN_YEAR - ONE
    if rate > _LARGEST_RATE:
        raise Refused("The span is too short for a yearly rate: it would have more than 30 digits.")
    return rate


def _brackets(sums: _Sums, span: int) -> list[float]:
    """Every log growth of the span at which the discounted sum is zero."""
    seen = [(growth, sums.discounted(growth / span)) for growth in _grid(span)]
    roots = [growth for growth, total in seen if total == 0]
    for (low, at_low), (high, at_high) in pairwise(seen):
        if at_low * at_high < 0:
            roots.append(_halve(sums, span, low, high))
    return roots


def _grid(span: int) -> list[float]:
    far = [_NEAR[-1]]
    while far[-1] < _STEEPEST_DAY * span:
        far.append(far[-1] * _WIDER)
    return [*(-growth for growth in reversed(far[1:])), *_NEAR, *far[1:]]


def _halve(sums: _Sums, span: int, low: float, high: float) -> float:
    rising = sums.discounted(low / span) < 0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (sums.discounted(middle / span) < 0) is rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2


class _Sums:
    """The discounted sum of amounts by day, of which only sign and zero matter, told as cheaply as is safe."""

    def __init__(self, amounts: dict[int, float]) -> None:
        self._days, self._amounts = tuple(amounts), tuple(amounts.values())
        self._last = max(amounts)
        # A figure for each day, unless most days have none: then the terms are cheaper one by one.
        dense = len(amounts) * _SPARSE >= self._last
        rising = tuple(amounts.get(day, 0.0) for day in range(self._last + 1)) if dense else ()
        self._from_end = {False: rising[::-1], True: rising}
        # Each step of Horner's rule errs by a rounding of at most the sum of all sizes.
        self._doubt = len(rising) * 4e-16 * math.fsum(map(abs, self._amounts))

    def discounted(self, daily: float) -> float:
        """The sum at a daily log rate, scaled so that its largest factor is one."""
        falling = self._from_end[daily < 0]
        if falling:
            total, factor = 0.0, math.exp(-abs(daily))
            # What comes after so many days is too small to change the sign of what is beyond doubt.
            for amount in falling[-math.ceil(_VANISHES / abs(daily)) :] if daily else falling:
                total = total * factor + amount
            if abs(total) > self._doubt:
                return total
        return self._exactly(daily)

    def _exactly(self, daily: float) -> float:
        shift = max(0.0, -daily * self._last)
        return math.fsum(
            amount * math.exp(-daily * days - shift)
            for days, amount in zip(self._days, self._amounts, strict=True)
        )


def _polish(amounts: dict[int, Decimal], discount: Decimal) -> Decimal:
    """Newton's steps from a root good to some 15 digits to one good to 40."""
    for _ in range(_POLISHINGS):
        total = slope = ZERO
        before, factor = 0, ONE
        for days, amount in sorted(amounts.items()):
            factor *= discount ** (days - before)
            term, before = amount * factor, days
            total += term
            slope += days * term
        if not slope:
            break
        discount -= discount * total / slope
    return discount


def modified_dietz(opening: Decimal, closing: Decimal, flows: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Gain over the average capital; each flow comes with the share of the period for which it worked."""
    with localcontext(WORKING):
        gain = closing - opening - sum((amount for amount, _ in flows), ZERO)
        capital = opening + sum((amount * worked for amount, worked in flows), ZERO)
        if capital <= 0:
            raise Refused("On average no money was at work.")
        return gain / capital


def yearly(total: Decimal, days: int) -> Decimal:
    """The yearly rate that gives `total` after `days`; only for spans above one year, where it is no dream."""
    if days <= DAYS_IN_YEAR:
        raise Refused(f"The span of {days} days is not above one year.")
    with localcontext(WORKING):
        return (total + ONE) ** (Decimal(DAYS_IN_YEAR) / days) - ONE
