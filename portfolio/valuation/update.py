"""Keeps the daily rows: quantity, value and flow of each asset and day, and their sum by day. Safe to run twice.

Work is proportional to the days and assets that changed. Only rows that differ are written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max

from accounts.models import Connection
from portfolio import rates
from portfolio.fields import fits
from portfolio.models import DailyFlow, DailyHolding, DailyWorth, PriceHistory, ToldHolding, WorthPoint
from portfolio.models.chunks import remove, upsert
from portfolio.valuation import evidence, flows, history, points, rollup
from portfolio.valuation.amounts import usd
from portfolio.valuation.history import DayQuantity
from portfolio.valuation.priced import Prices, flow_usd

HOLDING = ("quantity", "certainty", "price_usd", "value_usd", "flow", "flow_usd", "unexplained")
DAY = timedelta(days=1)


def update(connection: Connection, *, since: date | None, now: datetime) -> None:
    """Tell the days from `since` on again (None: all of them), up to `now`, and note what it is worth at `now`."""
    _tell(connection, since, now)
    points.note(connection, now)


def derive(connection: Connection, now: datetime) -> None:
    """Tell all days up to `now` from what is known; no price is asked for or settled, and no moment is noted."""
    _keep(connection, None, evidence.gather(connection, None, now)[1], now)


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


def _tell(connection: Connection, since: date | None, now: datetime) -> None:
    start, batches = evidence.gather(connection, since, now)
    want_prices(_keep(connection, start, _settled(batches, now), now))


def _settled(batches: evidence.Batches, now: datetime) -> evidence.Batches:
    """The same, with the prices of today."""
    for tasks in batches:
        _settle_today([task.asset for task in tasks], now)
        yield tasks


def _keep(
    connection: Connection, start: date | None, batches: evidence.Batches, now: datetime
) -> dict[str, date]:
    """Make the daily rows equal to what is told; where each asset begins."""
    begins: dict[str, date] = {}
    first = start or date.max
    for tasks in batches:
        changed = _write(connection, tasks, now)
        flows.keep(connection, tasks, now=now)
        begins |= {task.asset: task.start for task in tasks if task.known.seen or task.known.moved}
        first = min(first, changed or date.max)
    if start is None:
        _forget_others(connection, begins)
    rollup.keep(connection, None if start is None else first, now.date())
    return begins


def _forget_others(connection: Connection, told: Collection[str]) -> None:
    """Where all was told, an asset of which nothing is known has no rows."""
    forget = rollup.forget_months(connection)
    held = DailyHolding.objects.of(connection).exclude(asset__in=told)
    moved = DailyFlow.objects.of(connection).exclude(asset__in=told)
    remove(DailyHolding.objects.all(), list(held), first=forget)
    remove(DailyFlow.objects.all(), list(moved), first=forget)


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
    """The days on which there is something to say, and it is no more than can be said."""
    days = history.days(task.known, task.start, now, fresh=task.fresh)
    something = (day for day in days if day.quantity or day.unexplained or day.moved)
    return [day for day in something if fits(day.quantity, day.flow, day.unexplained)]


def _others(told: Mapping[str, list[DayQuantity]]) -> set[str]:
    """What these assets were exchanged for."""
    return {other for days in told.values() for day in days for m in day.bartered for other in m.against}


def _settle_today(assets: Iterable[str], now: datetime) -> None:
    """Just after midnight nobody may have derived the prices of the new day yet."""
    today = now.date()
    known = rates.daily(assets, today, today)
    rates.settle([asset for asset in assets if (asset, today) not in known], today, today, now)


def _row(connection: Connection, asset: str, day: DayQuantity, prices: Prices) -> DailyHolding:
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
        flow_usd=flow_usd(asset, day, prices),
        unexplained=day.unexplained,
    )


def _write(connection: Connection, tasks: Sequence[evidence.Task], now: datetime) -> date | None:
    """Make the stored rows of these assets, from where each begins, equal to what is told; the first day that changed."""
    told = {task.asset: _told(task, now) for task in tasks}
    # From the day before, whose prices tell what enters or leaves the priced part.
    begin = min((task.start for task in tasks), default=now.date())
    prices = Prices(connection, told.keys() | _others(told), begin - DAY, now.date())
    rows = [_row(connection, asset, day, prices) for asset, days in told.items() for day in days]
    old = {(row.asset, row.day): row for row in evidence.kept(DailyHolding.objects.of(connection), tasks)}
    new = {(row.asset, row.day): row for row in rows}
    changed = [row for key, row in new.items() if key not in old or _differs(row, old[key], HOLDING)]
    gone = [row for key, row in old.items() if key not in new]
    forget, unique = rollup.forget_months(connection), ("connection", "asset", "day")
    upsert(DailyHolding.objects.all(), changed, unique=unique, update=HOLDING, first=forget)
    remove(DailyHolding.objects.all(), gone, first=forget)
    return min((row.day for row in [*changed, *gone]), default=None)


def _differs(new: Any, old: Any, fields: Iterable[str]) -> bool:
    return any(getattr(new, name) != getattr(old, name) for name in fields)
