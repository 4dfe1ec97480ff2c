"""The bridge of stored days: its end is the headline, its bars are what happened, its parts sum to it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio.bridge import Bar, bridge
from portfolio.looks import Money, Period, choose, look, money_of
from portfolio.models import DailyHolding, ToldHolding, TransferMatch
from portfolio.valuation import portfolio_of, update
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

NOW = at("2026-03-06", 15)
ZERO = Decimal(0)


@pytest.fixture
def account(alice: User) -> Connection:
    """Dollars came, one bitcoin was bought with a fee, another found; all of it seen today."""
    connection = make_connection(alice, created_at=at("2026-03-05"))
    make_entry(connection, Kind.DEPOSIT, at("2026-03-02"), "1000 USD")
    make_entry(connection, Kind.TRADE, at("2026-03-03"), "-900 USD", "1 BTC", "-5 USD fee")
    make_entry(connection, Kind.INCOME, at("2026-03-04"), "0.1 BTC")
    make_balance(connection, "USD", "95", seen=at("2026-03-05"), until=NOW)
    make_balance(connection, "BTC", "1.1", seen=at("2026-03-05"), until=at("2026-03-05", 13))
    make_balance(connection, "BTC", "2.1", seen=at("2026-03-05", 14), until=NOW)
    make_complete(connection, NOW)
    for day, price in enumerate([910, 1000, 1100, 1200], start=3):
        make_day("BTC", date(2026, 3, day), str(price))
    make_rate("BTC/USD", "1250.123456789", at=NOW)
    update(connection, since=None, now=NOW)
    return connection


def bars(user: User, **which: Any) -> dict[Bar, Decimal]:
    """What is not nothing."""
    made = bridge(look(user, NOW, **which), Money())
    return {bar: amount for bar, amount in made.whole.bars.items() if amount}


@pytest.mark.parametrize("together", [True, False])
def test_what_is_exchanged_for_something_unpriced_is_no_loss(
    account: Connection, alice: User, together: bool
) -> None:
    rows = [["-40 USD", "7 ODD"]] if together else [["-40 USD"], ["7 ODD"]]
    for row in rows:
        make_entry(account, Kind.CONVERSION, at("2026-03-04"), *row)
    before = bars(alice, period=Period.ALL)

    update(account, since=None, now=NOW)

    after = bars(alice, period=Period.ALL)
    assert after[Bar.PRICED] == -40
    assert after[Bar.SPREAD] == before[Bar.SPREAD] == 10


def test_every_bar_is_what_happened(account: Connection, alice: User) -> None:
    found = bars(alice, period=Period.ALL)
    assert found.pop(Bar.PRICES) == 90 + Decimal("1.1") * 100 + Decimal("2.1") * Decimal("150.123456789")
    assert found == {
        Bar.DEPOSITS: 1000,
        Bar.SPREAD: 10,
        Bar.FEES: -5,
        Bar.INCOME: 100,
        Bar.ADDED: 1100,
    }


def test_the_end_is_the_headline(account: Connection, alice: User) -> None:
    made = bridge(look(alice, NOW, period=Period.ALL), Money())
    assert made.whole.closing == portfolio_of(alice, NOW).total_usd
    assert made.whole.opening + sum(made.whole.bars.values(), ZERO) == made.whole.closing


def test_a_span_within_begins_and_ends_at_the_close_of_its_days(account: Connection, alice: User) -> None:
    made = bridge(look(alice, NOW, since=date(2026, 3, 3), until=date(2026, 3, 4)), Money())
    assert [made.whole.opening, made.whole.closing] == [1005, 1195]
    assert {b: a for b, a in made.whole.bars.items() if a} == {Bar.PRICES: 90, Bar.INCOME: 100}


def test_parts_sum_to_the_whole(account: Connection, alice: User) -> None:
    other = make_connection(alice, label="other")
    make_balance(other, "BTC", "3", seen=at("2026-03-04"), until=NOW)
    update(other, since=None, now=NOW)
    made = bridge(look(alice, NOW, period=Period.ALL), Money())
    for parts in (made.by_connection(), made.by_asset()):
        for bar in Bar:
            assert sum((part.bars[bar] for part in parts.values()), ZERO) == made.whole.bars[bar]
        assert sum((part.closing for part in parts.values()), ZERO) == made.whole.closing


def test_one_connection_and_one_asset_are_looked_at_alone(account: Connection, alice: User) -> None:
    assert Bar.DEPOSITS not in bars(alice, period=Period.ALL, asset="BTC")
    assert Bar.DEPOSITS in bars(alice, period=Period.ALL, connection=account.public_id)


def test_a_confirmed_transfer_is_neither_deposit_nor_withdrawal(account: Connection, alice: User) -> None:
    other = make_connection(alice, label="other")
    out = make_entry(account, Kind.WITHDRAWAL, at("2026-03-06", 1), "-1 BTC")
    back = make_entry(other, Kind.DEPOSIT, at("2026-03-06", 2), "0.9 BTC")
    make_balance(account, "BTC", "1.1", seen=at("2026-03-06", 3), until=NOW)
    make_balance(other, "BTC", "0.9", seen=at("2026-03-06", 3), until=NOW)
    for connection in (account, other):
        update(connection, since=date(2026, 3, 6), now=NOW)
    TransferMatch.objects.create(user=alice, outgoing=out, incoming=back, state="confirmed", score=100)
    found = bars(alice, since=date(2026, 3, 5))
    assert found[Bar.OWN] == Decimal("-0.1") * Decimal("1250.123456789")
    assert Bar.WITHDRAWALS not in found and Bar.DEPOSITS not in found


def test_what_was_told_otherwise_at_the_close_is_late(account: Connection, alice: User) -> None:
    ToldHolding.objects.create(connection=account, asset="USD", day=date(2026, 3, 4), value_usd=Decimal(90))
    made = bridge(look(alice, NOW, since=date(2026, 3, 4)), Money())
    assert made.whole.opening == 90
    assert made.whole.bars[Bar.LATE] == 5 + 1100


def test_usdt_is_a_dollar_at_par_and_what_it_trades_for_at_the_market(alice: User) -> None:
    connection = make_connection(alice)
    make_balance(connection, "USDT", "100", seen=at("2026-03-04"), until=NOW)
    make_day("USDT", date(2026, 3, 4), "0.99")
    make_rate("USDT/USD", "0.98", at=NOW)
    update(connection, since=None, now=NOW)
    which = look(alice, NOW, period=Period.ALL)
    assert bridge(which, Money()).whole.closing == 98
    assert bridge(which, Money(at_par=True)).whole.closing == 100


def test_another_currency_is_taken_at_the_rate_of_each_day(account: Connection, alice: User) -> None:
    for day in range(1, 7):
        make_day("EUR", date(2026, 3, day), "1.25" if day < 5 else "1")
    choose(alice, "EUR", at_par=False)
    which = look(alice, NOW, since=date(2026, 3, 4), until=date(2026, 3, 5))
    made = bridge(which, money_of(which)).whole
    assert (made.opening, made.closing) == (Decimal("1195") * Decimal("0.8"), 95 + Decimal("2.1") * 1100)
    assert made.bars[Bar.FX] == 1195 * Decimal("0.2")
    assert made.opening + sum(made.bars.values(), ZERO) == made.closing


def test_without_a_rate_at_an_end_there_is_a_reason(account: Connection, alice: User) -> None:
    choose(alice, "GBP", at_par=False)
    which = look(alice, NOW, since=date(2026, 3, 4))
    assert bridge(which, money_of(which)).reason == "There is no rate of GBP for 2026-03-06."


def test_the_days_before_the_first_are_not_looked_at(account: Connection, alice: User) -> None:
    which = look(alice, NOW, since=date(1999, 1, 1))
    assert which.since == date(2026, 3, 1)
    assert DailyHolding.objects.for_user(alice).filter(day__lte=which.since).count() == 0
