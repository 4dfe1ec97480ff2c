"""Keeps the daily rows: quantity, value and flow of each asset and day, and their sum by day. Safe to run twice.

Work is proportional to the days and assets that changed. Only rows that differ are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Min, Q

from accounts.models import Connection
from portfolio import rates
from portfolio.models import Certainty, DailyHolding, DailyWorth, PriceHistory, ToldHolding
from portfolio.models.chunks import delete, upsert
from portfolio.rates import DayPrice, Repriced
from portfolio.valuation import evidence, flows, history, own, points
from portfolio.valuation.amounts import ZERO, usd
from portfolio.valuation.history import DayQuantity

HOLDING = ("quantity", "certainty", "price_usd", "value_usd", "flow", "flow_usd", "unexplained")
WORTH = ("value_usd", "flow_usd", "held", "priced", "uncertain")
Prices = Mapping[tuple[str, date], DayPrice]


def update(connection: Connection, *, since: date | None, now: datetime) -> None:
    """Tell the days from `since` on again (None: all of them), up to `now`, and note what it is worth at `now`."""
    today = now.date()
    start, tasks = evidence.gather(connection, since, today)
    told = {task.asset: (task, _told(task, now)) for task in tasks}
    begins = {asset: task.start for asset, (task, _) in told.items()}
    want_prices(begins)
    first_begin = min(begins.values(), default=today)
    known = rates.daily(told, first_begin, today)
    prices = own.over(connection.user_id, known, told, first_begin, today)
    rows = [_row(connection, asset, day, prices) for asset, (_, days) in told.items() for day in days]
    changed = _write(connection, rows, begins, whole=start is None)
    flows.keep(connection, tasks, whole=start is None, now=now)
    first = min([day for day in (start, changed) if day is not None], default=None)
    roll_up(connection, None if start is None else first, today)
    points.note(connection, now)


def close_day(now: datetime) -> None:
    """Settle yesterday's prices, and tell yesterday and today of every connection."""
    yesterday = now.date() - timedelta(days=1)
    wanted = PriceHistory.objects.values_list("asset", flat=True)
    reprice(rates.settle(wanted, yesterday, now.date(), now), now)
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
    """Value the holdings whose daily prices changed again, whoever holds them.

    Of today only what had no price: the rest of today is told at each sync and when the day closes.
    """
    spans: dict[int, tuple[date, date]] = {}
    for change in changes:
        for row in _revalued(change, now.date()):
            first, last = spans.get(row.connection_id, (row.day, row.day))
            spans[row.connection_id] = (min(first, row.day), max(last, row.day))
    for connection in Connection.objects.filter(pk__in=spans):
        roll_up(connection, *spans[connection.pk])


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


def _row(connection: Connection, asset: str, day: DayQuantity, prices: Prices) -> DailyHolding:
    known = prices.get((asset, day.day))
    price = known.usd if known else None
    return DailyHolding(
        connection=connection,
        asset=asset,
        day=day.day,
        quantity=day.quantity,
        certainty=day.certainty,
        price_usd=price,
        value_usd=usd(day.quantity, price),
        flow=day.flow,
        flow_usd=usd(day.flow, price),
        unexplained=day.unexplained,
    )


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


def _revalued(change: Repriced, today: date) -> Iterator[DailyHolding]:
    known = rates.daily([change.asset], change.first, change.last)
    said = {
        user: own.laid_over(theirs, known, change.first, change.last, today)
        for user, theirs in own.by_user(change.asset, change.first, change.last).items()
    }
    held = DailyHolding.objects.filter(asset=change.asset, day__range=(change.first, change.last))
    held = held.filter(Q(day__lt=today) | Q(price_usd__isnull=True)).select_related("connection")
    changed = []
    for row in held.iterator():
        price = said.get(row.connection.user_id, known).get((row.asset, row.day))
        if row.price_usd != (price.usd if price else None):
            row.price_usd = price.usd if price else None
            row.value_usd, row.flow_usd = usd(row.quantity, row.price_usd), usd(row.flow, row.price_usd)
            changed.append(row)
    upsert(DailyHolding.objects.all(), changed, unique=("connection", "asset", "day"), update=HOLDING)
    yield from changed


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
