"""USDT counted as one dollar each, for users who want that: its price, and what it adds to sums kept at the market's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from portfolio.models import DailyHolding
from portfolio.rates import USD, Price
from portfolio.valuation.amounts import ZERO, usd

USDT = "USDT"
SOURCE = "counted as one dollar, as you chose"
ONE = Decimal(1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What par adds to the worth and the flow of a day, and how many holdings it gives a price."""

    value: Decimal = ZERO
    flow: Decimal = ZERO
    priced: int = 0

    def __add__(self, other: Added) -> Added:
        """Both together."""
        return Added(
            value=self.value + other.value, flow=self.flow + other.flow, priced=self.priced + other.priced
        )


NOTHING = Added()
AddedOn = Mapping[tuple[int, date], Added]


def price(now: datetime) -> Price:
    """One dollar."""
    return Price(asset=USDT, usd=ONE, source=SOURCE, route=(USDT, USD), at=now)


def of_holding(quantity: Decimal, value: Decimal | None, flow: Decimal = ZERO) -> Added:
    """What par adds to one holding of USDT that the market valued at `value`."""
    counted = usd(quantity, ONE)
    gets_a_price = bool(quantity) and value is None and counted is not None
    return Added(value=(counted or ZERO) - (value or ZERO), flow=flow, priced=int(gets_a_price))


def added(user: Any, first: date, last: date) -> AddedOn:
    """What par adds for each connection on each of these days: one query.

    No price of USDT comes or goes then, so what entered or left with it is no flow; what was exchanged for something
    unpriced stays one.
    """
    # From the day before, to know whether it had a price.
    rows = DailyHolding.objects.for_user(user).filter(
        asset=USDT, day__range=(max(first, date.min + DAY) - DAY, last)
    )
    fields = ("connection", "day", "quantity", "price_usd", "value_usd", "flow", "flow_usd")
    unpriced: set[int] = set()
    found = {}
    for pk, day, quantity, price_usd, value, flow, flow_usd in rows.order_by("day").values_list(*fields):
        bartered = ZERO
        if price_usd is not None and pk not in unpriced:
            bartered = (flow_usd or ZERO) - flow * price_usd
        if day >= first:
            found[pk, day] = of_holding(quantity, value, flow + bartered - (flow_usd or ZERO))
        (unpriced.add if price_usd is None else unpriced.discard)(pk)
    return found


def by_day(every: AddedOn) -> dict[date, Added]:
    """The same over all connections."""
    days: dict[date, Added] = {}
    for (_, day), one in every.items():
        days[day] = days.get(day, NOTHING) + one
    return days
