"""BTSE's shapes, windows, limits and refusals, as documented and as seen on the wire."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.sandbox.btse import Btse
from exchanges.sandbox.world import Status, World
from tests.exchanges.sandbox.asking import KEY, NOW, SECRET, Asker, ask, btse_headers, statuses

SPOT = "/spot/api/v3.2"
HISTORY = f"{SPOT}/user/wallet_history"
FILLS = f"{SPOT}/user/trade_history"
LIVE_ROW = {
    "username", "orderId", "wallet", "currency", "type", "amount", "fees", "description", "timestamp", "status", "txId",
    "toAddress", "currencyNetwork", "sourceCurrency", "sourceAmount", "targetCurrency", "targetAmount", "rate",
}  # fmt: skip


def make(world: World, **switches: object) -> tuple[Btse, Asker]:
    app = Btse(world, key=KEY, secret=SECRET, **{"pace": None, **switches})  # type: ignore[arg-type]
    return app, Asker(app, "btse")


@pytest.fixture
def world() -> World:
    return World(now=lambda: NOW, empty=True)


def test_amounts_are_numbers_digit_by_digit_and_zero_balances_are_sent(world: World) -> None:
    world.btse.add("Deposit", "ETH", "7158.844999999999123456", at=NOW)
    body = make(world)[1](f"{SPOT}/user/wallet").text
    assert '"currency":"ETH","total":7158.844999999999123456,' in body
    assert '"currency":"BTC","total":0,' in body


def test_a_wallet_row_looks_as_it_does_live(world: World) -> None:
    world.btse.add("Deposit", "USDT", "100", at=NOW, settles=NOW + timedelta(hours=1), facts={"hash": "0xab"})
    (row,) = make(world)[1](HISTORY).json()
    assert row.keys() == LIVE_ROW
    assert (row["type"], row["status"], row["wallet"], row["txId"]) == ("Deposit", "PENDING", "SPOT@", "")
    assert isinstance(row["orderId"], str)


def test_a_fill_explains_both_balances(world: World) -> None:
    world.btse.add("Deposit", "USDT", "1000", at=NOW)
    world.btse.add_fill("BTC-USDT", "BUY", "0.00089", "111381.3460167", fee="5.34e-7", at=NOW)
    body = make(world)[1](f"{FILLS}?symbol=BTC-USDT").text
    assert '"filledPrice":111381.3460167,"filledSize":0.00089' in body
    assert '"feeAmount":5.34e-7' in body
    held = world.btse.balances()
    assert held["BTC"].total == Decimal("0.000889466")
    assert held["USDT"].total == 1000 - Decimal("111381.3460167") * Decimal("0.00089")


def test_fills_reach_seven_days_however_long_the_span(world: World) -> None:
    for day in (1, 6, 8):
        world.btse.add_fill("BTC-USDT", "BUY", "0.1", "50000", at=NOW - timedelta(days=day), id=f"t{day}")
    asker = make(world)[1]
    assert [row["tradeId"] for row in asker(f"{FILLS}?symbol=BTC-USDT&startTime=1").json()] == ["t1", "t6"]
    assert asker(FILLS).status_code == 400


@pytest.mark.parametrize(("windows", "days"), [("honour", [1, 30]), ("clamp", [1])])
def test_long_windows_of_the_wallet_are_honoured_or_clamped(
    world: World, windows: str, days: list[int]
) -> None:
    for day in (1, 30):
        world.btse.add("Deposit", "USDT", "1", at=NOW - timedelta(days=day), id=str(day))
    rows = make(world, windows=windows)[1](f"{HISTORY}?startTime=1500000000000&count=500").json()
    assert [int(row["orderId"]) for row in rows] == days


def test_a_count_over_500_is_refused_and_a_small_one_gives_the_newest(world: World) -> None:
    for minute in range(4):
        world.btse.add("Deposit", "USDT", "1", at=NOW - timedelta(minutes=minute), id=str(minute))
    asker = make(world)[1]
    assert "Can't support count more than 500" in asker(f"{HISTORY}?count=501").text
    assert [row["orderId"] for row in asker(f"{HISTORY}?count=2").json()] == ["0", "1"]


def test_a_withdrawal_that_was_cancelled_costs_nothing(world: World) -> None:
    world.btse.add("Deposit", "BTC", "1", at=NOW)
    world.btse.add("Withdraw", "BTC", "0.4", fee="0.0005", at=NOW, outcome=Status.CANCELLED)
    assert world.btse.balances()["BTC"].available == 1
    assert [row["status"] for row in make(world)[1](HISTORY).json()] == ["CANCELLED", "COMPLETED"]


@pytest.mark.parametrize(
    "path",
    [FILLS, f"{SPOT}/time", "/public-api/wallet/v1/user/assets", "/public-api/wallet/v1/assets/exchangeRate"],
)
def test_endpoints_beyond_the_document_can_be_missing(world: World, path: str) -> None:
    app, asker = make(world, documented_only=True)
    assert asker(path).status_code == 404
    app.documented_only = False
    assert asker(path).status_code != 404


def test_a_key_without_the_right_is_refused_and_a_wide_one_shows_itself(world: World) -> None:
    address = f"{SPOT}/user/wallet/address?currency=BTC"
    assert make(world)[1](address).status_code == 401
    assert make(world, missing_right=403)[1](address).status_code == 403
    assert make(world, rights=("Read", "Wallet"))[1](address).status_code == 200


def test_a_sixth_request_within_a_second_must_wait(world: World) -> None:
    app, asker = make(world, pace=5)
    answers = [asker(f"{SPOT}/user/wallet") for _ in range(6)]
    assert statuses(app) == [200] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "1"


def test_the_wait_can_be_told_as_a_time(world: World) -> None:
    _, asker = make(world, pace=1, retry_after="epoch")
    asker(f"{SPOT}/user/wallet")
    assert int(asker(f"{SPOT}/user/wallet").headers["Retry-After"]) > NOW.timestamp()


def test_anything_but_a_get_is_refused_and_remembered(world: World) -> None:
    app, _ = make(world)
    path = f"{SPOT}/user/wallet"
    answer = ask(app, path, method="POST", headers=btse_headers(path, 1))
    assert (answer.status_code, app.log[0].method, app.log[0].key) == (405, "POST", KEY)


def test_prices_agree_with_each_other(world: World) -> None:
    asker = make(world)[1]
    old = asker(f"{SPOT}/exchangeRate?srcCurrency=BTC&targetCurrency=USD").json()["data"]
    new = asker(
        "/public-api/wallet/v1/assets/exchangeRate?baseCurrency=BTC&quoteCurrency=USD&amount=1"
    ).json()["data"]
    assert str(old) == new["rate"]
    assert asker(f"{SPOT}/exchangeRate?srcCurrency=GIFT&targetCurrency=USD").status_code == 400


def test_daily_bars_come_newest_first_and_no_more_than_300(world: World) -> None:
    path = f"{SPOT}/ohlcv?symbol=BTC-USDT&resolution=1440"
    rows = make(world)[1](path).json()
    times = [row[0] for row in rows]
    assert len(rows) == 300
    assert times == sorted(times, reverse=True)
    assert all(low <= min(first, last) <= max(first, last) <= high for _, first, high, low, last, _ in rows)


def test_bars_of_a_span_are_those_that_begin_in_it(world: World) -> None:
    start = int((NOW - timedelta(days=400)).timestamp() * 1000)
    path = f"{SPOT}/ohlcv?symbol=BTC-USDT&resolution=1440&start={start}&end={start + 86_400_000 * 3}"
    rows = make(world)[1](path).json()
    assert [row[0] * 1000 >= start for row in rows] == [True] * 3
