"""All that the page of returns shows, put together once: the page, its exports and the JSON of a method read this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from portfolio import rates
from portfolio.looks import Look, Money
from portfolio.performance.benchmarks import BENCHMARKS, Benchmark, compare
from portfolio.performance.cards import CARDS, Card, card
from portfolio.performance.series import Series, series
from portfolio.rates import USD
from portfolio.returns import Day, Growth, Refused, Returns, growths, measure
from portfolio.returns.records import ONE, WORKING
from portfolio.valuation import Portfolio


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A look with its days, its figures and what else the money could have done."""

    look: Look
    money: Money
    series: Series
    steps: tuple[Growth, ...]
    """The growths of the chained days; none where they are refused."""
    returns: Returns
    benchmarks: tuple[Benchmark, ...]

    @property
    def gain(self) -> Decimal | None:
        """Closing less opening less flows."""
        return self.returns.gain

    def card(self, name: str) -> Card:
        """One figure explained."""
        return card(name, self.steps, self.returns)

    def cards(self) -> list[Card]:
        """All figures explained."""
        return [self.card(name) for name in CARDS]

    def index(self) -> dict[date, tuple[Decimal, Decimal]]:
        """On each day of a known value the index, one before the first day, and how far it is below its high."""
        return dict(self._index())

    def _index(self) -> Iterator[tuple[date, tuple[Decimal, Decimal]]]:
        index = peak = ONE
        for step in self.steps:
            with localcontext(WORKING):
                index *= step.factor
                peak = max(peak, index)
                fall = index / peak - ONE
            yield step.until, (index, fall)


def report(look: Look, money: Money, whole: Portfolio | None = None) -> Report:
    """Read and measure what is looked at; the queries do not grow with what there is."""
    days = series(look, money, whole)
    return Report(
        look=look,
        money=money,
        series=days,
        steps=_steps(days.chained),
        returns=measure(days.days, chained=days.chained),
        benchmarks=elsewhere(look, money, days),
    )


def compared(look: Look, money: Money, whole: Portfolio | None = None) -> tuple[Benchmark, ...]:
    """The benchmarks alone, for a line beside the worth: those of the report, to the last digit."""
    return elsewhere(look, money, series(look, money, whole))


def elsewhere(look: Look, money: Money, days: Series) -> tuple[Benchmark, ...]:
    """What the same flows would have become: two queries."""
    known = rates.closes(BENCHMARKS, look.since, look.until)
    now = rates.current(set(BENCHMARKS) - {USD}, look.now) if look.today else {}
    found = []
    for name in BENCHMARKS:
        prices = known[name]
        if name in now:
            prices[look.until] = now[name].usd
        found.append(compare(name, days.days, _in(money, prices)))
    return tuple(found)


def _steps(chained: Sequence[Day]) -> tuple[Growth, ...]:
    try:
        return tuple(growths(chained))
    except Refused:
        return ()


def _in(money: Money, prices: Mapping[date, Decimal]) -> dict[date, Decimal]:
    """Prices in USD in the currency of the look."""
    rated = {day: money.rate(day) for day in prices}
    return {day: price * rate for day, price in prices.items() if (rate := rated[day]) is not None}
