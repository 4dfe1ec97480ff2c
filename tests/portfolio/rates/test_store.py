"""Prices from stored quotes: now, then, and day by day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from portfolio.models import DailyPrice, Rate
from portfolio.rates import Repriced, closing_time, current, daily, settle
from tests.portfolio.rates_rows import NOW, make_rate

pytestmark = pytest.mark.django_db
FIRST = date(2026, 3, 1)


def test_the_current_price_names_its_quotes() -> None:
    legs = [make_rate("ETH/USDT", "2000"), make_rate("USDT/USD", "0.99")]
    price = current(["ETH"], NOW)["ETH"]
    assert (price.usd, price.legs) == (Decimal("1980"), tuple(leg.pk for leg in legs))


def test_a_past_moment_sees_the_price_of_its_time() -> None:
    make_rate("BTC/USD", "50000", at=NOW - timedelta(hours=2), newest=False)
    make_rate("BTC/USD", "60000")
    assert current(["BTC"], NOW - timedelta(hours=1))["BTC"].usd == 50000


def test_a_quote_wrongly_left_marked_as_newest_changes_no_price() -> None:
    make_rate("BTC/USD", "50000", at=NOW - timedelta(hours=2), newest=True)
    make_rate("BTC/USD", "60000")
    assert current(["BTC"], NOW)["BTC"].usd == 60000


def test_one_query_serves_any_number_of_assets(django_assert_num_queries: Any) -> None:
    for n in range(30):
        make_rate(f"A{n}/USD", "2")
    with django_assert_num_queries(1):
        assert len(current([f"A{n}" for n in range(30)], NOW)) == 30


def test_daily_prices_are_derived_with_route_source_and_how_long_they_were_carried() -> None:
    make_rate("BTC/USD", "60000", at=closing_time(FIRST), source="BTSE close")
    settle(["BTC"], FIRST, FIRST + timedelta(days=4), NOW)
    rows = DailyPrice.objects.order_by("day").values_list("day", "carried_days", "source", "route")
    assert list(rows) == [(FIRST + timedelta(days=n), n, "BTSE close", "BTC > USD") for n in range(3)]


def test_deriving_again_changes_nothing_and_says_so() -> None:
    make_rate("BTC/USD", "60000", at=closing_time(FIRST))
    last = FIRST + timedelta(days=4)
    assert settle(["BTC"], FIRST, last, NOW) == (
        Repriced(asset="BTC", first=FIRST, last=FIRST + timedelta(days=2)),
    )
    assert settle(["BTC"], FIRST, last, NOW) == ()


def test_a_close_that_arrives_later_replaces_what_was_carried() -> None:
    second = FIRST + timedelta(days=1)
    make_rate("BTC/USD", "60000", at=closing_time(FIRST), newest=False)
    settle(["BTC"], FIRST, second, NOW)
    make_rate("BTC/USD", "61000", at=closing_time(second))
    assert settle(["BTC"], FIRST, second, NOW) == (Repriced(asset="BTC", first=second, last=second),)


def test_a_daily_price_whose_quotes_are_gone_goes_too() -> None:
    make_rate("BTC/USD", "60000", at=closing_time(FIRST))
    settle(["BTC"], FIRST, FIRST, NOW)
    Rate.objects.all().delete()
    settle(["BTC"], FIRST, FIRST, NOW)
    assert not DailyPrice.objects.exists()


def test_many_days_are_as_many_single_days() -> None:
    for n, price in enumerate(["1", "2", "3"]):
        make_rate("ETH/USDT", price, at=closing_time(FIRST + timedelta(days=n)), newest=n == 2)
    make_rate("USDT/USD", "0.5", at=closing_time(FIRST))
    last = FIRST + timedelta(days=3)
    settle(["ETH"], FIRST, last, NOW)
    at_once = list(DailyPrice.objects.order_by("day").values_list("day", "price_usd", "at", "carried_days"))
    DailyPrice.objects.all().delete()
    for n in range(4):
        settle(["ETH"], FIRST + timedelta(days=n), FIRST + timedelta(days=n), NOW)
    again = list(DailyPrice.objects.order_by("day").values_list("day", "price_usd", "at", "carried_days"))
    assert at_once == again and len(at_once) == 3


def test_dollars_have_a_price_on_every_day_without_rows() -> None:
    assert [p.usd for p in daily(["USD"], FIRST, FIRST + timedelta(days=2)).values()] == [1, 1, 1]
