"""What all of a user's connections were worth over time, for charts: a gap where a price is missing, never a guess."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.models import OuterRef, Subquery

from accounts.models import Connection
from portfolio.models import DailyWorth, WorthPoint
from portfolio.rates import closing_time, days
from portfolio.valuation import par
from portfolio.valuation.amounts import ZERO, share
from portfolio.valuation.gaps import Missing, holes, unpriced, with_gaps
from portfolio.valuation.holdings import Portfolio, portfolio_of
from portfolio.valuation.par import NOTHING, Added

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

    def eve(self, now: datetime) -> date:
        """The day before it begins; the first of all where it goes back to the beginning."""
        return now.date() - timedelta(days=self.days + 1) if self.days else date.min

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


class KeptDay(NamedTuple):
    """One connection at the end of a day, as it is kept."""

    connection: int
    day: date
    value_usd: Decimal
    held: int
    priced: int
    uncertain: int
    flow_usd: Decimal

    @property
    def summed(self) -> tuple[Any, ...]:
        """What the line needs of it."""
        return self[1:6]


def kept_days(user: Any, span: Span, now: datetime) -> tuple[KeptDay, ...] | None:
    """The days on which both the line of a span and its change rest: one query; None where they rest on others."""
    if span.is_short or span.days is None:
        return None
    first = now.date() - timedelta(days=span.days)
    rows = DailyWorth.objects.for_user(user).filter(day__range=(first, now.date()))
    return tuple(map(KeptDay._make, rows.values_list(*KeptDay._fields)))


def worth(
    user: Any,
    span: Span,
    now: datetime,
    portfolio: Portfolio | None = None,
    *,
    at_par: bool = False,
    missing: Missing | None = None,
    kept: Sequence[KeptDay] | None = None,
) -> tuple[WorthAt, ...]:
    """The line of a span; its last point is the headline, `portfolio_of(user, now)`, which may be handed in.

    `at_par` counts each USDT as one dollar on all of it. `missing` is what was unpriced since the
    eve of the span, and `kept` what `kept_days` says, where they are at hand.
    """
    whole = portfolio or portfolio_of(user, now, at_par=at_par)
    lives = _lives(user)
    if not lives:
        return (_headline(whole, now),) if whole.holdings else ()
    first = min(lives.values())
    start = max(first, now.date() - timedelta(days=span.days)) if span.days else first
    if span.is_short:
        begin = now - timedelta(days=span.days or 0)
        past: Iterable[WorthAt] = _by_the_hour(user, begin, now, lives, at_par=at_par)
    else:
        if missing is None:
            missing = unpriced(user, start, now.date(), at_par=at_par)
        past = _by_day(user, start, now, lives, missing, kept, at_par=at_par)
    return (*past, _headline(whole, now))


def networth(user: Any, start: date | None, now: datetime) -> tuple[NetworthDay, ...]:
    """Every day from `start` (None: the first) to that of `now`.

    The last is worth what `portfolio_of(user, now)` says, unless its day is over: then it has its close like the others.
    """
    mine = DailyWorth.objects.for_user(user)
    lives, today = _lives(user), now.date()
    if not lives or min(lives.values()) > today:
        return ()
    begin = max(start or date.min, min(lives.values()))
    gaps = holes(unpriced(user, begin, today))
    told = tuple(
        NetworthDay(
            day=day,
            value_usd=value,
            flow_usd=sums.flow,
            held=sums.held,
            priced=sums.priced,
            uncertain=bool(sums.uncertain),
        )
        for day, value, sums in _days(user, list(days(begin, today)), lives, gaps, {}, (*_SUMMED, "flow_usd"))
    )
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


def _lives(user: Any) -> dict[int, date]:
    """The first known day of each connection: one look into the index for each, however long its history is."""
    first = DailyWorth.objects.filter(connection=OuterRef("pk")).order_by("day").values("day")[:1]
    known = Connection.objects.for_user(user).order_by().values_list("pk", Subquery(first))
    return {pk: day for pk, day in known if day is not None}


def _by_day(
    user: Any,
    start: date,
    now: datetime,
    lives: Mapping[int, date],
    missing: Missing,
    kept: Sequence[KeptDay] | None,
    *,
    at_par: bool,
) -> Iterator[WorthAt]:
    yesterday = now.date() - timedelta(days=1)
    step = (yesterday - start).days // POINTS + 1
    wanted = [yesterday - timedelta(days=n) for n in range(0, (yesterday - start).days + 1, step)][::-1]
    gaps = holes((asset, day) for asset, day in missing if start <= day <= yesterday)
    extra = par.by_day(par.added(user, start, yesterday)) if at_par else {}
    every = with_gaps(wanted, gaps)
    rows = None if kept is None else (one.summed for one in kept)
    for day, value, sums in _days(user, every, lives, gaps, extra, _SUMMED, rows):
        yield _at(closing_time(day), value, sums)


def _days(
    user: Any,
    wanted: Sequence[date],
    lives: Mapping[int, date],
    gaps: set[date],
    extra: Mapping[date, Added],
    fields: Sequence[str],
    kept: Iterable[tuple[Any, ...]] | None = None,
) -> Iterator[tuple[date, Decimal | None, _Sum]]:
    """These ascending days, their values and sums: no value where a connection or a price that should be there is missing."""
    if not wanted:
        return
    if kept is None:
        dense = (wanted[-1] - wanted[0]).days + 1 == len(wanted)
        span: dict[str, Any] = {"day__range": (wanted[0], wanted[-1])} if dense else {"day__in": wanted}
        kept = DailyWorth.objects.for_user(user).filter(**span).values_list("day", *fields).iterator()
    by_day: dict[date, list[_Sum]] = {}
    for day, *sums in kept:
        by_day.setdefault(day, []).append(_Sum(*sums))
    firsts = sorted(lives.values())
    for day in wanted:
        present = by_day.get(day, [])
        of_day = _added(present).with_par(extra.get(day, NOTHING))
        gap = len(present) < bisect_right(firsts, day) or day in gaps
        yield day, None if gap else of_day.known, of_day


def _by_the_hour(
    user: Any, start: datetime, now: datetime, lives: Mapping[int, date], *, at_par: bool
) -> Iterator[WorthAt]:
    """Steps: at each kept moment the newest figure of every connection, a daily close where there is none yet.

    The first is the last one known before `start`, at its own time.
    """
    newest: dict[int, _Sum] = {}
    opening: WorthAt | None = None
    shown: datetime | None = None
    for at, together in groupby(
        sorted(_marks(user, start, now, at_par=at_par), key=itemgetter(0)), key=itemgetter(0)
    ):
        newest |= {pk: figures for _, pk, figures in together}
        if len(newest) < sum(closing_time(first) <= at for first in lives.values()):
            continue
        sums = _added(newest.values())
        point = _at(at, sums.known, sums)
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


def _marks(
    user: Any, start: datetime, now: datetime, *, at_par: bool
) -> Iterator[tuple[datetime, int, _Sum]]:
    first, last = start.date() - timedelta(days=1), now.date() - timedelta(days=1)
    extra = par.added(user, first, last) if at_par else {}
    closes = DailyWorth.objects.for_user(user).filter(day__range=(first, last))
    for day, pk, *sums in closes.values_list("day", "connection", *_SUMMED).iterator():
        yield closing_time(day), pk, _Sum(*sums).with_par(extra.get((pk, day), NOTHING))
    points = WorthPoint.objects.for_user(user).filter(at__gte=start - timedelta(hours=1), at__lt=now)
    if at_par:
        # Those kept before USDT was kept beside the sum cannot be told at par.
        points = points.filter(usdt__isnull=False)
    fields = ("at", "connection", *_SUMMED[:3], "usdt", "usdt_usd")
    for at, pk, *sums, usdt, usdt_usd in points.values_list(*fields).iterator():
        yield at, pk, _Sum(*sums).with_par(par.of_holding(usdt, usdt_usd) if at_par else NOTHING)


class _Sum(NamedTuple):
    """What one or more connections came to; `flow` only where it was asked for."""

    value: Decimal
    held: int
    priced: int
    uncertain: int = 0
    flow: Decimal = ZERO

    @property
    def known(self) -> Decimal | None:
        """The value, unless nothing of what is held is priced."""
        return None if self.held and not self.priced else self.value

    def with_par(self, extra: Added) -> _Sum:
        """The same with each USDT counted as one dollar."""
        if extra is NOTHING:
            return self
        return self._replace(value=self.value + extra.value, priced=self.priced + extra.priced)


_SUMMED = ("value_usd", "held", "priced", "uncertain")


def _added(sums: Iterable[_Sum]) -> _Sum:
    parts = list(sums)
    if len(parts) == 1:
        return parts[0]
    return _Sum(
        value=sum((part.value for part in parts), ZERO),
        held=sum(part.held for part in parts),
        priced=sum(part.priced for part in parts),
        uncertain=sum(part.uncertain for part in parts),
        flow=sum((part.flow for part in parts), ZERO),
    )


def _at(at: datetime, value: Decimal | None, sums: _Sum) -> WorthAt:
    return WorthAt(at=at, value_usd=value, held=sums.held, priced=sums.priced, uncertain=bool(sums.uncertain))
