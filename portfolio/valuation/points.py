"""What each connection is worth at moments of the last days: when something changed, and four times an hour with new
prices; kept for eight days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from accounts.models import Connection
from portfolio.models import DailyWorth, WorthPoint
from portfolio.models.chunks import delete, upsert
from portfolio.valuation.amounts import total
from portfolio.valuation.holdings import Holding, portfolio_of_connections
from portfolio.valuation.par import USDT

KEPT = timedelta(days=8)
CLOSE_TOGETHER = timedelta(hours=26)
"""Older points than this are thinned to one an hour."""
HOUR = timedelta(hours=1)
EVERY = timedelta(minutes=14)
"""A little less than a quarter of an hour, so that a task that comes every five minutes never skips one."""


def note(connection: Connection, now: datetime) -> None:
    """Keep what the connection is worth at `now`, and let old points go."""
    _keep([connection], now)
    _thin([connection], now)


def mark(now: datetime) -> None:
    """Keep a point of every connection that has none of the last quarter of an hour; else cheap."""
    recent = WorthPoint.objects.filter(at__gt=now - EVERY, at__lte=now).values("connection")
    waiting = Connection.objects.filter(balances__newest=True).exclude(pk__in=recent).distinct()
    due = list(waiting.order_by("pk"))
    _keep(due, now)
    _thin(due, now)


def _keep(connections: Sequence[Connection], now: datetime) -> None:
    if not connections:
        return
    held: dict[int, list[Holding]] = {connection.pk: [] for connection in connections}
    for holding in portfolio_of_connections(connections, now).holdings:
        held[holding.connection.pk].append(holding)
    today = DailyWorth.objects.filter(connection__in=connections, day=now.date())
    flows = dict(today.values_list("connection", "flow_usd"))
    points = [
        WorthPoint(
            connection_id=pk,
            **_usdt(holdings),
            at=now,
            value_usd=total(h.value_usd for h in holdings),
            flow_usd=flows.get(pk, 0),
            held=sum(h.is_held for h in holdings),
            priced=sum(h.is_held and h.value_usd is not None for h in holdings),
        )
        for pk, holdings in held.items()
    ]
    upsert(
        WorthPoint.objects.all(),
        points,
        unique=("connection", "at"),
        update=("value_usd", "flow_usd", "held", "priced", "usdt", "usdt_usd"),
    )
    _forget_blinder(points)


def _usdt(holdings: Sequence[Holding]) -> dict[str, Decimal | None]:
    """What of the sum is USDT, so that it can be told at par later."""
    held = [h for h in holdings if h.asset == USDT]
    values = [h.value_usd for h in held if h.value_usd is not None]
    return {"usdt": total(h.quantity for h in held), "usdt_usd": total(values) if values else None}


def _forget_blinder(points: Sequence[WorthPoint]) -> None:
    """Points of the hour before that were taken with more prices missing: a price that came late is no gain."""
    now = {point.connection_id: point for point in points}
    before = WorthPoint.objects.filter(
        connection__in=list(now), at__gt=points[0].at - HOUR, at__lt=points[0].at
    )
    blinder = [
        pk
        for pk, owner, held, priced in before.values_list("pk", "connection", "held", "priced")
        if held - priced > now[owner].held - now[owner].priced
    ]
    delete(WorthPoint.objects.all(), blinder)


def _thin(connections: Sequence[Connection], now: datetime) -> None:
    mine = WorthPoint.objects.filter(connection__in=list(connections), at__lte=now - CLOSE_TOGETHER)
    rows = list(mine.order_by("connection", "at").values_list("pk", "connection", "at"))
    old = {pk for pk, _, at in rows if at <= now - KEPT}
    delete(WorthPoint.objects.all(), [*old, *_crowded(row for row in rows if row[0] not in old)])


def _crowded(points: Iterable[tuple[int, int, datetime]]) -> list[int]:
    """All but the last of each hour and connection."""
    last: dict[tuple[int, date, int], int] = {}
    crowded = []
    for pk, owner, at in points:
        hour = (owner, at.date(), at.hour)
        if hour in last:
            crowded.append(last[hour])
        last[hour] = pk
    return crowded
