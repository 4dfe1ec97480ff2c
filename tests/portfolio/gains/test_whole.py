"""From rows in the store to the report: published answers, and two months at all three sandbox exchanges."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import groupby
from typing import Any

import pytest

from accounts.models import Connection, User
from exchanges.records import Kind as LedgerKind
from portfolio import gains, transfers
from portfolio.lots import Kind
from portfolio.models import (
    DailyPrice,
    GainDisposal,
    GainHolding,
    GainLot,
    GainProblem,
    GainsChoice,
    GainsReport,
    GainTotal,
    Posting,
)
from portfolio.models.gains import METHODS
from portfolio.rates import FIAT, closing_time
from tests.conftest import make_connection
from tests.known_answers import known_answer
from tests.portfolio.desks import desk
from tests.portfolio.valuation_rows import at, make_entry

pytestmark = pytest.mark.django_db
NOW = at("2025-06-01")
ZERO = Decimal(0)


def traded(connection: Connection, when: datetime, quantity: str, value: Decimal) -> None:
    """A purchase (+) or a sale (-) for so many dollars."""
    sign = -1 if quantity.startswith("-") else 1
    make_entry(connection, LedgerKind.TRADE, when, f"{quantity} BTC", f"{-sign * value} USD")


def realised() -> Decimal:
    """All gains of all years."""
    return sum(GainTotal.objects.of(GainsReport.objects.get()).values_list("gain", flat=True), ZERO)


def test_hmrc_pools_its_own_example(alice: User) -> None:
    case = known_answer("hmrc-22251")
    here = make_connection(alice)
    for day, quantity, value in case["tx"]:
        traded(here, at(f"2020-{day}"), quantity, Decimal(value))
    GainsChoice.objects.create(user=alice, method="uk")
    gains.compute(alice, NOW)
    assert realised() == Decimal(case["expected_gain"])
    lot = GainLot.objects.get(until=None)
    assert [f"{lot.quantity:f}", f"{lot.cost:f}"] == case["closing_pool"]


@pytest.mark.parametrize("method", [name for name, _ in METHODS])
def test_the_profit_of_the_whole_does_not_depend_on_the_method(alice: User, method: str) -> None:
    case = known_answer("ghostfolio-identity")
    here = make_connection(alice)
    for day, side, quantity, price in case["tx"]:
        sign = "-" if side == "SELL" else ""
        traded(here, at(day), sign + quantity, Decimal(quantity) * Decimal(price))
    GainsChoice.objects.create(user=alice, method=method)
    gains.compute(alice, NOW)
    held = GainHolding.objects.get(until=None)
    assert held.quantity == Decimal(case["expected_quantity"])
    unrealised = held.quantity * Decimal(case["price_now"]) - held.cost
    assert realised() + unrealised == Decimal(case["expected_total_pnl"])


@pytest.mark.parametrize(("per_account", "expected"), [(False, "universal"), (True, "per_account")])
def test_two_exchanges_count_together_or_apart(alice: User, per_account: bool, expected: str) -> None:
    case = known_answer("forum-two-exchanges")
    accounts = {name: make_connection(alice, label=name) for name in ("E1", "E2")}
    for account, day, quantity, price in case["tx"]:
        value = abs(Decimal(quantity)) * Decimal(price)
        traded(accounts[account], at("2024-01-01") + timedelta(days=int(day[1:])), quantity, value)
    GainsChoice.objects.create(user=alice, per_account=per_account)
    gains.compute(alice, NOW)
    assert realised() == Decimal(case[f"expected_{expected}"])


@pytest.fixture
def synced(alice: User) -> datetime:
    """Two months at each of the exchanges, read over their own wire, with a price for each day; when they ended."""
    desks = [desk(alice, name) for name in ("btse", "tether", "tokens_net")]
    for each in desks:
        each.sync()
    now = max(each.at.clock.now() for each in desks)
    days = {at.date() for at in Posting.objects.values_list("occurred_at", flat=True)}
    assets = set(Posting.objects.values_list("asset", flat=True)) | {"USD", "EUR", "CNY", "MXN"}
    DailyPrice.objects.all().delete()
    DailyPrice.objects.bulk_create(
        DailyPrice(
            asset=asset, day=day, price_usd=len(asset) * 100 + day.day, source="test", route="test",
            at=closing_time(day), carried_days=0,
        )
        for asset in assets - {"USD"} for day in days
    )  # fmt: skip
    transfers.suggest(alice, now)
    return now


def paid_and_received(user: User, now: datetime) -> Decimal:
    """What disposals brought less what everything cost."""
    sum_ = ZERO
    for item in gains.Stream(user, now).items({}):
        if isinstance(item, gains.Line):
            movement = item.movement
            out = movement.kind in (Kind.SELL, Kind.SPEND)
            sum_ += movement.value - movement.fee if out else -movement.value - movement.fee
    return sum_


def by(rows: Any, *names: str) -> dict[tuple[Any, ...], Decimal]:
    """The sums of gains, told apart by some fields."""
    told = sorted(rows.values_list(*names, "gain"), key=lambda row: row[:-1])
    return {key: sum((row[-1] for row in of), ZERO) for key, of in groupby(told, key=lambda row: row[:-1])}


@pytest.mark.parametrize("per_account", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize("method", [name for name, _ in METHODS])
def test_nothing_appears_and_nothing_is_lost(
    alice: User, synced: datetime, method: str, per_account: bool
) -> None:
    GainsChoice.objects.create(user=alice, method=method, per_account=per_account)
    report = gains.compute(alice, synced)
    assert report and report.movements > 50
    disposals, lots = GainDisposal.objects.of(report), GainLot.objects.of(report)
    totals = GainTotal.objects.of(report).exclude(reason="income")
    with localcontext(gains.EXACT):
        gained = sum(disposals.values_list("gain", flat=True), ZERO)
        cost = sum(lots.values_list("cost", flat=True), ZERO)
        assert gained - cost - report.unplaced_fees == paid_and_received(alice, synced)
        for names in (("year",), ("reason",), ("asset",), ("year", "asset", "reason")):
            assert by(disposals, *names) == by(totals, *names)


def test_what_is_held_is_what_the_ledger_says(alice: User, synced: datetime) -> None:
    report = gains.compute(alice, synced)
    ledger: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for asset, amount in Posting.objects.counted().exclude(asset__in=FIAT).values_list("asset", "amount"):
        ledger[asset] += amount
    for asset, quantity in (
        GainProblem.objects.of(report).filter(code="short").values_list("asset", "quantity")
    ):
        ledger[asset] += quantity or ZERO
    held = {one.asset: one.quantity - one.away for one in GainHolding.objects.of(report)}
    assert held == {asset: amount for asset, amount in ledger.items() if amount or asset in held}
