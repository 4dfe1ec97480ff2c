"""Amounts and prices at the very ends of what can be stored: no digit is lost on the way, and nothing breaks."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio import bridge, proofs
from portfolio.models import DailyFlow, DailyHolding, DailyWorth
from portfolio.rates import Repriced
from portfolio.valuation import networth, portfolio_of, reprice, update
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

NOW = at("2026-03-06", 15)
LONG, OTHER = "12345678901234567.123456789012345678", "7654321098765432.876543210987654321"
LEAST, MOST = "0.000000000000000001", "1000000000000000000"


def owning(user: User, asset: str, *amounts: str) -> Connection:
    """An account into which these amounts came on two days."""
    connection = make_connection(user)
    for n, amount in enumerate(amounts):
        make_entry(connection, Kind.DEPOSIT, at(f"2026-03-0{3 + n}"), f"{amount} {asset}")
    total = sum(map(Decimal, amounts), Decimal(0))
    make_balance(connection, asset, f"{total:f}", seen=at("2026-03-05"), until=NOW)
    make_complete(connection, NOW)
    return connection


@pytest.mark.parametrize("price", [LEAST, "0.000123", "1"])
def test_the_last_of_thirty_five_digits_reaches_the_days(alice: User, price: str) -> None:
    account = owning(alice, "TOK", LONG, OTHER)
    make_day("TOK", date(2026, 3, 5), price)

    update(account, since=None, now=NOW)

    row = DailyHolding.objects.get(day=date(2026, 3, 5))
    whole = Decimal(LONG) + Decimal(OTHER)
    assert (row.quantity, row.unexplained) == (whole, 0)
    assert len(f"{whole}".replace(".", "")) >= 35
    assert row.value_usd in (None, (whole * Decimal(price)).quantize(Decimal(LEAST)))
    assert (row.value_usd is None) is (whole * Decimal(price) >= 10**15)


def test_a_price_of_a_trillion_millions_is_not_believed_and_breaks_nothing(alice: User) -> None:
    account = owning(alice, "TOK", LONG, OTHER)
    make_rate("TOK/USD", MOST, at=NOW)
    update(account, since=None, now=NOW)
    make_day("TOK", date(2026, 3, 5), MOST)
    reprice([Repriced(asset="TOK", first=date(2026, 3, 5), last=date(2026, 3, 5))], NOW)
    bridge.keep(account, NOW)

    assert portfolio_of(alice, NOW).unpriced == ("TOK",)
    assert set(DailyWorth.objects.values_list("value_usd", flat=True)) == {0}
    assert networth(alice, None, NOW)[-1].value_usd is None


def test_a_speck_at_the_highest_price_is_worth_a_dollar(alice: User) -> None:
    account = owning(alice, "TOK", LEAST)
    make_day("TOK", date(2026, 3, 6), MOST)

    update(account, since=None, now=NOW)

    assert DailyWorth.objects.get(day=NOW.date()).value_usd == 1


def test_a_sum_that_is_no_amount_any_more_is_left_out_and_the_rest_is_told(alice: User) -> None:
    most = "99999999999999999999"
    account = owning(alice, "USD", "7")
    for day, amount in ((3, most), (4, most), (5, f"-{most}"), (5, f"-{most}")):
        make_entry(account, Kind.DEPOSIT, at(f"2026-03-0{day}", 9), f"{amount} TOK")
    make_balance(account, "TOK", "0", seen=at("2026-03-05"), until=NOW)

    proofs.update(account, since=None, now=NOW)
    update(account, since=None, now=NOW)

    told = DailyHolding.objects.filter(asset="TOK").values_list("day", "quantity")
    assert list(told) == [(date(2026, 3, 3), Decimal(most))]
    assert DailyFlow.objects.filter(asset="TOK").count() == 2
    assert DailyWorth.objects.get(day=NOW.date()).value_usd == 7
