"""The same money put into something else: what it would be worth, day by day. Pure.

Each flow buys or sells at the close of its day, which is the price at which the flow itself is valued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext

from portfolio.returns import Brief, Day, Figure, measure_briefly
from portfolio.returns.records import WORKING, ZERO

BENCHMARKS = ("BTC", "ETH", "USD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What became of the same flows; where there is nothing to compare, `reason` says why."""

    name: str
    days: tuple[Day, ...] = ()
    returns: Brief | None = None
    ran_out_on: date | None = None
    """When more had been taken out than was there."""
    reason: str = ""

    @property
    def closing(self) -> Decimal | None:
        """What it would be worth at the end."""
        return self.days[-1].value if self.days else None

    @property
    def gain(self) -> Decimal | None:
        """Closing less opening less flows."""
        return self.returns.gain if self.returns else None


def compare(name: str, days: Sequence[Day], prices: Mapping[date, Decimal]) -> Benchmark:
    """The flows of `days` put into what cost `prices`; an opening value is put in at the first close."""
    if not days or days[0].value is None:
        return Benchmark(name=name, reason="There is no value to begin with.")
    first = days[0]
    holding = bool(first.value) and not first.flow
    made: list[Day] = []
    units = ZERO
    ran_out_on = None
    with localcontext(WORKING):
        for place, day in enumerate(days):
            price = prices.get(day.on)
            flow = (day.value or ZERO) if holding and place == 0 else day.flow
            if flow and not price:
                return Benchmark(name=name, reason=f"{name} has no price on {day.on}, when money moved.")
            if flow and price:
                units += flow / price
            if units < 0 and ran_out_on is None:
                ran_out_on = day.on
            made.append(replace(day, value=None if price is None else units * price))
    if made[-1].value is None:
        return Benchmark(name=name, reason=f"{name} has no price on {made[-1].on}.")
    returns = measure_briefly(made)
    if ran_out_on:
        reason = f"More had been taken out by {ran_out_on} than {name} would have given."
        returns = replace(returns, twr=Figure(value=None, reason=reason))
    return Benchmark(name=name, days=tuple(made), returns=returns, ran_out_on=ran_out_on)
