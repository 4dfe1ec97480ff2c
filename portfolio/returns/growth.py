"""Time-weighted return and what is measured on its index: growth by growth, whatever money came or went.

A growth runs from one known value to the next: (value + out) / (value before + in). Money comes in at its
start and leaves at its end. Days without a value are bridged only when no money moved on or right after them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise

from portfolio.returns.records import ONE, WORKING, ZERO, Day, Refused

DAYS_IN_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """By which factor what was held grew from the end of `since` to the end of `until`.

    `since` is None before the first day; `held` is False when nothing was held, and the factor then one.
    """

    since: date | None
    until: date
    factor: Decimal
    held: bool

    @property
    def one_day(self) -> bool:
        """Whether this is the return of a single day."""
        return self.since is None or self.until - self.since == timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The deepest fall of the index: from its peak (None: before the first day), to its low, until it was made good."""

    depth: Decimal
    peak_on: date | None
    low_on: date | None
    recovered_on: date | None


def starts_with_holding(days: Sequence[Day], opening: Decimal | None) -> bool:
    """Whether the first day only says what was there already: a value, no flow, and no opening value given."""
    return opening is None and bool(days) and bool(days[0].value) and not days[0].flow


def growths(days: Sequence[Day], opening: Decimal | None = None) -> list[Growth]:
    """The factors between the known values, in order; raises `Refused` where a value that matters is missing.

    `opening` is the value before the first day. Without it nothing was there, unless the first day has
    a value and no flow: then that value is the opening, and the index is still one at its end.
    """
    _check(days, opening)
    with localcontext(WORKING):
        return list(_growths(days, opening))


def _check(days: Sequence[Day], opening: Decimal | None) -> None:
    if not days:
        raise Refused("There are no days.")
    if days[-1].value is None:
        raise Refused(f"The value on the last day, {days[-1].on}, is missing.")
    if opening is None and days[0].value is None:
        raise Refused(f"The value on the first day, {days[0].on}, is missing.")
    for before, day in pairwise(days):
        if before.value is None and day.flow:
            raise Refused(f"The value on {before.on} is missing, and money moved on {day.on}.")
    for day in days:
        if day.value is None and day.flow:
            raise Refused(f"The value on {day.on} is missing, and money moved on that day.")
        if day.value is not None and day.value < 0:
            raise Refused(f"The value on {day.on} is below zero, where a percentage means nothing.")


def _growths(days: Sequence[Day], opening: Decimal | None) -> Iterator[Growth]:
    since: date | None = None
    before = ZERO if opening is None else opening
    if starts_with_holding(days, opening):
        since, before = days[0].on, days[0].value or ZERO
        yield Growth(since=None, until=since, factor=ONE, held=False)
        days = days[1:]
    for day in days:
        if day.value is None:
            continue
        base, end = before + day.came_in, day.value + day.went_out
        if end and not base:
            raise Refused(f"On {day.on} there was value where nothing was before and no money came in.")
        yield Growth(since=since, until=day.on, factor=end / base if base else ONE, held=bool(base))
        since, before = day.on, day.value


def chain(steps: Sequence[Growth]) -> Decimal:
    """The time-weighted return of the whole span; raises `Refused` when nothing was ever held."""
    if not any(step.held for step in steps):
        raise Refused("Nothing was held from one value to the next.")
    index = ONE
    with localcontext(WORKING):
        for step in steps:
            index *= step.factor
        return index - ONE


def max_drawdown(steps: Sequence[Growth]) -> Drawdown:
    """The deepest fall of the index, which stands at one before the first day."""
    index = peak = ONE
    peak_on = fallen_from = low_on = recovered_on = None
    depth = lost_peak = ZERO
    with localcontext(WORKING):
        for step in steps:
            index *= step.factor
            if index >= peak:
                peak, peak_on = index, step.until
            if low_on and recovered_on is None and index >= lost_peak:
                recovered_on = step.until
            if index / peak - ONE < depth:
                depth = index / peak - ONE
                fallen_from, lost_peak, low_on, recovered_on = peak_on, peak, step.until, None
    return Drawdown(depth=depth, peak_on=fallen_from, low_on=low_on, recovered_on=recovered_on)


def volatility(steps: Sequence[Growth]) -> Decimal:
    """Standard deviation (n - 1) of the daily log returns, times the root of 365; days without holding are left out."""
    held = [step for step in steps if step.held]
    for step in held:
        if not step.one_day:
            raise Refused(f"Between {step.since} and {step.until} the daily values are missing.")
        if not step.factor:
            raise Refused(f"Everything was lost on {step.until}, which has no logarithm.")
    if len(held) < 2:
        raise Refused("At least two daily returns are needed.")
    with localcontext(WORKING):
        logs = [step.factor.ln() for step in held]
        mean = sum(logs, ZERO) / len(logs)
        variance = sum(((log - mean) ** 2 for log in logs), ZERO) / (len(logs) - 1)
        return (variance * DAYS_IN_YEAR).sqrt()
