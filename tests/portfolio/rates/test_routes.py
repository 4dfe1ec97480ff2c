"""Which way leads from an asset to USD, and how old a price is."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.rates import Price, Quoted, closing_time, prices
from portfolio.rates.routes import cut, walk
from tests.portfolio.rates_rows import NOW, quote


def priced(asset: str, *quotes: Quoted) -> Price | None:
    """The price of one asset among these quotes."""
    return prices([asset], quotes, NOW).get(asset)


def usd(asset: str, *quotes: Quoted) -> Decimal | None:
    """Its figure alone."""
    known = priced(asset, *quotes)
    return known.usd if known else None


def ago(**age: float) -> timedelta:
    """How long before now."""
    return timedelta(**age)


def test_a_dollar_is_a_dollar_and_needs_no_quote() -> None:
    assert usd("USD") == 1


def test_an_asset_without_any_route_has_no_price_rather_than_zero() -> None:
    assert prices(["GIFT", "BTC"], [quote("BTC/USD", "60000")], NOW).keys() == {"BTC"}


def test_tether_costs_what_the_market_pays_also_when_it_loses_its_peg() -> None:
    depegged = quote("USDT/USD", "0.9412")
    known = priced("ETH", quote("ETH/USDT", "2000"), depegged)
    assert known and (known.usd, known.route) == (Decimal("1882.4"), ("ETH", "USDT", "USD"))


def test_without_a_quote_of_tether_in_dollars_a_price_in_tether_is_no_price() -> None:
    assert usd("ETH", quote("ETH/USDT", "2000")) is None


def test_a_pair_is_read_backwards_where_only_the_inverse_is_quoted() -> None:
    assert usd("EUR", quote("USD/EUR", "0.8")) == Decimal("1.25")


def test_a_route_over_bitcoin_goes_on_over_tether_where_bitcoin_has_no_price_in_dollars() -> None:
    known = priced("DTR", quote("DTR/BTC", "0.001"), quote("BTC/USDT", "50000"), quote("USDT/USD", "0.999"))
    assert known and known.route == ("DTR", "BTC", "USDT", "USD") and known.usd == Decimal("49.95")


def test_direct_wins_over_a_detour_when_both_are_fresh() -> None:
    over = (quote("ETH/USDT", "2000"), quote("USDT/USD", "1"))
    assert usd("ETH", quote("ETH/USD", "1990", at=NOW - ago(minutes=50)), *over) == 1990


def test_a_fresh_detour_wins_over_a_direct_quote_that_has_aged() -> None:
    over = (quote("ETH/USDT", "2000"), quote("USDT/USD", "1"))
    assert usd("ETH", quote("ETH/USD", "1990", at=NOW - ago(hours=5)), *over) == 2000


def test_of_several_quotes_of_one_pair_the_newest_counts() -> None:
    old = quote("BTC/USD", "1", at=NOW - ago(minutes=5), source="Tokens.net")
    assert usd("BTC", old, quote("BTC/USD", "2")) == 2


@pytest.mark.parametrize(("age", "counts"), [(ago(days=2), True), (ago(days=2, seconds=1), False)])
def test_a_quote_older_than_two_days_is_no_price(age: timedelta, counts: bool) -> None:
    assert (usd("BTC", quote("BTC/USD", "60000", at=NOW - age)) is not None) == counts


@pytest.mark.parametrize(("days", "counts"), [(5, True), (6, False)])
def test_a_rate_of_the_ecb_serves_over_five_days_of_holidays_and_no_longer(days: int, counts: bool) -> None:
    rate = quote("EUR/USD", "1.1", source="ECB", at=NOW - ago(days=days))
    assert (usd("EUR", rate) is not None) == counts


def test_a_quote_from_the_future_does_not_count() -> None:
    assert usd("BTC", quote("BTC/USD", "60000", at=NOW + ago(seconds=1))) is None


def test_fiat_goes_by_the_ecb_before_any_exchange() -> None:
    ecb = (
        quote("EUR/USD", "1.10", source="ECB", at=NOW - ago(days=1)),
        quote("EUR/GBP", "0.88", source="ECB", at=NOW - ago(days=1)),
    )
    known = priced("GBP", *ecb, quote("GBP/USD", "1.3"))
    assert known and (known.usd, known.source, known.route) == (Decimal("1.25"), "ECB", ("GBP", "EUR", "USD"))


def test_an_exchange_prices_fiat_where_the_rate_of_the_ecb_is_too_old() -> None:
    known = priced(
        "EUR", quote("EUR/USD", "1.1", source="ECB", at=NOW - ago(days=9)), quote("EUR/USD", "1.2")
    )
    assert known and (known.usd, known.source) == (Decimal("1.2"), "BTSE")


def test_the_age_of_a_price_is_that_of_its_oldest_quote() -> None:
    leg = quote("USDT/USD", "1", at=NOW - ago(hours=30))
    known = priced("ETH", quote("ETH/USDT", "2000"), leg)
    assert known and known.age(NOW) == ago(hours=30)


@pytest.mark.parametrize("price", ["0", "-1", "1e-30", "1e25"])
def test_prices_that_cannot_be_are_no_prices(price: str) -> None:
    assert usd("BTC", quote("BTC/USD", price)) is None


amounts = st.decimals(min_value="0.000001", max_value="1000000", places=6)


@given(amounts, amounts)
def test_a_price_over_tether_is_the_exact_product_cut_to_eighteen_places(a: Decimal, b: Decimal) -> None:
    over = (quote("ETH/USDT", str(a)), quote("USDT/USD", str(b)))
    assert usd("ETH", *over) == cut(a * b)


@given(st.permutations(["BTC/USD 1", "BTC/USDT 2", "USDT/USD 3", "USD/BTC 4", "EUR/USD 5", "BTC/EUR 6"]))
def test_the_order_of_the_quotes_changes_nothing(lines: list[str]) -> None:
    quotes = [quote(*line.split()) for line in lines]
    assert usd("BTC", *quotes) == 1


def test_a_closing_price_is_carried_over_two_days_and_then_ends() -> None:
    first = date(2026, 3, 1)
    close = quote("BTC/USD", "60000", at=closing_time(first))
    days = [first + timedelta(days=n) for n in range(5)]
    known = [day for day, found in walk(["BTC"], [close], days, NOW) if "BTC" in found]
    assert known == days[:3]
