"""What was held without a price, and which of those days are holes in a line of worth rather than its ends."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import Max, Min

from portfolio.models import DailyHolding, DailyPrice
from portfolio.valuation import par

Missing = frozenset[tuple[str, date]]
"""Assets held without a price, and the days on which they were."""


def unpriced(user: Any, start: date, end: date, *, at_par: bool = False) -> Missing:
    """What was held without a price on any day from `start` to `end`: one query."""
    return _missing(user, at_par, day__range=(start, end))


def unpriced_on(user: Any, days: Iterable[date], *, at_par: bool = False) -> Missing:
    """The same on these days alone."""
    return _missing(user, at_par, day__in=tuple(days))


def holes(missing: Iterable[tuple[str, date]]) -> set[date]:
    """Days on which something held has no price although it has one before and after: no query where none is missing.

    What never had a price, or not yet, or no longer, is left out of the total instead, and the coverage says so.
    """
    waiting = frozenset(missing)
    if not waiting:
        return set()
    known = DailyPrice.objects.filter(asset__in={asset for asset, _ in waiting})
    lives = {
        asset: (first, last)
        for asset, first, last in known.order_by()
        .values_list("asset")
        .annotate(first=Min("day"), last=Max("day"))
    }
    return {day for asset, day in waiting if asset in lives and lives[asset][0] < day < lives[asset][1]}


def with_gaps(wanted: Sequence[date], gaps: set[date]) -> list[date]:
    """The days, and one of the gaps between each two of them: it shows also where days are skipped."""
    places = {bisect_left(wanted, gap): gap for gap in gaps}
    return sorted({*wanted, *places.values()})


def _missing(user: Any, at_par: bool, **when: Any) -> Missing:
    rows = DailyHolding.objects.for_user(user).filter(value_usd__isnull=True, **when)
    if at_par:
        rows = rows.exclude(asset=par.USDT)
    return frozenset(rows.exclude(quantity=0).order_by().values_list("asset", "day").distinct())
