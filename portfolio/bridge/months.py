"""Keeps the bars of months that are over, so that a bridge over years reads months and the days at its two ends.

`valuation` deletes a month before it changes any of its days; here it is made again. A month that stands is true.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Min

from accounts.models import Connection
from portfolio.bridge.core import Bar
from portfolio.bridge.days import FLOW, HOLDING, Pair, cells_of, is_unpriced, moved_by, stretch
from portfolio.looks import Look
from portfolio.models import DailyFlow, DailyHolding, DailyWorth, MonthlyChange
from portfolio.models.chunks import breathe

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """What is kept of the whole months between two days: the bars of each holding, and what had no price."""

    after: date
    """The close from which they tell."""
    until: date
    """The close to which they tell."""
    bars: dict[Pair, dict[Bar, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Decimal))
    )
    unpriced: set[str] = field(default_factory=set)


def keep(connection: Connection, now: datetime) -> None:
    """Make the months again that are over and have none."""
    lives = DailyWorth.objects.of(connection).aggregate(first=Min("day"))["first"]
    if lives is None:
        return
    there = set(MonthlyChange.objects.of(connection).values_list("month", flat=True))
    for month in first_days(lives, now.date()):
        if month not in there:
            _keep(connection, month)


def keep_all(now: datetime) -> None:
    """The same for every connection that lacks one: three queries where none does."""
    lives = dict(DailyWorth.objects.order_by().values_list("connection").annotate(first=Min("day")))
    counts = dict(MonthlyChange.objects.order_by().values_list("connection").annotate(n=Count("pk")))
    behind = [
        pk for pk, first in lives.items() if counts.get(pk, 0) < len(list(first_days(first, now.date())))
    ]
    for connection in Connection.objects.filter(pk__in=behind).order_by("pk"):
        keep(connection, now)


def first_days(since: date, today: date) -> Iterator[date]:
    """The first day of each month that is over, from that of `since` on."""
    month = since.replace(day=1)
    while (following := after(month)) <= today:
        yield month
        month = following


def after(month: date) -> date:
    """The first day of the month that follows."""
    return (month + timedelta(days=31)).replace(day=1)


def between(look: Look) -> Months | None:
    """The months that lie wholly within a look, where all of them are kept; two queries, one where there is none."""
    first = after(look.since)
    last = look.until.replace(day=1) - DAY
    if last <= first:
        return None
    rows = MonthlyChange.objects.for_user(look.user).filter(
        connection__in=look.keys, month__range=(first, last)
    )
    found = Months(after=first - DAY, until=last)
    counts: dict[int, int] = defaultdict(int)
    for pk, bars, unpriced in rows.values_list("connection", "bars", "unpriced"):
        counts[pk] += 1
        _add(found, pk, bars, unpriced, look.asset)
    wanted = {
        pk: len(list(first_days(max(lived, first), last + DAY)))
        for pk, lived in look.lives.items()
        if pk in look.keys and lived <= last
    }
    return found if all(counts[pk] >= number for pk, number in wanted.items()) else None


def _add(found: Months, pk: int, bars: dict[str, dict[str, str]], unpriced: list[str], asset: str) -> None:
    for name in (asset,) if asset else bars:
        sums = found.bars[pk, name]
        for bar, amount in bars.get(name, {}).items():
            sums[Bar[bar]] += Decimal(amount)
    found.unpriced.update(name for name in unpriced if asset in ("", name))


def _keep(connection: Connection, month: date) -> None:
    """One month, with the connection's row locked: whoever writes its days waits, and then deletes what stands."""
    since, until = month - DAY, after(month) - DAY
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        held = DailyHolding.objects.of(connection).filter(day__range=(since, until)).order_by("day")
        flows = DailyFlow.objects.of(connection).filter(day__range=(month, until))
        moved = moved_by(flows.values_list(*FLOW).iterator())
        added = {connection.pk: connection.created_at.date()}
        cells = cells_of(held.values_list(*HOLDING).iterator(), moved, added)
        told = {
            pair[1]: stretch(pair, days, moved.get(pair, {}), since, until).bars
            for pair, days in cells.items()
        }
        bars = {
            asset: {bar.name: f"{amount:f}" for bar, amount in its.items()}
            for asset, its in told.items()
            if its
        }
        odd = sorted(pair[1] for pair, days in cells.items() if any(map(is_unpriced, days)))
        MonthlyChange.objects.update_or_create(
            connection=connection, month=month, defaults={"bars": bars, "unpriced": odd}
        )
    breathe()
