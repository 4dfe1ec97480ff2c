"""Keeps the daily rows: quantity, value and flow of each asset and day, and their sum by day. Safe to run twice.

Work is proportional to the days and assets that changed. Only rows that differ are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Min, Q

from accounts.models import Connection
from portfolio import rates
from portfolio.models import Certainty, DailyHolding, DailyWorth, PriceHistory, ToldHolding
from portfolio.models.chunks import delete, upsert
from portfolio.rates import Repriced
from portfolio.valuation import evidence, flows, history, own, points
from portfolio.valuation.amounts import ZERO, usd
from portfolio.valuation.history import DayQuantity

HOLDING = ("quantity", "certainty", "price_usd", "value_usd", "flow", "flow_usd", "unexplained")
WORTH = ("value_usd", "flow_usd", "held", "priced", "uncertain")
DAY = timedelta(days=1)


def update(connection: Connection, *, since: date | None, now: datetime) -> None:
    """Tell the days from `since` on again (None: all of them), up to `now`, and note what it is worth at `now`."""
    _tell(connection, since, now)
    points.note(connection, now)


def close_day(now: datetime) -> None:
    """Settle yesterday's prices, and tell yesterday and today of every connection."""
    yesterday = now.date() - timedelta(days=1)
    rates.settle(PriceHistory.objects.values_list("asset", flat=True), yesterday, now.date(), now)
    for connection in Connection.objects.order_by("pk").iterator():
        update(connection, since=yesterday, now=now)
        tell(connection, yesterday)


def tell(connection: Connection, day: date) -> None:
    """Remember what was said when the day closed; written once."""
    if ToldHolding.objects.of(connection).filter(day=day).exists():
        return
    held = DailyHolding.objects.of(connection).filter(day=day).exclude(quantity=0)
    said = [
        ToldHolding(connection=connection, asset=asset, day=day, value_usd=value)
        for asset, value in held.values_list("asset", "value_usd")
    ]
    ToldHolding.objects.bulk_create(said, ignore_conflicts=True)


def reprice(changes: Iterable[Repriced], now: datetime) -> None:
    """Tell the days on which prices changed again, to every connection that held such an asset.

    Of today only what had no price: the rest of today is told at each sync and when the day closes.
    """
    first: dict[int, date] = {}
    for change in changes:
        held = DailyHolding.objects.filter(asset=change.asset, day__range=(change.first, change.last))
        held = held.filter(Q(day__lt=now.date()) | Q(price_usd__isnull=True))
        for pk, day in held.order_by().values_list("connection").annotate(day=Min("day")):
            first[pk] = min(day, first.get(pk, day))
    for connection in Connection.objects.filter(pk__in=first).order_by("pk"):
        _tell(connection, first[connection.pk], now)


def _tell(connection: Connection, since: date | None, now: datetime) -> None:
    today = now.date()
    start, tasks = evidence.gather(connection, since, today)
    told = {task.asset: _told(task, now) for task in tasks}
    begins = {task.asset: task.start for task in tasks}
    want_prices(begins)
    _settle_today(begins, now)
    # From the day before, whose prices tell what enters or leaves the priced part.
    prices = _Prices(connection.user_id, told, min(begins.values(), default=today) - DAY, today)
    rows = [_row(connection, asset, day, prices) for asset, days in told.items() for day in days]
    changed = _write(connection, rows, begins, whole=start is None)
    flows.keep(connection, tasks, whole=start is None, now=now)
    first = min([day for day in (start, changed) if day is not None], default=None)
    roll_up(connection, None if start is None else first, today)


def want_prices(begins: Mapping[str, date]) -> None:
    """Queue the days for which prices are wanted; written only where that is news."""
    known = dict(PriceHistory.objects.filter(asset__in=list(begins)).values_list("asset", "wanted_since"))
    news = [
        PriceHistory(asset=asset, wanted_since=day)
        for asset, day in begins.items()
        if asset != rates.USD and (asset not in known or day < known[asset])
    ]
    upsert(PriceHistory.objects.all(), news, unique=("asset",), update=("wanted_since",))


def roll_up(connection: Connection, first: date | None, last: date) -> None:
    """Sum the holdings of each day; days without any, within the connection's life, are worth nothing."""
    holdings = DailyHolding.objects.of(connection)
    begin = holdings.aggregate(day=Min("day"))["day"]
    if begin is None:
        DailyWorth.objects.of(connection).delete()
        return
    start = begin if first is None else max(first, begin)
    sums = {day: _Sum() for day in rates.days(start, last)}
    fields = ("day", "quantity", "value_usd", "flow_usd", "certainty")
    for day, *rest in holdings.filter(day__range=(start, last)).values_list(*fields).iterator():
        sums[day].add(*rest)
    rows = [_worth(connection, day, of_day) for day, of_day in sums.items()]
    there = {row.day: row for row in DailyWorth.objects.of(connection).filter(day__range=(start, last))}
    changed = [row for row in rows if row.day not in there or _differs(row, there[row.day], WORTH)]
    upsert(DailyWorth.objects.all(), changed, unique=("connection", "day"), update=WORTH)
    DailyWorth.objects.of(connection).filter(Q(day__lt=begin)).delete()


