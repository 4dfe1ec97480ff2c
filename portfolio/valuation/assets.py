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
from portfolio.valuation.amounts import ZERO, total, usd
from portfolio.valuation.par import ONE, USDT

SPARK_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDay:
    """All of one asset that a user held at the end of a day; no value means unpriced."""

    day: date
    quantity: Decimal
    price_usd: Decimal | None
    value_usd: Decimal | None
    uncertain: bool


def asset_days(
    user: Any, asset: str, start: date | None = None, *, at_par: bool = False
) -> tuple[AssetDay, ...]:
    """Each day of one asset over all of a user's connections; days without any are left out at the ends only."""
    is_one_dollar = at_par and asset == USDT
    rows = DailyHolding.objects.for_user(user).filter(asset=asset).order_by("day")
    if start:
        rows = rows.filter(day__gte=start)
    by_day = {
        day: _day(day, list(group), at_par=is_one_dollar)
        for day, group in groupby(rows, key=lambda row: row.day)
    }
    if not by_day:
        return ()
    nothing = {"quantity": ZERO, "price_usd": None, "value_usd": ZERO, "uncertain": False}
    every = rates.days(min(by_day), max(by_day))
    return tuple(by_day.get(day) or AssetDay(day=day, **nothing) for day in every)  # type: ignore[arg-type]


def sparks(assets: Iterable[str], today: date) -> dict[str, tuple[Decimal | None, ...]]:
    """The last thirty daily prices of each asset, None where there is none: one query."""
    start = today - timedelta(days=SPARK_DAYS - 1)
    span = list(rates.days(start, today))
    known = rates.closes(assets, start, today)
    return {asset: tuple(map(prices.get, span)) for asset, prices in known.items()}


def _day(day: date, rows: list[DailyHolding], *, at_par: bool) -> AssetDay:
    values = [usd(row.quantity, ONE) if at_par else row.value_usd for row in rows if row.quantity]
    return AssetDay(
        day=day,
        quantity=total(row.quantity for row in rows),
        price_usd=ONE if at_par else rows[0].price_usd,
        value_usd=None if None in values else total(values),
        uncertain=any(row.certainty == Certainty.UNCERTAIN for row in rows),
    )
