"""Keeps the daily rows: quantity, value and flow of each asset and day, and their sum by day. Safe to run twice.

Work is proportional to the days and assets that changed. Only rows that differ are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max, Min, Q

from accounts.models import Connection
from portfolio import rates
from portfolio.models import DailyHolding, DailyWorth, PriceHistory, ToldHolding, WorthPoint
from portfolio.models.chunks import remove, upsert
from portfolio.rates import Repriced
from portfolio.valuation import evidence, flows, history, own, points, rollup
from portfolio.valuation.amounts import ZERO, usd
from portfolio.valuation.history import DayQuantity

HOLDING = ("quantity", "certainty", "price_usd", "value_usd", "flow", "flow_usd", "unexplained")
DAY = timedelta(days=1)


def update(connection: Connection, *, since: date | None, now: datetime) -> None:
    """Tell the days from `since` on again (None: all of them), up to `now`, and note what it is worth at `now`."""
    _tell(connection, since, now)
    points.note(connection, now)


def derive(connection: Connection, now: datetime) -> None:
    """Tell all days up to `now` from what is known; no price is asked for or settled, and no moment is noted."""
    start, tasks = evidence.gather(connection, None, now.date())
    _keep(connection, start, tasks, now)


def told_until(connection: Connection) -> date | None:
    """The last day that was told; its prices still move."""
    days = [
        rows.of(connection).aggregate(day=Max("day"))["day"]
        for rows in (DailyWorth.objects, DailyHolding.objects)
    ]
    moment = WorthPoint.objects.of(connection).aggregate(at=Max("at"))["at"]
    return max([day for day in (*days, moment and moment.date()) if day is not None], default=None)


def is_told(connection: Connection, now: datetime) -> bool:
    """Whether the day of `now` was told and nothing about it is doubtful: then only prices can change it.

    New prices come to it by themselves (`reprice`, `points.mark`), and once an hour (`close_day`).
    """
    return DailyWorth.objects.of(connection).filter(day=now.date(), uncertain=0).exists()


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
    start, tasks = evidence.gather(connection, since, now.date())
    begins = {task.asset: task.start for task in tasks}
    want_prices(begins)
    _settle_today(begins, now)
    _keep(connection, start, tasks, now)


def _keep(connection: Connection, start: date | None, tasks: Sequence[evidence.Task], now: datetime) -> None:
    today = now.date()
    told = {task.asset: _told(task, now) for task in tasks}
    begins = {task.asset: task.start for task in tasks}
    # From the day before, whose prices tell what enters or leaves the priced part.
    prices = _Prices(connection.user_id, told, min(begins.values(), default=today) - DAY, today)
    rows = [_row(connection, asset, day, prices) for asset, days in told.items() for day in days]
    changed = _write(connection, rows, begins, whole=start is None)
    flows.keep(connection, tasks, whole=start is None, now=now)
    first = min([day for day in (start, changed) if day is not None], default=None)
    rollup.keep(connection, None if start is None else first, today)


def want_prices(begins: Mapping[str, date]) -> None:
    """Queue the days for which prices are wanted; written only where that is news."""
    known = dict(PriceHistory.objects.filter(asset__in=list(begins)).values_list("asset", "wanted_since"))
    news = [
        PriceHistory(asset=asset, wanted_since=day)
        for asset, day in begins.items()
        if asset != rates.USD and (asset not in known or day < known[asset])
    ]
    upsert(PriceHistory.objects.all(), news, unique=("asset",), update=("wanted_since",))


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
        self._known = own.closes(user, names, start, end)

    def of(self, asset: str, day: date) -> Decimal | None:
        return self._known.get((asset, day))


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
    forget, unique = rollup.forget_months(connection), ("connection", "asset", "day")
    upsert(DailyHolding.objects.all(), changed, unique=unique, update=HOLDING, first=forget)
    remove(DailyHolding.objects.all(), gone, first=forget)
    return min((row.day for row in [*changed, *gone]), default=None)


def _differs(new: Any, old: Any, fields: Iterable[str]) -> bool:
    return any(getattr(new, name) != getattr(old, name) for name in fields)
