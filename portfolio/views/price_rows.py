"""What is known of the prices of each asset that a user held: from whom, since when, which days are missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q

from portfolio.models import DailyHolding, DailyPrice, PriceHistory, SourceOrder
from portfolio.valuation import own

USED = ("date", "asset", "price_usd", "source", "route", "quoted_at", "carried_days")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPrices:
    """One asset: how long it was held, without a price on how many days, and where its prices come from."""

    asset: str
    held_since: date
    held_days: int
    unpriced_days: int
    last_unpriced: date | None
    sources: tuple[tuple[str, int], ...]
    carried_days: int
    order: tuple[str, ...]
    is_waiting: bool
    """Whether the task has days of it left to ask for."""
    asked_at: datetime | None
    error: str


def asset_prices(user: Any, today: date) -> list[AssetPrices]:
    """Every asset that the user ever held, those with gaps first: four queries."""
    held = DailyHolding.objects.for_user(user).exclude(asset="USD").order_by().values("asset")
    gap = Q(value_usd__isnull=True) & ~Q(quantity=0)
    rows = held.annotate(
        first=Min("day"),
        held=Count("day", filter=~Q(quantity=0), distinct=True),
        missing=Count("day", filter=gap, distinct=True),
        last=Max("day", filter=gap),
    )
    told = {row["asset"]: row for row in rows}
    sources, carried = _sources(told)
    waiting = {row.asset: row for row in PriceHistory.objects.filter(asset__in=list(told))}
    orders = dict(SourceOrder.objects.filter(asset__in=list(told)).values_list("asset", "sources"))
    found = [
        AssetPrices(
            asset=asset,
            held_since=row["first"],
            held_days=row["held"],
            unpriced_days=row["missing"],
            last_unpriced=row["last"],
            sources=tuple(sorted(sources[asset].items(), key=lambda item: (-item[1], item[0]))),
            carried_days=carried.get(asset, 0),
            order=tuple(orders.get(asset, ())),
            is_waiting=_is_waiting(waiting.get(asset), today),
            asked_at=waiting[asset].asked_at if asset in waiting else None,
            error=waiting[asset].error if asset in waiting else "",
        )
        for asset, row in told.items()
    ]
    return sorted(found, key=lambda one: (-one.unpriced_days, one.asset))


def used_prices(user: Any) -> list[dict[str, Any]]:
    """Each daily price at which something of this user's was valued, where it came from and how old it was: two queries.

    `quoted_at` is the time of the oldest quote in it, `carried_days` for how many days it has stood.
    """
    held = DailyHolding.objects.for_user(user).filter(price_usd__isnull=False).exclude(asset="USD")
    seen = dict.fromkeys(held.order_by("asset", "day").values_list("day", "asset", "price_usd").distinct())
    known = DailyPrice.objects.filter(
        asset__in={asset for _, asset, _ in seen}, day__gte=min((day for day, _, _ in seen), default=date.max)
    )
    fields = ("day", "asset", "price_usd", "source", "route", "at", "carried_days")
    told = {tuple(row[:3]): row[3:] for row in known.values_list(*fields).iterator()}
    # What no source said at that price is what the user said.
    said = (own.SOURCE, "", None, None)
    return [dict(zip(USED, (*row, *told.get(row, said)), strict=True)) for row in seen]


def _sources(told: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """How many days of each asset each source gave, and how many were carried forward."""
    sources: dict[str, dict[str, int]] = defaultdict(dict)
    carried: dict[str, int] = defaultdict(int)
    since = min((row["first"] for row in told.values()), default=date.max)
    rows = (
        DailyPrice.objects.filter(asset__in=list(told), day__gte=since).order_by().values("asset", "source")
    )
    for row in rows.annotate(days=Count("pk"), carried=Count("pk", filter=Q(carried_days__gt=0))):
        sources[row["asset"]][row["source"]] = row["days"]
        carried[row["asset"]] += row["carried"]
    return sources, carried


def _is_waiting(row: PriceHistory | None, today: date) -> bool:
    if row is None:
        return False
    yesterday = today - timedelta(days=1)
    if row.wanted_since > yesterday:
        return False
    done = row.asked_from is not None and row.asked_until is not None
    return not done or row.asked_from > row.wanted_since or row.asked_until < yesterday  # type: ignore[operator]
