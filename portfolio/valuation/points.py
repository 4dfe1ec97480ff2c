"""What each connection is worth at moments of the last days: at each sync and once an hour, kept for eight days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F

from accounts.models import Connection
from portfolio.models import DailyWorth, WorthPoint
from portfolio.models.chunks import delete, upsert
from portfolio.valuation.amounts import total
from portfolio.valuation.holdings import Holding, portfolio_of_connections

KEPT = timedelta(days=8)
CLOSE_TOGETHER = timedelta(hours=26)
"""Older points than this are thinned to one an hour."""
HOUR = timedelta(hours=1)
EVERY = timedelta(minutes=55)
"""A little less than the hour, so that a task that comes hourly never skips one."""


def note(connection: Connection, now: datetime) -> None:
    """Keep what the connection is worth at `now`, and let old points go."""
    _keep([connection], now)
    _thin(connection, now)


def mark(now: datetime) -> None:
    """Keep a point of every connection that has none of the last hour; cheap when there is nothing to do."""
    recent = WorthPoint.objects.filter(at__gt=now - EVERY, at__lte=now).values("connection")
    waiting = Connection.objects.filter(balances__newest=True).exclude(pk__in=recent).distinct()
    due = list(waiting.order_by("pk"))
    _keep(due, now)
    for connection in due:
        _thin(connection, now)


def _keep(connections: list[Connection], now: datetime) -> None:
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
        update=("value_usd", "flow_usd", "held", "priced"),
    )
    for point in points:
        _forget_blinder(point)


def _forget_blinder(point: WorthPoint) -> None:
    """Points of the hour before that were taken with more prices missing: a price that came late is no gain."""
    before = WorthPoint.objects.filter(
        connection=point.connection_id, at__gt=point.at - HOUR, at__lt=point.at
    )
    before.annotate(blind=F("held") - F("priced")).filter(blind__gt=point.held - point.priced).delete()


def _thin(connection: Connection, now: datetime) -> None:
    mine = WorthPoint.objects.of(connection).order_by("at")
    old = list(mine.filter(at__lte=now - KEPT).values_list("pk", flat=True))
    spread = mine.filter(at__gt=now - KEPT, at__lte=now - CLOSE_TOGETHER).values_list("pk", "at")
    delete(WorthPoint.objects.all(), [*old, *_crowded(spread)])


def _crowded(points: Iterable[tuple[int, datetime]]) -> list[int]:
    """All but the last of each hour."""
    last: dict[tuple[object, int], int] = {}
    crowded = []
    for pk, at in points:
        hour = (at.date(), at.hour)
        if hour in last:
            crowded.append(last[hour])
        last[hour] = pk
    return crowded
