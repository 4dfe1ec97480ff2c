"""Values days again whose prices changed. Quantities stay as they are, so little of the ledger is read, mostly nothing.

What can change besides the rows of the asset itself is what others flowed on a day on which they were exchanged for it,
where it got its price or lost it: without a price it was no part of the worth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Max

from accounts.models import Connection
from portfolio import rates
from portfolio.models import DailyHolding, DailyWorth, Posting
from portfolio.models.chunks import upsert
from portfolio.rates import Repriced
from portfolio.valuation import rollup
from portfolio.valuation.amounts import ZERO, usd
from portfolio.valuation.history import Moved, midnight
from portfolio.valuation.postings import TOGETHER, Postings
from portfolio.valuation.priced import Prices, flow_usd

VALUED = ("price_usd", "value_usd", "flow_usd")
DAY = timedelta(days=1)
Wanted = Mapping[str, set[date]]


def reprice(changes: Iterable[Repriced], now: datetime) -> None:
    """Value the days on which prices changed again, for every connection that held such an asset.

    Of today alone only what had no price: the rest of today is told at each sync and when the day closes.
    """
    found: dict[int, list[Repriced]] = defaultdict(list)
    for change in changes:
        held = DailyHolding.objects.filter(asset=change.asset).order_by()
        if change.first < now.date():
            held = held.filter(day__range=(change.first - DAY, change.last + DAY))
        else:
            held = held.filter(day=now.date(), price_usd__isnull=True)
        for pk in held.values_list("connection", flat=True).distinct():
            found[pk].append(change)
    for connection in Connection.objects.filter(pk__in=found).order_by("pk"):
        changed = [day for change in found[connection.pk] for day in _revalued(connection, change, now)]
        last = DailyWorth.objects.of(connection).aggregate(day=Max("day"))["day"]
        if changed and last is not None:
            rollup.keep(connection, min(changed), min(max(changed) + DAY, last))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """What a kept row says of its day."""

    day: date
    opened: Decimal
    flow: Decimal
    bartered: tuple[Moved, ...]


def _revalued(connection: Connection, change: Repriced, now: datetime) -> list[date]:
    """The days of the rows that changed."""
    first, last = change.first, min(change.last + DAY, now.date())
    names = Posting.objects.assets_of(connection) | {change.asset}
    prices = Prices(connection, names, first - DAY, now.date())
    wanted: dict[str, set[date]] = defaultdict(set, {change.asset: set(rates.days(first, last))})
    for asset, day in _partners(connection, change, prices, now):
        wanted[asset].add(day)
    days = set().union(*wanted.values())
    rows = DailyHolding.objects.of(connection).filter(
        asset__in=wanted, day__range=(min(days) - DAY, max(days))
    )
    kept = {(row.asset, row.day): row for row in rows.iterator()}
    bartered = _bartered(connection, wanted, names, prices, now)
    changed = []
    for (asset, on), row in kept.items():
        if on in wanted[asset]:
            before = kept.get((asset, on - DAY))
            opened = before.quantity if before else ZERO
            told = _Day(day=on, opened=opened, flow=row.flow, bartered=bartered.get((asset, on), ()))
            if _value(row, told, prices):
                changed.append(row)
    forget, unique = rollup.forget_months(connection), ("connection", "asset", "day")
    upsert(DailyHolding.objects.all(), changed, unique=unique, update=VALUED, first=forget)
    return [row.day for row in changed]


def _value(row: DailyHolding, day: _Day, prices: Prices) -> bool:
    """Value a row anew; whether that changed it."""
    before = (row.price_usd, row.value_usd, row.flow_usd)
    row.price_usd = prices.of(row.asset, row.day)
    row.value_usd = usd(row.quantity, row.price_usd)
    row.flow_usd = flow_usd(row.asset, day, prices)
    return before != (row.price_usd, row.value_usd, row.flow_usd)


def _partners(
    connection: Connection, change: Repriced, prices: Prices, now: datetime
) -> Iterable[tuple[str, date]]:
    """What was exchanged for the asset on days on which it got its price or lost it."""
    rows = DailyHolding.objects.of(connection).filter(
        asset=change.asset, day__range=(change.first, change.last)
    )
    was = {day: price is not None for day, price in rows.values_list("day", "price_usd")}
    odd = {
        day
        for day in rates.days(change.first, min(change.last, now.date()))
        if was.get(day) is not (prices.of(change.asset, day) is not None)
    }
    if not odd:
        return ()
    span = (midnight(min(odd)) - TOGETHER, midnight(max(odd) + DAY) + TOGETHER)
    return {
        (asset, day) for asset, day in Postings(connection, now, *span).partners(change.asset) if day in odd
    }


def _bartered(
    connection: Connection, wanted: Wanted, names: Iterable[str], prices: Prices, now: datetime
) -> dict[tuple[str, date], tuple[Moved, ...]]:
    """What was exchanged for other assets on these days, as far as any asset is unpriced and it itself is not."""
    every = list(names)
    days = {day for some in wanted.values() for day in some}
    poor = {day for day in days if any(prices.of(name, day) is None for name in every)}
    asked = {
        asset: {day for day in some & poor if prices.of(asset, day) is not None}
        for asset, some in wanted.items()
    }
    found: dict[tuple[str, date], tuple[Moved, ...]] = {}
    for asset, some in asked.items():
        if some:
            span = (midnight(min(some)), midnight(max(some) + DAY))
            for moved in Postings(connection, now, *span).within(asset):
                if moved.at.date() in some and moved.against and not moved.flows:
                    key = (asset, moved.at.date())
                    found[key] = (*found.get(key, ()), moved)
    return found
