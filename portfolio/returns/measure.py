"""All figures of one span together: each a number rounded once, or the reason why it is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, localcontext

from portfolio.returns.growth import (
    Drawdown,
    Growth,
    chain,
    growths,
    max_drawdown,
    starts_with_holding,
    volatility,
)
from portfolio.returns.money import Flow, money_weighted, yearly
from portfolio.returns.records import ONE, WORKING, ZERO, Day, DayReturn, Figure, Refused, rounded

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a comparison needs: the money of a span, and its two rates."""

    opening: Decimal | None
    """None where the span begins with a value that is missing."""
    closing: Decimal | None
    money_in: Decimal
    money_out: Decimal
    days: int
    twr: Figure
    xirr: Figure

    @property
    def gain(self) -> Decimal | None:
        """Closing less opening less flows."""
        if self.opening is None or self.closing is None:
            return None
        return self.closing - self.opening - self.money_in + self.money_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns(Brief):
    """The figures of a span with what they were made of, so that a page can show the sum."""

    twr_yearly: Figure
    simple: Figure
    max_drawdown: Figure
    volatility: Figure
    drawdown: Drawdown | None
    best_day: DayReturn | None
    worst_day: DayReturn | None


def measure(
    days: Sequence[Day], opening: Decimal | None = None, *, chained: Sequence[Day] | None = None
) -> Returns:
    """Everything that can be said about days with rising dates; `opening` is the value before the first of them.

    What is time-weighted is measured on `chained`, where that is given: the same days with flows valued otherwise.
    """
    span = _Span(days, opening)
    steps = (span if chained is None else _Span(chained, opening)).steps()
    twr = _figure(lambda: chain(steps()))
    drawdown = _drawdown(steps, twr)
    best, worst = _extremes(steps) if twr.value is not None else (None, None)
    return Returns(
        opening=None if span.begins_missing else span.opening,
        closing=span.closing,
        money_in=span.money_in,
        money_out=span.money_out,
        days=span.length,
        twr=twr,
        twr_yearly=_figure(lambda: yearly(chain(steps()), span.length)),
        xirr=_figure(lambda: money_weighted(span.flows())),
        simple=_figure(span.simple),
        max_drawdown=Figure(value=rounded(drawdown.depth))
        if drawdown
        else Figure(value=None, reason=twr.reason),
        volatility=_figure(lambda: volatility(steps())),
        drawdown=drawdown,
        best_day=best,
        worst_day=worst,
    )


def measure_briefly(days: Sequence[Day]) -> Brief:
    """The money of a span and its two rates, as in `measure`."""
    span = _Span(days, None)
    steps = span.steps()
    return Brief(
        opening=None if span.begins_missing else span.opening,
        closing=span.closing,
        money_in=span.money_in,
        money_out=span.money_out,
        days=span.length,
        twr=_figure(lambda: chain(steps())),
        xirr=_figure(lambda: money_weighted(span.flows())),
    )


class _Span:
    """The span's own sums: what was there, what came, what went, what is left."""

    def __init__(self, days: Sequence[Day], opening: Decimal | None) -> None:
        self._days = days
        self._given = opening
        self._holding = starts_with_holding(days, opening)
        self.opening = ((days[0].value if self._holding else opening) if days else opening) or ZERO
        self.closing = days[-1].value if days else None
        self.begins_missing = opening is None and bool(days) and days[0].value is None and not days[0].flow
        with localcontext(WORKING):
            self.money_in = sum((day.came_in for day in days), ZERO)
            self.money_out = sum((day.went_out for day in days), ZERO)
        self.length = ((days[-1].on - days[0].on).days + (0 if self._holding else 1)) if days else 0

    def steps(self) -> Callable[[], list[Growth]]:
        """The growths, made once; asking again after a refusal refuses again for the same reason."""
        try:
            made = growths(self._days, self._given)
        except Refused as error:
            reason = str(error)

            def refuse() -> list[Growth]:
                raise Refused(reason)

            return refuse
        return lambda: made

    def simple(self) -> Decimal:
        """A day's formula on the whole span: (closing + out) / (opening + in) - 1."""
        closing = self._known_closing()
        with localcontext(WORKING):
            base = self.opening + self.money_in
            if base <= 0:
                raise Refused("No money came in, so there is nothing to measure against.")
            return (closing + self.money_out) / base - ONE

    def flows(self) -> list[Flow]:
        """Each flow on its date; a value at the end of a day stands on the day after."""
        closing = self._known_closing()
        first, last = self._days[0].on, self._days[-1].on
        opened = first + _ONE_DAY if self._holding else first
        return [
            Flow(on=opened, amount=self.opening.copy_negate()),
            *(Flow(on=day.on, amount=day.flow.copy_negate()) for day in self._days),
            Flow(on=last + _ONE_DAY, amount=closing),
        ]

    def _known_closing(self) -> Decimal:
        if not self._days:
            raise Refused("There are no days.")
        if self.closing is None:
            raise Refused(f"The value on the last day, {self._days[-1].on}, is missing.")
        if self.begins_missing:
            raise Refused(f"The value on the first day, {self._days[0].on}, is missing.")
        return self.closing


def _figure(make: Callable[[], Decimal]) -> Figure:
    try:
        return Figure(value=rounded(make()))
    except Refused as error:
        return Figure(value=None, reason=str(error))


def _drawdown(steps: Callable[[], list[Growth]], twr: Figure) -> Drawdown | None:
    return max_drawdown(steps()) if twr.value is not None else None


def _extremes(steps: Callable[[], list[Growth]]) -> tuple[DayReturn | None, DayReturn | None]:
    """The best and the worst single day, the earlier one of equals."""
    single = [step for step in steps() if step.held and step.one_day]
    if not single:
        return None, None
    best = max(single, key=lambda step: step.factor)
    worst = min(single, key=lambda step: step.factor)
    return _day_return(best), _day_return(worst)


def _day_return(step: Growth) -> DayReturn:
    with localcontext(WORKING):
        return DayReturn(on=step.until, value=rounded(step.factor - ONE))
