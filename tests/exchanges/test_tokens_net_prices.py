"""Are the public answers of Tokens.net read, those recorded in 2019 and those of the sandbox?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from exchanges.line import Line
from exchanges.pace import Unpaced
from exchanges.sandbox.tokens_net import TokensNet
from exchanges.sandbox.world import World
from exchanges.tokens_net.normalise import Pair
from exchanges.tokens_net.prices import Lately, TokensNetPrices
from tests.exchanges.clocks import VirtualClock

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "wire"
BTC = Pair(name="btcusdt", base="btc", counter="usdt")
needs_recorded = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recorded answers (../shared/data/wire) are not on this machine"
)


def over(transport: httpx2.BaseTransport) -> TokensNetPrices:
    """The public source over some transport."""
    client = httpx2.Client(transport=transport)
    return TokensNetPrices(
        Line(base_url="https://tok.test.example", clock=VirtualClock(), pace=Unpaced(), client=client)
    )


def recorded(files: Mapping[str, str]) -> TokensNetPrices:
    """A server that answers with recorded files, and 404 elsewhere."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        name = files.get(request.url.path)
        return httpx2.Response(200, content=(RECORDED / name).read_bytes()) if name else httpx2.Response(404)

    return over(httpx2.MockTransport(answer))


@needs_recorded
def test_the_recorded_pairs_of_2019_are_all_read() -> None:
    source = recorded({"/public/trading-pairs/get/all/": "tokens-net-pairs-2019.json"})

    found = {pair.name: pair for pair in source.pairs()}

    assert found["eursusdt"] == Pair(name="eursusdt", base="eurs", counter="usdt")
    assert all(pair.base + pair.counter == name for name, pair in found.items())


@needs_recorded
def test_the_recorded_ticker_of_2019_is_a_price() -> None:
    quote = recorded({"/public/ticker/btcusdt/": "tokens-net-ticker-2019.json"}).ticker(BTC)

    assert quote
    assert (quote.base, quote.counter, quote.price) == ("BTC", "USDT", Decimal("3656.23"))
    assert quote.at.isoformat() == "2019-01-12T02:19:23+00:00"


@needs_recorded
def test_the_recorded_order_book_of_2019_has_amount_before_price() -> None:
    book = recorded({"/public/order-book/btcusdt/": "tokens-net-order-book-2019.json"}).order_book(BTC)

    assert (book.asks[0].amount, book.asks[0].price) == (Decimal("0.00125000"), Decimal("3659.89"))
    assert max(one.price for one in book.bids) < min(one.price for one in book.asks)


@needs_recorded
def test_recorded_pairs_and_a_ticker_of_one_pair_are_enough_for_a_quote() -> None:
    source = recorded(
        {
            "/public/trading-pairs/get/all/": "tokens-net-pairs-2019.json",
            "/public/ticker/btcusdt/": "tokens-net-ticker-2019.json",
        }
    )

    (quote,) = source.quotes({"BTC"})

    assert quote.price == Decimal("3656.23")


@pytest.fixture(params=[False, True], ids=["all", "documented only"])
def market(request: pytest.FixtureRequest) -> TokensNet:
    """The sandbox, with and without the calls that are not documented."""
    world = World("prices", now=VirtualClock().now)
    return TokensNet(world, key="k", secret="s", documented_only=request.param)


def test_quotes_price_what_is_held_and_what_that_is_priced_in(market: TokensNet) -> None:
    quotes = {(one.base, one.counter): one for one in over(httpx2.WSGITransport(app=market)).quotes({"ETH"})}

    assert {("ETH", "USDT"), ("ETH", "BTC"), ("BTC", "USDT")} <= quotes.keys()
    assert not [one for one in quotes if one[0] == "LTC"]
    assert all(one.price > 0 and one.source == "Tokens.net" for one in quotes.values())


def test_a_ticker_of_zero_is_no_price(market: TokensNet) -> None:
    quotes = over(httpx2.WSGITransport(app=market)).quotes({"DTRV"})

    assert "DTRV" not in {one.base for one in quotes}


def test_the_other_public_answers_are_read(market: TokensNet) -> None:
    source = over(httpx2.WSGITransport(app=market))

    assert source.ticker(BTC, hour=True)
    assert source.order_book(BTC).bids
    assert all(one.side in ("buy", "sell") for one in source.trades(BTC, Lately.DAY))
    assert any(one.listed for one in source.voting())
    assert source.currencies() == {} or source.currencies()["BTC"] == "Bitcoin"


def test_where_all_tickers_are_not_offered_that_is_asked_once(market: TokensNet) -> None:
    source = over(httpx2.WSGITransport(app=market))
    for _ in range(2):
        list(source.quotes({"BTC"}))

    asked = [one.path for one in market.log if one.path == "/public/ticker/all/"]

    assert len(asked) == (1 if market.documented_only else 2)


@pytest.mark.parametrize(
    "row", [None, [], {}, {"last": "NaN"}, {"last": True}, {"last": "-1"}, {"last": "0.00"}]
)
def test_a_ticker_that_cannot_be_read_is_no_price(row: Any) -> None:
    answer = httpx2.MockTransport(lambda request: httpx2.Response(200, text=json.dumps(row)))

    assert over(answer).ticker(BTC) is None


@pytest.mark.parametrize("name", ["\0", "", " ", "x" * 40])
def test_names_that_cannot_be_kept_cost_only_their_own_row(name: str) -> None:
    pair = {"baseCurrency": name, "counterCurrency": "usdt"}
    listed = {"currencies": {name: {"name": "Odd"}, "BTC": {"name": "Bitcoin"}}, "x": pair}
    source = over(httpx2.MockTransport(lambda request: httpx2.Response(200, json=listed)))
    assert source.currencies() == {"BTC": "Bitcoin"}
    assert source.pairs() == ()
    assert list(source.quotes(["BTC"])) == []
