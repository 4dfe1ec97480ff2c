"""All that the page of returns shows, put together once: the page, its exports and the JSON of a method read this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext

from portfolio import rates
from portfolio.looks import Look, Money
from portfolio.performance.benchmarks import BENCHMARKS, Benchmark, compare
from portfolio.performance.cards import CARDS, Card, card
from portfolio.performance.series import Series, series
from portfolio.rates import USD
from portfolio.returns import Refused, Returns, growths, measure
from portfolio.returns.records import ONE, WORKING
from portfolio.valuation import Portfolio


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A look with its days, its figures and what else the money could have done."""

    look: Look
    money: Money
    series: Series
    returns: Returns
    benchmarks: tuple[Benchmark, ...]

    @property
    def gain(self) -> Decimal | None:
        """Closing less opening less flows."""
        if self.returns.closing is None:
            return None
        return self.returns.closing - self.returns.opening - self.returns.money_in + self.returns.money_out

    def card(self, name: str) -> Card:
        """One figure explained."""
        return card(name, self.series.chained, self.returns)

    def cards(self) -> list[Card]:
        """All figures explained."""
        return [self.card(name) for name in CARDS]

    def index(self) -> dict[date, tuple[Decimal, Decimal]]:
        """On each day of a known value the index, one before the first day, and how far it is below its high."""
        return dict(self._index())

    def _index(self) -> Iterator[tuple[date, tuple[Decimal, Decimal]]]:
        try:
            steps = growths(self.series.chained)
        except Refused:
            return
        index = peak = ONE
        for step in steps:
            with localcontext(WORKING):
                index *= step.factor
                peak = max(peak, index)
                fall = index / peak - ONE
            yield step.until, (index, fall)


def report(look: Look, money: Money, whole: Portfolio | None = None) -> Report:
    """Read and measure what is looked at; the queries do not grow with what there is."""
    days = series(look, money, whole)
    known = rates.daily(BENCHMARKS, look.since, look.until)
    now = rates.current(set(BENCHMARKS) - {USD}, look.now) if look.today else {}
    found = []
    for name in BENCHMARKS:
        prices = {day: price.usd for (asset, day), price in known.items() if asset == name}
        if name in now:
            prices[look.until] = now[name].usd
        found.append(compare(name, days.days, _in(money, prices)))
    return Report(look=look, money=money, series=days, returns=_measured(days), benchmarks=tuple(found))


def _in(money: Money, prices: Mapping[date, Decimal]) -> dict[date, Decimal]:
    """Prices in USD in the currency of the look."""
    rated = {day: money.rate(day) for day in prices}
    return {day: price * rate for day, price in prices.items() if (rate := rated[day]) is not None}


def _measured(days: Series) -> Returns:
    """What is measured on the chain, and what on money as it is valued everywhere."""
    chained = measure(days.chained)
    return replace(
        measure(days.days),
        twr=chained.twr,
        twr_yearly=chained.twr_yearly,
        max_drawdown=chained.max_drawdown,
        volatility=chained.volatility,
        drawdown=chained.drawdown,
        best_day=chained.best_day,
        worst_day=chained.worst_day,
    )
