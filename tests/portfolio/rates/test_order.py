"""An order of sources: the first that has a quote that counts makes the close of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from portfolio.models import DailyPrice, SourceOrder
from portfolio.rates import settle, settle_again
from tests.portfolio.rates_rows import make_rate

DAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def close(source: str, price: str, hours: int) -> None:
    """A quote of the day, so many hours before its end."""
    at = datetime(2026, 3, 9, 23, 59, tzinfo=UTC) - timedelta(hours=hours)
    make_rate("BTC/USD", price, at=at, source=source)


def test_without_an_order_the_newest_counts() -> None:
    close("CoinGecko close", "1", 0)
    close("btse", "2", 1)
    settle(["BTC"], DAY, DAY, NOW)
    assert DailyPrice.objects.get().source == "CoinGecko close"


@pytest.mark.parametrize(
    ("order", "source"), [(["btse"], "btse"), (["nobody", "CoinGecko"], "CoinGecko close")]
)
def test_the_first_source_that_has_one_counts(order: list[str], source: str) -> None:
    close("CoinGecko close", "1", 0)
    close("btse", "2", 1)
    settle(["BTC"], DAY, DAY, NOW)
    SourceOrder.objects.create(asset="BTC", sources=order)
    settle_again("BTC", NOW)
    assert DailyPrice.objects.get(day=DAY).source == source


def test_a_source_that_is_silent_too_long_is_passed_over() -> None:
    SourceOrder.objects.create(asset="BTC", sources=["btse"])
    close("btse", "2", 60)
    close("CoinGecko close", "1", 0)
    settle(["BTC"], DAY, DAY, NOW)
    assert DailyPrice.objects.get().source == "CoinGecko close"
