"""How the worth changed over a span, with what flowed taken out: gain = closing - opening - flows, to the last digit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django.db.models import Q

from portfolio.models import DailyWorth, WorthPoint
from portfolio.rates import closing_time
from portfolio.valuation import par
from portfolio.valuation.amounts import SHARE_PLACES, ZERO
from portfolio.valuation.gaps import Missing, unpriced_on
from portfolio.valuation.holdings import Portfolio, portfolio_of
from portfolio.valuation.worth import KeptDay, Span

BEGINNING = date.min


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Opening, closing and what flowed between; `percent` is `gain` of `basis`, which is opening + money paid in.

    The gain is that of what is priced: `left_out` names assets that had no price for a part of the time. Where it
    cannot be told, gain and percent are None and `reason` says why. `openings` and `flowed` are what opening and flows
    are the sums of, by moment and by day.
    """

    span: Span
    since: datetime | None
    """When the opening was taken; None where it is the beginning."""
    opening: Decimal
    closing: Decimal
    paid_in: Decimal
    paid_out: Decimal
    basis: Decimal
    gain: Decimal | None
    percent: Decimal | None
    left_out: tuple[str, ...]
    reason: str
    openings: tuple[tuple[datetime, Decimal], ...] = ()
    flowed: Mapping[date, Decimal] = field(default_factory=dict)

    @property
    def flows(self) -> Decimal:
        """What came in less what went out."""
        return self.paid_in - self.paid_out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """One connection at the start: what it was worth, and what of that day's flow was in it already."""

    at: datetime
    value: Decimal
    flow: Decimal
    whole_day: bool
    """Whether it is the close of its day, after all that flowed on it."""
    usdt: tuple[Decimal, Decimal | None] = (ZERO, None)
    """How much USDT is in it, and what the market gave for that."""


def change(
    user: Any,
    span: Span,
    now: datetime,
    portfolio: Portfolio | None = None,
    *,
    at_par: bool = False,
    missing: Missing | None = None,
    kept: Sequence[KeptDay] | None = None,
) -> Change:
    """The change of a span up to the headline, `portfolio_of(user, now)`, which may be handed in.

    `at_par` counts each USDT as one dollar, at both ends and on the way. `missing` is what was unpriced since the
    eve of the span, where that is at hand.
    """
    whole = portfolio or portfolio_of(user, now, at_par=at_par)
    start = now - timedelta(days=span.days) if span.days else None
    openings, flows = _openings(user, span, start, kept)
    if at_par:
        openings, flows = _at_par(user, openings, flows, now.date())
    flowed = _since_opening(openings, flows)
    paid_in, paid_out = paid(flowed)
    opening = sum((one.value for one in openings.values()), ZERO)
    day = min((one.at.date() for one in openings.values()), default=start.date() if start else BEGINNING)
    if missing is None:
        missing = unpriced_on(user, (day, now.date()), at_par=at_par)
    left_out, settled = _left_out(missing, day, now.date(), whole)
    reason = _unvalued(whole, openings, flows) or (
        "" if settled else "Prices changed just now; look again soon."
    )
    gain = None if reason else whole.total_usd - opening - paid_in + paid_out
    basis = opening + paid_in
    return Change(
        span=span,
        since=max((one.at for one in openings.values()), default=None),
        opening=opening,
        closing=whole.total_usd,
        paid_in=paid_in,
        paid_out=paid_out,
        basis=basis,
        gain=gain,
        percent=percent_of(gain, basis),
        left_out=left_out,
        reason=reason or ("" if basis > 0 else "There was nothing before to compare with."),
        openings=tuple((one.at, one.value) for one in openings.values()),
        flowed=flowed,
    )


Flows = Mapping[tuple[int, date], Decimal]


