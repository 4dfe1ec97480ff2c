"""The days that returns are measured on: what all of it, one connection or one asset was worth, and what flowed.

It is the worth of what has a price: an asset that gets or loses its price comes or goes as a flow, and is named. Only
at the two ends a missing price is a missing value, and so is every day on which a connection has not been told.
What flowed is worth what its day's close says, as everywhere. Only in the time-weighted chain coins that came count at
the price of the day's start, because that is when they count as come: so no deposit moves it. What was not held
before starts at its close.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from exchanges.records import Kind, Role
from portfolio import valuation
from portfolio.looks import Look, Money
from portfolio.models import DailyFlow, DailyHolding, DailyWorth
from portfolio.performance.arrivals import Kept, early
from portfolio.returns import Day
from portfolio.valuation import Portfolio, par
from portfolio.valuation.amounts import ZERO, total, usd

DAY = timedelta(days=1)
Traded = Mapping[tuple[int, date], Decimal]
EXCHANGED = (Kind.TRADE, Kind.CONVERSION)
"""Seen from one asset, what it was exchanged for is money that came or went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The days of a look in its currency; `chained` are the same with what came valued at the start of its day.

    `left_out` names assets that were held without a price at some time.
    """

    days: tuple[Day, ...]
    chained: tuple[Day, ...]
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sum:
    value: Decimal = ZERO
    flow: Decimal = ZERO
    connections: set[int] = field(default_factory=set)


def series(look: Look, money: Money, whole: Portfolio | None = None) -> Series:
    """Every day from the opening on; where the look ends now, its last value is the headline's: `whole`, as `money` says."""
    kept = Kept()
    traded = _traded(look) if look.asset else {}
    sums = _of_asset(look, money, traded) if look.asset else _of_connections(look, kept)
    if money.at_par and not look.asset:
        _put_at_par(look, sums)
    unpriced = _unpriced(look, money)
    if look.today:
        portfolio = whole or valuation.portfolio_of(look.user, look.now, at_par=money.at_par)
        _end_now(look, portfolio, sums, unpriced)
    ends = unpriced.get(look.since, set()) | unpriced.get(look.until, set())
    known = _priced_somewhere(look, ends)
    holes = {day for day in (look.since, look.until) if unpriced.get(day, set()) & known}
    left_out = sorted({asset for assets in unpriced.values() for asset in assets})
    days = tuple(_days(look, money, sums, holes))
    chained = _chained(days, early(look, money, kept, traded))
    return Series(days=days, chained=chained, left_out=tuple(left_out))


def _chained(days: Sequence[Day], sooner: Mapping[date, Decimal]) -> tuple[Day, ...]:
    """The days with what came at its price of the day's start, where something was there to go on from."""
    if not days:
        return ()
    later = (replace(d, flow=d.flow + sooner.get(d.on, ZERO)) if b.value else d for b, d in pairwise(days))
    return (days[0], *later)


def _of_connections(look: Look, kept: Kept) -> dict[date, _Sum]:
    sums: dict[date, _Sum] = defaultdict(_Sum)
    rows = look.narrowed(DailyWorth.objects.for_user(look.user)).filter(day__range=(look.since, look.until))
    fields = ("connection", "day", "value_usd", "flow_usd", "came_before", "came_after", "assets")
    for pk, day, value, flow, *came in rows.values_list(*fields).iterator():
        of_day = sums[day]
        of_day.value, of_day.flow = of_day.value + value, of_day.flow + flow
        of_day.connections.add(pk)
        kept.note(pk, day, *came)
    return sums


def _of_asset(look: Look, money: Money, traded: Traded) -> dict[date, _Sum]:
    """Of one asset, what it was exchanged for is money that came or went, too."""
    sums: dict[date, _Sum] = defaultdict(_Sum)
    before: dict[int, tuple[Decimal, Decimal | None]] = {}
    fields = ("connection", "day", "quantity", "price_usd", "value_usd", "flow")
    for pk, day, quantity, price, value, flow in (
        look.holdings().order_by("day").values_list(*fields).iterator()
    ):
        if money.price(look.asset, price) != price:
            price = money.price(look.asset, price)
            value = usd(quantity, price)
        held, was = before.get(pk, (ZERO, ZERO))
        of_day = sums[day]
        of_day.value += value or ZERO
        if price is None:
            of_day.flow -= was or ZERO
        else:
            found = held if was is None else ZERO
            of_day.flow += (flow + traded.get((pk, day), ZERO) + found) * price
        before[pk] = (quantity, value)
    for n in range((look.until - look.since).days + 1):
        # A holding without a row on a day is nothing.
        sums[look.since + timedelta(days=n)].connections |= look.keys
    return sums


