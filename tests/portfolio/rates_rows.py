"""Short ways to write quotes down in tests of prices and values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from portfolio.models import DailyPrice, Rate
from portfolio.rates import Quoted, closing_time

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def quote(pair: str, price: str, *, at: datetime = NOW, source: str = "BTSE") -> Quoted:
    """A quote of "BTC/USD"."""
    base, counter = pair.split("/")
    return Quoted(base=base, counter=counter, price=Decimal(price), source=source, at=at)


def make_rate(
    pair: str, price: str, *, at: datetime = NOW, source: str = "BTSE", newest: bool = True
) -> Rate:
    """A stored quote of "BTC/USD"."""
    base, counter = pair.split("/")
    return Rate.objects.create(
        base=base, counter=counter, price=Decimal(price), source=source, at=at, fetched_at=at, newest=newest
    )


def make_day(asset: str, day: date, price: str) -> DailyPrice:
    """A stored closing price in USD."""
    return DailyPrice.objects.create(
        asset=asset,
        day=day,
        price_usd=Decimal(price),
        source="test",
        route=f"{asset} > USD",
        at=closing_time(day),
    )
