"""Between what and what the total lies where something is unpriced: from nothing to its last known price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Max

from portfolio import valuation
from portfolio.models import DailyHolding
from portfolio.valuation import Portfolio

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPrice:
    """What an unpriced asset was last worth, and when that was."""

    asset: str
    usd: Decimal
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`low` counts what is unpriced as nothing, `high` at its last known price; None where one never had any."""

    low: Decimal
    high: Decimal | None
    last_prices: tuple[LastPrice, ...]
    never_priced: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether anything is unpriced at all."""
        return bool(self.last_prices or self.never_priced)


def bounds(whole: Portfolio) -> Bounds:
    """The bounds of a total: no query where all is priced, else two. What is owed (below zero) lowers the low one."""
    waiting = [h for h in whole.holdings if h.is_held and h.value_usd is None]
    total = whole.total_usd
    if not waiting:
        return Bounds(low=total, high=total, last_prices=(), never_priced=())
    known = _last_prices({h.connection.user_id for h in waiting}, {h.asset for h in waiting})
    low = high = total
    for holding in waiting:
        price = known.get(holding.asset)
        value = valuation.usd(holding.quantity, price.usd if price else None) or ZERO
        low, high = low + min(value, ZERO), high + max(value, ZERO)
    never = tuple(sorted({h.asset for h in waiting} - known.keys()))
    return Bounds(
        low=low, high=None if never else high, last_prices=tuple(known.values()), never_priced=never
    )


def _last_prices(users: set[int], assets: set[str]) -> dict[str, LastPrice]:
    """The newest price at which any of these was valued for its owner."""
    mine = DailyHolding.objects.filter(
        connection__user__in=users, asset__in=assets, price_usd__isnull=False
    ).order_by()
    newest = mine.values("asset").annotate(last=Max("day")).values_list("asset", "last")
    found: dict[str, LastPrice] = {}
    days = dict(newest)
    rows = mine.filter(day__in=set(days.values())).values_list("asset", "day", "price_usd")
    for asset, day, usd in rows:
        if days[asset] == day and usd is not None:
            found[asset] = LastPrice(asset=asset, usd=usd, day=day)
    return found
