"""What all of a user's connections were worth over time, for charts: a gap where a price is missing, never a guess."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Max, Min, QuerySet

from portfolio.models import DailyHolding, DailyPrice, DailyWorth, WorthPoint
from portfolio.rates import closing_time, days
from portfolio.valuation.amounts import ZERO, share
from portfolio.valuation.holdings import Portfolio, portfolio_of

POINTS = 400
"""As many as a chart can show."""


class Span(StrEnum):
    """How far back one looks."""

    DAY = "1D"
    WEEK = "1W"
    MONTH = "1M"
    QUARTER = "3M"
    YEAR = "1Y"
    ALL = "ALL"

    @property
    def days(self) -> int | None:
        """How many days; None means since the beginning."""
        return {"1D": 1, "1W": 7, "1M": 30, "3M": 91, "1Y": 365}.get(self.value)

    @property
    def is_short(self) -> bool:
        """Whether it is drawn by the hour."""
        return self in {Span.DAY, Span.WEEK}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthAt:
    """All of a user at a moment; no value means a gap."""

    at: datetime
    value_usd: Decimal | None
    held: int
    priced: int
    uncertain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworthDay:
    """All of a user at the end of a day, with what flowed on it."""

    day: date
    value_usd: Decimal | None
    flow_usd: Decimal
    held: int
    priced: int
    uncertain: bool

    @property
    def priced_share(self) -> Decimal:
        """Priced holdings of those held, by count; 1 where nothing is held."""
        return share(self.priced, self.held)


def worth(user: Any, span: Span, now: datetime, portfolio: Portfolio | None = None) -> tuple[WorthAt, ...]:
    """The line of a span; its last point is the headline, `portfolio_of(user, now)`, which may be handed in."""
    whole = portfolio or portfolio_of(user, now)
    mine = DailyWorth.objects.for_user(user)
    lives = _lives(mine)
    if not lives:
        return (_headline(whole, now),) if whole.holdings else ()
    first = min(lives.values())
    start = max(first, now.date() - timedelta(days=span.days)) if span.days else first
    if span.is_short:
        past: Iterable[WorthAt] = _by_the_hour(user, now - timedelta(days=span.days or 0), now, lives)
    else:
        past = _by_day(user, start, now, lives)
    return (*past, _headline(whole, now))


def networth(user: Any, start: date | None, now: datetime) -> tuple[NetworthDay, ...]:
    """Every day from `start` (None: the first) to that of `now`.

    The last is worth what `portfolio_of(user, now)` says, unless its day is over: then it has its close like the others.
    """
    mine = DailyWorth.objects.for_user(user)
    lives, today = _lives(mine), now.date()
    if not lives or min(lives.values()) > today:
        return ()
    begin = max(start or date.min, min(lives.values()))
    told = tuple(_days(user, list(days(begin, today)), lives, _holes(user, begin, today)))
    if mine.filter(day__gt=today).exists():
        return told
    whole = portfolio_of(user, now)
    return tuple(_today(day, whole) if day.day == today else day for day in told)


def _headline(whole: Portfolio, now: datetime) -> WorthAt:
    value = None if whole.held and not whole.priced else whole.total_usd
    return WorthAt(at=now, value_usd=value, held=whole.held, priced=whole.priced, uncertain=False)


def _today(day: NetworthDay, whole: Portfolio) -> NetworthDay:
    value = None if whole.held and not whole.priced else whole.total_usd
    return replace(day, value_usd=value, held=whole.held, priced=whole.priced)


def _lives(rows: QuerySet[DailyWorth]) -> dict[int, date]:
    """The first known day of each connection."""
    return dict(rows.order_by().values_list("connection").annotate(first=Min("day")))


def _by_day(user: Any, start: date, now: datetime, lives: Mapping[int, date]) -> Iterator[WorthAt]:
    yesterday = now.date() - timedelta(days=1)
    step = (yesterday - start).days // POINTS + 1
    wanted = [yesterday - timedelta(days=n) for n in range(0, (yesterday - start).days + 1, step)][::-1]
    holes = _holes(user, start, yesterday)
    for day in _days(user, _with_gaps(wanted, holes), lives, holes):
        yield WorthAt(
            at=closing_time(day.day),
            value_usd=day.value_usd,
            held=day.held,
            priced=day.priced,
            uncertain=day.uncertain,
        )


def _with_gaps(wanted: Sequence[date], holes: set[date]) -> list[date]:
    """The days, and one of the holes between each two of them: a gap shows also where days are skipped."""
    places = {bisect_left(wanted, hole): hole for hole in holes}
    return sorted({*wanted, *places.values()})


def _days(
    user: Any, wanted: Sequence[date], lives: Mapping[int, date], holes: set[date]
) -> Iterator[NetworthDay]:
    """The sums of these ascending days: a gap where a connection or a price that should be there is missing."""
    if not wanted:
        return
    dense = (wanted[-1] - wanted[0]).days + 1 == len(wanted)
    span: dict[str, Any] = {"day__range": (wanted[0], wanted[-1])} if dense else {"day__in": wanted}
    rows = DailyWorth.objects.for_user(user).filter(**span).values_list("day", *_SUMMED)
    by_day: dict[date, list[_Sum]] = {}
    for day, *sums in rows.iterator():
        by_day.setdefault(day, []).append(_Sum(*sums))
    for day in wanted:
        present = by_day.get(day, [])
        of_day = _added(present)
        gap = len(present) < sum(first <= day for first in lives.values()) or day in holes
        yield NetworthDay(
            day=day,
            value_usd=None if gap else of_day.known,
            flow_usd=of_day.flow,
            held=of_day.held,
            priced=of_day.priced,
            uncertain=bool(of_day.uncertain),
        )


def _holes(user: Any, start: date, end: date) -> set[date]:
    """Days on which something held has no price although it has one before and after.

    What never had a price, or not yet, or no longer, is left out of the total instead, and the coverage says so.
    """
    unpriced = DailyHolding.objects.for_user(user).filter(value_usd__isnull=True, day__range=(start, end))
    missing = list(unpriced.exclude(quantity=0).order_by().values_list("asset", "day").distinct())
    known = DailyPrice.objects.filter(asset__in={asset for asset, _ in missing})
    lives = {
        asset: (first, last)
        for asset, first, last in known.order_by()
        .values_list("asset")
        .annotate(first=Min("day"), last=Max("day"))
    }
    return {day for asset, day in missing if asset in lives and lives[asset][0] < day < lives[asset][1]}


def _by_the_hour(user: Any, start: datetime, now: datetime, lives: Mapping[int, date]) -> Iterator[WorthAt]:
    """Steps: at each kept moment the newest figure of every connection, a daily close where there is none yet.

    The first is the last one known before `start`, at its own time.
    """
    newest: dict[int, _Sum] = {}
    opening: WorthAt | None = None
    shown: datetime | None = None
    for at, together in groupby(sorted(_marks(user, start, now), key=itemgetter(0)), key=itemgetter(0)):
        newest |= {pk: figures for _, pk, figures in together}
        if len(newest) < sum(closing_time(first) <= at for first in lives.values()):
            continue
        point = _at(at, _added(newest.values()))
        if at < start:
            opening = point
            continue
        if opening:
            yield opening
            opening = None
        if shown is None or at - shown >= (now - start) / POINTS:
            shown = at
            yield point
    if opening:
        yield opening


def _marks(user: Any, start: datetime, now: datetime) -> Iterator[tuple[datetime, int, _Sum]]:
    closes = DailyWorth.objects.for_user(user).filter(
        day__range=(start.date() - timedelta(days=1), now.date() - timedelta(days=1))
    )
    for day, pk, *sums in closes.values_list("day", "connection", *_SUMMED).iterator():
        yield closing_time(day), pk, _Sum(*sums)
    points = WorthPoint.objects.for_user(user).filter(at__gte=start - timedelta(hours=1), at__lt=now)
    for at, pk, *sums in points.values_list("at", "connection", *_SUMMED[:4]).iterator():
        yield at, pk, _Sum(*sums)


@dataclass(frozen=True, slots=True)
class _Sum:
    """What one or more connections came to."""

    value: Decimal
    flow: Decimal
    held: int
    priced: int
    uncertain: int = 0

    @property
    def known(self) -> Decimal | None:
        """The value, unless nothing of what is held is priced."""
        return None if self.held and not self.priced else self.value


_SUMMED = ("value_usd", "flow_usd", "held", "priced", "uncertain")


def _added(sums: Iterable[_Sum]) -> _Sum:
    parts = list(sums)
    return _Sum(
        value=sum((part.value for part in parts), ZERO),
        flow=sum((part.flow for part in parts), ZERO),
        held=sum(part.held for part in parts),
        priced=sum(part.priced for part in parts),
        uncertain=sum(part.uncertain for part in parts),
    )


def _at(at: datetime, sums: _Sum) -> WorthAt:
    return WorthAt(
        at=at, value_usd=sums.known, held=sums.held, priced=sums.priced, uncertain=bool(sums.uncertain)
    )