class _Sum:
    """What the holdings of one day come to."""

    def __init__(self) -> None:
        self.value = self.flow = ZERO
        self.held = self.priced = self.uncertain = 0

    def add(self, quantity: Decimal, value: Decimal | None, flow: Decimal | None, certainty: str) -> None:
        self.value += value or ZERO
        self.flow += flow or ZERO
        if quantity:
            self.held += 1
            self.priced += value is not None
            self.uncertain += certainty == Certainty.UNCERTAIN


def _told(task: evidence.Task, now: datetime) -> list[DayQuantity]:
    """The days on which there is something to say."""
    days = history.days(task.known, task.start, now, fresh=task.fresh)
    return [day for day in days if day.quantity or day.unexplained or day.moved]


def _settle_today(assets: Iterable[str], now: datetime) -> None:
    """Just after midnight nobody may have derived the prices of the new day yet."""
    today = now.date()
    known = rates.daily(assets, today, today)
    rates.settle([asset for asset in assets if (asset, today) not in known], today, today, now)


class _Prices:
    """The daily prices, as a user knows them, of some assets and of those they were exchanged for."""

    def __init__(self, user: int, told: Mapping[str, list[DayQuantity]], start: date, end: date) -> None:
        names = {other for days in told.values() for day in days for m in day.bartered for other in m.against}
        names |= told.keys()
        self._known = own.over(user, rates.daily(names, start, end), names, start, end)

    def of(self, asset: str, day: date) -> Decimal | None:
        known = self._known.get((asset, day))
        return known.usd if known else None


def _row(connection: Connection, asset: str, day: DayQuantity, prices: _Prices) -> DailyHolding:
    price = prices.of(asset, day.day)
    return DailyHolding(
        connection=connection,
        asset=asset,
        day=day.day,
        quantity=day.quantity,
        certainty=day.certainty,
        price_usd=price,
        value_usd=usd(day.quantity, price),
        flow=day.flow,
        flow_usd=_flow_usd(asset, day, price, prices),
        unexplained=day.unexplained,
    )


def _flow_usd(asset: str, day: DayQuantity, price: Decimal | None, prices: _Prices) -> Decimal | None:
    """What entered (+) or left (-) the priced part of the portfolio on this day.

    Besides what came from outside: what was exchanged for something unpriced, and all of an asset on the day from
    which, or until which, it has a price. Otherwise a price that appears would look like a gain.
    """
    before = prices.of(asset, day.day - DAY)
    if price is None:
        left = usd(day.opened, before) if day.opened else None
        return None if left is None else -left
    bartered = sum(
        (m.amount for m in day.bartered if any(prices.of(other, day.day) is None for other in m.against)),
        ZERO,
    )
    entered = day.opened if before is None else ZERO
    return usd(day.flow + bartered + entered, price)


def _write(
    connection: Connection, rows: list[DailyHolding], begins: Mapping[str, date], *, whole: bool
) -> date | None:
    """Make the stored rows of these assets, from where each begins, equal to `rows`; the first day that changed.

    `whole`: assets that are not named have no rows at all; an asset told from its beginning has none before it.
    """
    there = DailyHolding.objects.of(connection)
    if not whole:
        there = there.filter(asset__in=list(begins), day__gte=min(begins.values(), default=date.max))
    old = {(row.asset, row.day): row for row in there.iterator()}
    new = {(row.asset, row.day): row for row in rows}
    changed = [row for key, row in new.items() if key not in old or _differs(row, old[key], HOLDING)]
    gone = [
        row
        for key, row in old.items()
        if key not in new and (whole or row.day >= begins.get(row.asset, date.max))
    ]
    upsert(DailyHolding.objects.all(), changed, unique=("connection", "asset", "day"), update=HOLDING)
    delete(DailyHolding.objects.all(), [row.pk for row in gone])
    return min((row.day for row in [*changed, *gone]), default=None)


def _worth(connection: Connection, day: date, of_day: _Sum) -> DailyWorth:
    return DailyWorth(
        connection=connection,
        day=day,
        value_usd=of_day.value,
        flow_usd=of_day.flow,
        held=of_day.held,
        priced=of_day.priced,
        uncertain=of_day.uncertain,
    )


def _differs(new: Any, old: Any, fields: Iterable[str]) -> bool:
    return any(getattr(new, name) != getattr(old, name) for name in fields)