def _openings(
    user: Any, span: Span, start: datetime | None, kept: Sequence[KeptDay] | None
) -> tuple[dict[int, _Opening], Flows]:
    """Each connection at the start, and all flows on days that are not wholly before it."""
    mine = DailyWorth.objects.for_user(user)
    flowed = ~Q(flow_usd=0)
    if start is None:
        rows = mine.filter(flowed)
        return {}, {(pk, day): flow for pk, day, flow in rows.values_list("connection", "day", "flow_usd")}
    # A short span opens at a moment, so the close before it is that of the day before.
    first = start.date() - timedelta(days=1) if span.is_short else start.date()
    told: Iterable[tuple[int, date, Decimal, Decimal]]
    if kept is None:
        rows = mine.filter(Q(day=first) | (Q(day__gt=first) & flowed))
        told = rows.values_list("connection", "day", "value_usd", "flow_usd")
    else:
        told = ((one.connection, one.day, one.value_usd, one.flow_usd) for one in kept)
    openings, flows = {}, {}
    for pk, day, value, flow in told:
        if flow or day == first:
            flows[pk, day] = flow
        if day == first:
            openings[pk] = _Opening(at=closing_time(day), value=value, flow=flow, whole_day=True)
    return openings | (_points(user, start) if span.is_short else {}), flows


def _points(user: Any, start: datetime) -> dict[int, _Opening]:
    """The last kept moment of each connection within the hour before the start."""
    kept = (
        WorthPoint.objects.for_user(user).filter(at__range=(start - timedelta(hours=1), start)).order_by("at")
    )
    fields = ("connection", "at", "value_usd", "flow_usd", "usdt", "usdt_usd")
    return {
        pk: _Opening(at=at, value=value, flow=flow, whole_day=False, usdt=(usdt or ZERO, usdt_usd))
        for pk, at, value, flow, usdt, usdt_usd in kept.values_list(*fields)
    }


def _at_par(
    user: Any, openings: Mapping[int, _Opening], flows: Flows, today: date
) -> tuple[dict[int, _Opening], Flows]:
    """Openings and flows with each USDT counted as one dollar; a moment within a day knows its own USDT."""
    first = min((one.at.date() for one in openings.values()), default=BEGINNING)
    extra = par.added(user, first, today)
    counted = {}
    for pk, one in openings.items():
        of_day = extra.get((pk, one.at.date()), par.NOTHING)
        more = of_day if one.whole_day else par.of_holding(*one.usdt)
        counted[pk] = replace(one, value=one.value + more.value, flow=one.flow + more.flow)
    moved = {key: ZERO for key, one in extra.items() if one.flow} | dict(flows)
    return counted, {key: flow + extra.get(key, par.NOTHING).flow for key, flow in moved.items()}


def _since_opening(openings: Mapping[int, _Opening], flows: Flows) -> dict[date, Decimal]:
    """What flowed on each day after the opening, over all connections (a move between two of them is none)."""
    by_day: dict[date, Decimal] = {}
    for (pk, day), flow in flows.items():
        opening = openings.get(pk)
        if opening and day <= opening.at.date():
            if day < opening.at.date() or opening.whole_day:
                continue
            flow -= opening.flow
        by_day[day] = by_day.get(day, ZERO) + flow
    for pk, opening in openings.items():
        day = opening.at.date()
        if not opening.whole_day and (pk, day) not in flows:
            by_day[day] = by_day.get(day, ZERO) - opening.flow
    return by_day


def paid(by_day: Mapping[date, Decimal]) -> tuple[Decimal, Decimal]:
    """What came in and what went out, of what flowed on each day."""
    paid_in = sum((flow for flow in by_day.values() if flow > 0), ZERO)
    return paid_in, paid_in - sum(by_day.values(), ZERO)


def _unvalued(whole: Portfolio, openings: Mapping[int, _Opening], flows: Flows) -> str:
    told = openings.keys() | {pk for pk, _ in flows}
    waiting = {h.connection.label for h in whole.holdings if h.value_usd and h.connection.pk not in told}
    return f"{', '.join(sorted(waiting))}: the days are not valued yet." if waiting else ""


def _left_out(missing: Missing, start: date, today: date, whole: Portfolio) -> tuple[tuple[str, ...], bool]:
    """Assets without a price at either end, and whether today's rows know the same prices as the headline."""
    at_end = {asset for asset, day in missing if day == today}
    names = {asset for asset, day in missing if day == start} | at_end | set(whole.unpriced)
    return tuple(sorted(names)), at_end == set(whole.unpriced)


def percent_of(gain: Decimal | None, basis: Decimal) -> Decimal | None:
    """A gain in percent of what it was made with, to six places; None where there was nothing to make it with."""
    if gain is None or basis <= 0:
        return None
    return (gain * 100 / basis).quantize(SHARE_PLACES, rounding=ROUND_HALF_EVEN)
