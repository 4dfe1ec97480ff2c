"""Prices that BTSE tells anybody, from whichever endpoint still answers."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import httpx2
import pytest

from exchanges.connect import public
from exchanges.connector import PublicSource
from exchanges.pace import Unpaced
from exchanges.sandbox.faults import Fault
from tests.exchanges.stands import Stand, stand


def prices(at: Stand) -> PublicSource:
    """The public side of a stand."""
    return public(
        "btse",
        base_url="https://exchange.test",
        clock=at.clock,
        client=httpx2.Client(transport=httpx2.WSGITransport(app=at.faults)),
        pace=Unpaced(),
    )


@pytest.mark.parametrize("documented_only", [False, True])
def test_rates_come_from_the_successor_or_from_the_document(documented_only: bool) -> None:
    at = stand("btse", documented_only=documented_only)
    quotes = {(q.base, q.counter): q for q in prices(at).quotes(["ETH", "GIFT"])}
    assert {("BTC", "USD"), ("USDT", "USD"), ("ETH", "USD"), ("ETH", "USDT")} <= set(quotes)
    assert not any(base == "GIFT" for base, _ in quotes)
    told, true = quotes["ETH", "USD"].price, at.world.prices.usd("ETH", at.clock.now())
    assert abs(told / Decimal(true or 0) - 1) < Decimal("0.01")
    assert abs(quotes["ETH", "USD"].at - at.clock.now()) < timedelta(seconds=2)


def test_an_endpoint_that_is_gone_is_asked_once() -> None:
    at = stand("btse", documented_only=True)
    source = prices(at)
    list(source.quotes(["ETH"]))
    list(source.quotes(["ETH"]))
    assert sum("public-api" in call.path for call in at.app.log) == 1


def test_closes_are_of_whole_days_in_order() -> None:
    at = stand("btse", world={"years": 2})
    today = at.clock.now().date()
    candles = list(prices(at).candles("BTC", today - timedelta(days=400), today))
    days = [candle.day for candle in candles]
    assert days == sorted(set(days))
    assert (days[-1], len(days)) == (today - timedelta(days=1), 400)
    assert all(candle.close > 0 and candle.counter == "USD" for candle in candles)


def test_an_asset_without_a_market_has_no_closes() -> None:
    at = stand("btse")
    today = at.clock.now().date()
    assert list(prices(at).candles("NOSUCH", today - timedelta(days=5), today)) == []


def test_prices_are_asked_without_a_key() -> None:
    at = stand("btse")
    list(prices(at).quotes(["ETH"]))
    assert all(call.key == "" or call.key is None for call in at.app.log)


def test_a_passing_fault_does_not_cost_a_price() -> None:
    at = stand("btse")
    at.faults.plan(Fault.SERVER_ERROR, Fault.RESET_BEFORE)
    assert ("BTC", "USD") in {(q.base, q.counter) for q in prices(at).quotes([])}
