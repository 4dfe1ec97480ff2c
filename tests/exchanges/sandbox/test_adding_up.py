"""What an account's owner can read from the answers alone adds up to the balances that are answered."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.sandbox.btse import Btse
from exchanges.sandbox.tether import Tether
from exchanges.sandbox.tokens_net import TokensNet
from exchanges.sandbox.world import World
from tests.exchanges.sandbox.asking import KEY, NOW, SECRET, Asker

AGES = (
    timedelta(0),
    timedelta(hours=2, minutes=1),
)  # As opened, and with withdrawals and orders on their way.
SPOT = "/spot/api/v3.2/user"


def read(asker: Asker, path: str) -> Any:
    return json.loads(asker(path).text, parse_float=Decimal, parse_int=Decimal)


def btse_history(asker: Asker) -> list[dict[str, Any]]:
    """All rows of the wallet, in windows of sixty days."""
    rows: list[dict[str, Any]] = []
    for back in range(0, 900, 60):
        end = int((NOW - timedelta(days=back - 1)).timestamp() * 1000)
        rows += read(
            asker, f"{SPOT}/wallet_history?count=500&startTime={end - 60 * 86_400_000}&endTime={end - 1}"
        )
    return rows


def btse_fills(asker: Asker) -> list[dict[str, Any]]:
    """All fills, week by week."""
    rows: list[dict[str, Any]] = []
    for symbol in ("BTC-USDT", "ETH-USDT"):
        for back in range(0, 900, 7):
            end = int((NOW - timedelta(days=back - 1)).timestamp() * 1000)
            rows += read(
                asker,
                f"{SPOT}/trade_history?symbol={symbol}&count=500&startTime={end - 604_800_000}&endTime={end - 1}",
            )
    return rows


@pytest.mark.parametrize("age", AGES)
def test_btse_history_and_fills_explain_the_wallet(age: timedelta) -> None:
    world = World("demo", now=lambda: NOW + age, opened=NOW)
    asker = Asker(Btse(world, key=KEY, secret=SECRET, pace=None, nonce_drift=None), "btse")
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in btse_history(asker):
        if row["status"] == "COMPLETED":
            incoming = row["type"] in {"Deposit", "Transfer_In", "ReferralEarning", "token voucher in"}
            sums[row["currency"]] += row["amount"] - row["fees"] if incoming else -row["amount"]
            if row["targetCurrency"]:
                sums[row["targetCurrency"]] += row["targetAmount"]
    for fill in btse_fills(asker):
        sign = 1 if fill["side"] == "BUY" else -1
        sums[fill["base"]] += sign * fill["filledSize"]
        sums[fill["quote"]] -= sign * fill["filledSize"] * fill["filledPrice"]
        sums[fill["feeCurrency"]] -= fill["feeAmount"]
    told = {row["currency"]: row["total"] for row in read(asker, f"{SPOT}/wallet") if row["total"]}
    assert told == {asset: amount for asset, amount in sums.items() if amount}


@pytest.mark.parametrize("age", AGES)
def test_tethers_transactions_explain_the_balances(age: timedelta) -> None:
    world = World("demo", now=lambda: NOW + age, opened=NOW)
    asker = Asker(Tether(world, key=KEY, secret=SECRET), "tether", now=NOW + age)
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for page in range(1, 30):
        for row in asker(f"/api/v1/transactions/page/{page}").json():
            sums[row["currency"]] += Decimal(row["amount"]) if row["status"] == "completed" else 0
    told = asker("/api/v1/balances.json").json()
    assert {row["currency"]: Decimal(row["confirmed"]) for row in told} == dict(sums)


def test_each_balance_after_a_tether_row_continues_the_one_before() -> None:
    world = World("demo", now=lambda: NOW)
    asker = Asker(Tether(world, key=KEY, secret=SECRET, page_size=1000, order="asc"), "tether")
    running: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in asker("/api/v1/transactions/page/1").json():
        running[row["currency"]] += Decimal(row["amount"]) if row["status"] == "completed" else 0
        assert Decimal(row["balance"]) == running[row["currency"]]


@pytest.mark.parametrize("age", AGES)
def test_tokens_net_trades_explain_the_balances_but_for_the_unlisted_deposits(age: timedelta) -> None:
    world = World("demo", now=lambda: NOW + age, opened=NOW)
    asker = Asker(TokensNet(world, key=KEY, secret=SECRET, page_size=1000), "tokens_net")
    pairs = asker("/public/trading-pairs/get/all/").json()
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in asker("/private/trades/all/1/").json()["trades"]:
        pair, amount = (
            pairs[row["currencyPair"]],
            Decimal(row["amount"]) * (1 if row["type"] == "buy" else -1),
        )
        sums[pair["baseCurrency"].upper()] += amount
        sums[pair["counterCurrency"].upper()] -= amount * Decimal(row["price"])
        sums["DTR"] -= Decimal(row["fee"])
    for deposit in world.tokens_net.rows("transfers"):
        sums[deposit.asset] += deposit.changes[0][1]
    told = asker("/private/balance/all/").json()["balances"]
    assert {code: Decimal(one["total"]) for code, one in told.items()} == {a: s for a, s in sums.items() if s}
