"""Reports of gains: computed from the store, switched to whole, and not computed again for nothing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import Connection, User
from exchanges.catalog import ExchangeName
from exchanges.records import Kind
from portfolio import gains, transfers
from portfolio.corrections import correct_cost, correct_kind, enter, set_price, undo
from portfolio.models import (
    Correction,
    GainDisposal,
    GainHolding,
    GainLot,
    GainProblem,
    GainsChoice,
    GainsReport,
    GainsState,
    GainTotal,
    ManualEntry,
    ManualKind,
    PriceHistory,
    TransferMatch,
    Treatment,
)
from portfolio.rates import Repriced
from tests.conftest import make_connection
from tests.portfolio.rates_rows import NOW, make_day
from tests.portfolio.valuation_rows import at, make_entry

DAYS = ("2024-01-10", "2025-06-01")


@pytest.fixture
def mine(alice: User) -> Connection:
    """Bitcoin bought in 2024 and in part sold in 2025."""
    connection = make_connection(alice, label="BTSE")
    make_entry(connection, Kind.TRADE, at(DAYS[0]), "2 BTC", "-80000 USD", "-20 USD fee")
    make_entry(connection, Kind.TRADE, at(DAYS[1]), "-1 BTC", "60000 USD", "-30 USD fee")
    return connection


def test_a_report_holds_disposals_lots_totals_and_holdings(alice: User, mine: Connection) -> None:
    report = gains.compute(alice, NOW)
    sold = GainDisposal.objects.get()
    assert (sold.proceeds, sold.cost, sold.gain) == (59970, 40010, 19960)
    assert (sold.year, sold.term, sold.reason, sold.account) == (2025, "long", "sale", "BTSE")
    assert GainLot.objects.get().cost == 40010
    assert GainTotal.objects.get().long_gain == 19960
    assert GainHolding.objects.get().quantity == 1
    assert GainsState.objects.get().report == report and not GainProblem.objects.exists()


def test_the_same_inputs_are_not_stored_twice(alice: User, mine: Connection) -> None:
    first = gains.compute(alice, NOW)
    later = NOW + timedelta(hours=1)
    gains.want(alice, later - timedelta(minutes=1))
    assert gains.waiting(later) == [alice.pk]
    assert gains.compute(alice, later) == first and gains.waiting(later) == []
    assert GainsState.objects.get().checked_at == later


def test_a_changed_ledger_replaces_the_report_whole(alice: User, mine: Connection) -> None:
    first = gains.compute(alice, NOW)
    make_entry(mine, Kind.TRADE, NOW, "-1 BTC", "70000 USD")
    second = gains.compute(alice, NOW)
    assert first and second and first.fingerprint != second.fingerprint
    assert GainsReport.objects.get() == second
    assert GainDisposal.objects.count() == 2 and not GainLot.objects.exists()


def test_a_change_while_it_computes_is_not_forgotten(alice: User, mine: Connection) -> None:
    GainsState.objects.create(user=alice, wanted_at=NOW, started_at=NOW)
    soon = NOW + timedelta(minutes=1)
    assert gains.compute(alice, soon) is None and gains.waiting(soon) == []
    later = NOW + timedelta(minutes=20)
    assert gains.waiting(later) == [alice.pk] and gains.compute(alice, later) is not None


def test_the_method_chosen_for_a_year_counts(alice: User, mine: Connection) -> None:
    make_entry(mine, Kind.TRADE, at("2025-01-10"), "1 BTC", "-90000 USD")
    GainsChoice.objects.create(user=alice, since_year=2025, method="hifo")
    gains.compute(alice, NOW)
    assert GainDisposal.objects.get().gain == 59970 - 90000


def test_an_own_transfer_keeps_lot_and_cost(alice: User, mine: Connection) -> None:
    other = make_connection(alice, ExchangeName.TETHER, label="Other")
    make_entry(mine, Kind.WITHDRAWAL, at("2025-07-01"), "-1 BTC")
    make_entry(other, Kind.DEPOSIT, at("2025-07-01", 13), "1 BTC")
    GainsChoice.objects.create(user=alice, per_account=True)
    transfers.suggest(alice, NOW)
    transfers.confirm(TransferMatch.objects.get(), alice, NOW)
    gains.compute(alice, NOW)
    lot = GainLot.objects.get()
    assert (lot.account, lot.cost, lot.acquired) == ("Other", 40010, at(DAYS[0]))
    assert not GainProblem.objects.exists()


def test_corrections_count_until_they_are_undone(alice: User, mine: Connection) -> None:
    make_day("BTC", date(2025, 8, 1), "100000")
    got = make_entry(mine, Kind.DEPOSIT, at("2025-08-01"), "1 BTC")
    correct_cost(alice, got, Decimal(1), NOW)
    said = correct_cost(alice, got, Decimal(7), NOW)
    gains.compute(alice, NOW)
    assert GainHolding.objects.get().cost == 40017
    undo(said, NOW)
    gains.compute(alice, NOW)
    assert GainHolding.objects.get().cost == 140010
    assert GainProblem.objects.get().code == "cost_unknown"
    assert Correction.objects.filter(undone_at=NOW, author=alice).count() == 2


def test_the_users_word_on_a_withdrawal_realises_it(alice: User, mine: Connection) -> None:
    gone = make_entry(mine, Kind.WITHDRAWAL, at("2025-08-01"), "-1 BTC")
    gains.compute(alice, NOW)
    assert GainHolding.objects.get().away == 1 and GainDisposal.objects.count() == 1
    correct_kind(alice, gone, Treatment.SPENT, NOW)
    set_price(alice, "BTC", date(2025, 8, 1), Decimal(50010), NOW)
    gains.compute(alice, NOW)
    assert GainDisposal.objects.get(reason="spent").gain == 10000


def test_a_row_of_ones_own_enters_the_gains(alice: User) -> None:
    entry = ManualEntry(
        account="Safe",
        identity="1",
        kind=ManualKind.BUY,
        asset="BTC",
        quantity=Decimal(2),
        value_usd=Decimal(10),
        occurred_at=NOW,
    )
    said = enter(alice, entry, NOW)
    gains.compute(alice, NOW)
    assert GainLot.objects.get().account == "" and GainHolding.objects.get().cost == 10
    undo(said, NOW)
    gains.compute(alice, NOW)
    assert not GainLot.objects.exists()


def test_what_is_unpriced_is_reported_and_its_price_asked_for(alice: User, mine: Connection) -> None:
    make_entry(mine, Kind.DEPOSIT, at("2025-08-01"), "5 XYZ")
    gains.compute(alice, NOW)
    assert GainProblem.objects.get().code == "unpriced"
    assert PriceHistory.objects.get(asset="XYZ").wanted_since == date(2025, 8, 1)
    day = date(2025, 8, 1)
    gains.want_where_priced([Repriced(asset="XYZ", first=day + timedelta(days=1), last=day)], NOW)
    gains.want_where_priced([Repriced(asset="ETH", first=day, last=day)], NOW)
    assert gains.waiting(NOW + timedelta(hours=1)) == []
    gains.want_where_priced([Repriced(asset="XYZ", first=day, last=day)], NOW)
    assert GainsState.objects.get().since == at("2025-08-01", 0)
    assert gains.waiting(NOW + timedelta(hours=1)) == [alice.pk]


def test_gains_are_looked_at_once_a_day(alice: User, mine: Connection) -> None:
    gains.compute(alice, NOW)
    gains.want_daily(NOW + timedelta(hours=1))
    assert gains.waiting(NOW + timedelta(hours=2)) == []
    gains.want_daily(NOW + timedelta(days=1))
    assert gains.waiting(NOW + timedelta(days=2)) == [alice.pk]


def test_more_sold_than_held_is_reported_at_zero_cost(alice: User, mine: Connection) -> None:
    make_entry(mine, Kind.TRADE, NOW, "-3 BTC", "3 USD")
    gains.compute(alice, NOW)
    short = GainProblem.objects.get(code="short")
    assert short.quantity == 2 and GainDisposal.objects.get(match="missing").cost == 0


def test_the_number_of_queries_does_not_grow_with_the_history(alice: User, mine: Connection) -> None:
    with CaptureQueriesContext(database) as first:
        gains.compute(alice, NOW)
    GainsReport.objects.all().delete()
    for day in range(1, 20):
        make_entry(mine, Kind.TRADE, at("2025-09-01") + timedelta(days=day), "1 BTC", "-9 USD")
    with CaptureQueriesContext(database) as second:
        gains.compute(alice, NOW)
    assert len(second) <= len(first) + 2


def test_somebody_elses_ledger_is_not_in_mine(alice: User, bob: User, mine: Connection) -> None:
    report = gains.compute(bob, NOW)
    assert report is not None and report.movements == 0
    assert not GainDisposal.objects.for_user(bob).exists()


def test_an_amount_beyond_belief_is_left_out_and_said(alice: User, mine: Connection) -> None:
    most = "9" * 20
    for _ in range(3):
        make_entry(mine, Kind.INCOME, at("2025-05-01"), f"{most} BTC")
        make_entry(mine, Kind.TRADE, at("2025-05-02"), f"-{most} BTC", f"{most} USD")
    gains.compute(alice, NOW)
    assert GainsState.objects.get().error == "" and GainHolding.objects.get().quantity == 1
    assert GainProblem.objects.filter(code="too_large").count() == 6


def test_uk_years_are_tax_years_of_london(alice: User, mine: Connection) -> None:
    GainsChoice.objects.create(user=alice, method="uk")
    make_entry(mine, Kind.TRADE, at("2025-04-05", 22), "-0.1 BTC", "10 USD")
    make_entry(mine, Kind.TRADE, at("2025-04-05", 23), "-0.1 BTC", "10 USD")
    gains.compute(alice, NOW)
    years = GainDisposal.objects.order_by("number").values_list("year", flat=True)
    assert list(years) == [2024, 2025, 2025]


def test_the_earliest_change_counts_and_the_beginning_is_the_earliest(alice: User, mine: Connection) -> None:
    gains.want(alice, NOW, since=at("2025-06-01"))
    gains.want(alice, NOW, since=at("2025-03-01"))
    gains.want(alice, NOW, since=at("2025-05-01"))
    assert GainsState.objects.get().since == at("2025-03-01")
    gains.want(alice, NOW)
    gains.want(alice, NOW, since=at("2025-05-01"))
    assert GainsState.objects.get().since is None
