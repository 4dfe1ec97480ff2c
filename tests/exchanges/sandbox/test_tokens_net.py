"""Tokens.net's orders, trades, balances and tickers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.sandbox.tokens_net import TokensNet
from exchanges.sandbox.world import World
from exchanges.sandbox.world.tokens_net import PAIRS, trade_row
from tests.exchanges.sandbox.asking import KEY, NOW, SECRET, Asker

LATER = NOW + timedelta(minutes=30)
ORDER = "11111111-1111-4111-8111-111111111111"


def world_seen(at: Callable[[], datetime]) -> World:
    """A deposit, and an order that fills by half after ten minutes and is cancelled after thirty."""
    world = World(now=at, empty=True)
    world.tokens_net.add("deposit", "USDT", "100", at=NOW)
    half = trade_row(
        "ltcusdt", "buy", Decimal("0.25"), Decimal("80.00"), id="3", at=NOW + timedelta(minutes=10)
    )
    world.tokens_net.add_order(
        "ltcusdt", "buy", "0.5", "80.00", fills=(half,), at=NOW, ends=LATER, outcome="Canceled", id=ORDER
    )
    return world


def make(world: World, **switches: object) -> Asker:
    return Asker(TokensNet(world, key=KEY, secret=SECRET, **switches), "tokens_net")  # type: ignore[arg-type]


def test_an_order_is_followed_until_it_ends() -> None:
    clock = [NOW]
    asker = make(world_seen(lambda: clock[0]))
    told = []
    for minutes in (0, 10, 30):
        clock[0] = NOW + timedelta(minutes=minutes)
        order = asker(f"/private/orders/get/{ORDER}/").json()
        still = asker("/private/orders/get/all/").json()["openOrders"]
        told.append((order["orderStatus"], order["remainingAmount"], len(order["trades"]), len(still)))
    assert told == [
        ("Open", "0.50000000", 0, 1),
        ("Open", "0.25000000", 1, 1),
        ("Canceled", "0.25000000", 1, 0),
    ]


def test_the_trade_inside_an_order_may_name_the_takers_side() -> None:
    asker = make(world_seen(lambda: LATER))
    order = asker(f"/private/orders/get/{ORDER}/").json()
    assert (order["type"], order["trades"][0]["type"]) == ("buy", "sell")
    assert asker("/private/trades/all/1/").json()["trades"][0]["type"] == "buy"


@pytest.mark.parametrize(("at", "available"), [(NOW, "60.00000000"), (LATER, "80.00000000")])
def test_an_open_order_lowers_what_is_available(at: datetime, available: str) -> None:
    asker = make(world_seen(lambda: at))
    one = asker("/private/balance/usdt/").json()
    assert one["available"] == available
    assert asker("/private/balance/all/").json()["balances"]["USDT"]["available"] == available


def test_trades_come_in_pages_newest_first() -> None:
    world = World(now=lambda: NOW, empty=True)
    for number in range(5):
        world.tokens_net.add_trade(
            "btcusdt", "buy", "0.1", "50000.00", at=NOW - timedelta(hours=number), id=str(9 - number)
        )
    asker = make(world, page_size=2)
    first, last = (asker(f"/private/trades/all/{page}/").json() for page in (1, 3))
    assert ([row["id"] for row in first["trades"]], first["pages"]) == ([9, 8], 3)
    assert [row["id"] for row in last["trades"]] == [5]


def test_balances_in_the_demo_follow_from_trades_and_unlisted_deposits() -> None:
    world = World("demo", now=lambda: NOW)
    for row in world.tokens_net.rows("trades"):
        base, counter, _ = PAIRS[row.facts["pair"]]
        sign = 1 if row.kind == "buy" else -1
        traded = ((base, sign * row.amount), (counter, -sign * row.amount * Decimal(row.facts["price"])))
        assert row.changes == (*traded, *((("DTR", -row.fee),) if row.fee else ()))
    assert world.tokens_net.rows("transfers")


def test_what_only_clients_knew_can_be_missing() -> None:
    world = world_seen(lambda: NOW)
    paths = (
        "/private/balance/all/",
        "/private/trades/all/1/",
        "/public/ticker/all/",
        "/public/currency/all/",
    )
    assert [make(world, documented_only=True)(path).status_code for path in paths] == [404] * 4
    assert [make(world)(path).status_code for path in paths] == [200] * 4


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/private/balance/zzz/", 160),
        ("/private/orders/get/zzzusdt/", 130),
        ("/private/orders/get/00000000-0000-4000-8000-000000000000/", 131),
        ("/public/ticker/zzz/", 130),
    ],
)
def test_errors_carry_the_documents_codes(path: str, code: int) -> None:
    assert make(world_seen(lambda: NOW))(path).json()["errorCode"] == code


def test_errors_may_come_with_200() -> None:
    answer = make(world_seen(lambda: NOW), errors_with_200=True)("/private/balance/zzz/")
    assert (answer.status_code, answer.json()["status"]) == (200, "error")


def test_a_market_without_trades_has_a_price_of_zero() -> None:
    asker = make(world_seen(lambda: NOW))
    assert Decimal(asker("/public/ticker/dtrvdtr/").json()["last"]) == 0
    assert Decimal(asker("/public/ticker/hour/btcusdt/").json()["last"]) > 0


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/public/order-book/btcusdt/", "bids"),
        ("/public/trades/minute/btcusdt/", "trades"),
        ("/public/voting/get/all/", "winnerList"),
    ],
)
def test_public_lists_are_there_without_a_key(path: str, field: str) -> None:
    assert make(world_seen(lambda: NOW))(path).json()[field]
