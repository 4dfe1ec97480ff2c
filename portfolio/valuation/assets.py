"""One asset over time, for its page and for the small lines in tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from portfolio import rates
from portfolio.models import Certainty, DailyHolding
from portfolio.valuation.amounts import ZERO, total

SPARK_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDay:
    """All of one asset that a user held at the end of a day; no value means unpriced."""

    day: date
    quantity: Decimal
    price_usd: Decimal | None
    value_usd: Decimal | None
    uncertain: bool


def asset_days(user: Any, asset: str, start: date | None = None) -> tuple[AssetDay, ...]:
    """Each day of one asset over all of a user's connections; days without any are left out at the ends only."""
    rows = DailyHolding.objects.for_user(user).filter(asset=asset).order_by("day")
    if start:
        rows = rows.filter(day__gte=start)
    by_day = {day: _day(day, list(group)) for day, group in groupby(rows, key=lambda row: row.day)}
    if not by_day:
        return ()
    nothing = {"quantity": ZERO, "price_usd": None, "value_usd": ZERO, "uncertain": False}
    every = rates.days(min(by_day), max(by_day))
    return tuple(by_day.get(day) or AssetDay(day=day, **nothing) for day in every)  # type: ignore[arg-type]


def sparks(assets: Iterable[str], today: date) -> dict[str, tuple[Decimal | None, ...]]:
    """The last thirty daily prices of each asset, None where there is none: one query."""
    names = list(assets)
    start = today - timedelta(days=SPARK_DAYS - 1)
    known = rates.daily(names, start, today)
    span = list(rates.days(start, today))
    return {
        asset: tuple(price.usd if (price := known.get((asset, day))) else None for day in span)
        for asset in names
    }


def _day(day: date, rows: list[DailyHolding]) -> AssetDay:
    unpriced = any(row.value_usd is None for row in rows if row.quantity)
    return AssetDay(
        day=day,
        quantity=total(row.quantity for row in rows),
        price_usd=rows[0].price_usd,
        value_usd=None if unpriced else total(row.value_usd for row in rows),
        uncertain=any(row.certainty == Certainty.UNCERTAIN for row in rows),
    )