def _traded(look: Look) -> Traded:
    """What was exchanged of the asset that is looked at."""
    rows = look.narrowed(DailyFlow.objects.for_user(look.user)).filter(
        day__range=(look.since, look.until), kind__in=EXCHANGED, role=Role.PRINCIPAL
    )
    traded: dict[tuple[int, date], Decimal] = defaultdict(Decimal)
    for pk, day, amount in rows.values_list("connection", "day", "amount").iterator():
        traded[pk, day] += amount
    return traded


def _put_at_par(look: Look, sums: dict[date, _Sum]) -> None:
    """Let each USDT be a dollar: add what the market took from it, and let no price of it come or go."""
    for (pk, day), extra in par.added(look.user, look.since, look.until).items():
        if pk in look.keys:
            sums[day].value += extra.value
            sums[day].flow += extra.flow


def _unpriced(look: Look, money: Money) -> dict[date, set[str]]:
    """What was held without a price on each day; what never has one in the span is left out, and no hole."""
    missing = look.holdings().filter(value_usd__isnull=True).exclude(quantity=0)
    if money.at_par:
        missing = missing.exclude(asset=par.USDT)
    by_day: dict[date, set[str]] = defaultdict(set)
    for asset, day in missing.order_by().values_list("asset", "day").distinct():
        by_day[day].add(asset)
    return by_day


def _priced_somewhere(look: Look, assets: set[str]) -> set[str]:
    """Which of these have a price on some day of the span, so that their lack of one at an end tells in the figures."""
    if not assets:
        return set()
    priced = look.holdings().filter(asset__in=assets, value_usd__isnull=False).exclude(quantity=0)
    return set(priced.order_by().values_list("asset", flat=True).distinct())


def _end_now(look: Look, whole: Portfolio, sums: dict[date, _Sum], unpriced: dict[date, set[str]]) -> None:
    """Let the last value be the headline's, and its missing prices those that are missing now."""
    mine = [h for h in whole.holdings if h.connection.pk in look.keys and look.asset in ("", h.asset)]
    today = sums[look.until]
    today.value = total(h.value_usd for h in mine)
    today.connections |= look.keys
    unpriced[look.until] = {h.asset for h in mine if h.is_held and h.value_usd is None}


def _days(look: Look, money: Money, sums: dict[date, _Sum], holes: set[date]) -> list[Day]:
    begin = look.since
    if look.from_beginning:
        # The day before everything began is nothing, and says nothing.
        begin += timedelta(days=1)
    made = []
    rate = None
    for n in range((look.until - begin).days + 1):
        day = begin + timedelta(days=n)
        of_day = sums.get(day) or _Sum()
        rate = money.rate(day) or rate
        alive = {pk for pk, first in look.lives.items() if pk in look.keys and first <= day}
        known = day not in holes and not alive - of_day.connections and money.rate(day) is not None
        opening = n == 0 and not look.from_beginning
        flow = ZERO if opening else of_day.flow * (rate or ZERO)
        value = of_day.value * (money.rate(day) or ZERO) if known else None
        made.append(Day(on=day, value=value, flow=flow))
    return made


def parts(look: Look) -> dict[date, dict[tuple[int, str], Decimal]]:
    """What each connection and asset was worth on each day; they sum to the whole of that day."""
    by_day: dict[date, dict[tuple[int, str], Decimal]] = defaultdict(dict)
    rows = DailyHolding.objects.for_user(look.user).filter(day__range=(look.since, look.until))
    for pk, asset, day, value in rows.values_list("connection", "asset", "day", "value_usd"):
        by_day[day][pk, asset] = value or ZERO
    return by_day
