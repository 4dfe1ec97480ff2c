"""What a user owns now, and that its parts are the whole."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Connection, User
from exchanges.catalog import EXCHANGES
from portfolio.valuation import Holding, Portfolio, portfolio_of, usd
from tests.conftest import make_connection
from tests.portfolio.rates_rows import NOW, make_rate
from tests.portfolio.valuation_rows import make_balance

HOUR = timedelta(hours=1)


def test_nothing_is_worth_nothing_and_wholly_priced(alice: User) -> None:
    nothing = portfolio_of(alice, NOW)
    assert nothing.total_usd == nothing.held == 0
    assert nothing.priced_share == 1 and nothing.unpriced == ()


def test_the_total_is_quantity_times_price(alice: User) -> None:
    make_rate("BTC/USD", "60000.01")
    make_balance(make_connection(alice), "BTC", "1.5", seen=NOW, available="1")
    mine = portfolio_of(alice, NOW)
    assert mine.total_usd == Decimal("90000.015")
    assert mine.holdings[0].locked == Decimal("0.5")


def test_what_is_unpriced_is_left_out_named_and_counted_never_zero(alice: User) -> None:
    make_rate("BTC/USD", "60000")
    connection = make_connection(alice)
    make_balance(connection, "BTC", "1", seen=NOW)
    make_balance(connection, "GIFT", "5", seen=NOW)
    mine = portfolio_of(alice, NOW)
    assert (mine.total_usd, mine.priced_share) == (Decimal(60000), Decimal("0.5"))
    assert mine.unpriced == ("GIFT",)
    assert [part.value_usd for part in mine.by_asset()] == [60000, None]


def test_what_is_pending_is_shown_but_not_added(alice: User) -> None:
    make_rate("BTC/USD", "60000")
    make_balance(make_connection(alice), "BTC", "0", seen=NOW, pending="2")
    mine = portfolio_of(alice, NOW)
    assert mine.total_usd == mine.held == 0
    assert mine.holdings[0].pending == 2


def test_an_asset_that_is_gone_is_not_listed(alice: User) -> None:
    make_balance(make_connection(alice), "BTC", "0", seen=NOW)
    assert portfolio_of(alice, NOW).holdings == ()


def test_the_newest_balance_counts_and_a_past_moment_sees_that_of_its_time(alice: User) -> None:
    connection = make_connection(alice)
    make_balance(connection, "BTC", "1", seen=NOW - 5 * HOUR)
    make_balance(connection, "BTC", "2", seen=NOW)
    assert [
        portfolio_of(alice, NOW - HOUR).holdings[0].quantity,
        portfolio_of(alice, NOW).holdings[0].quantity,
    ] == [1, 2]


def test_the_oldest_price_tells_how_old_the_total_is(alice: User) -> None:
    make_rate("BTC/USD", "60000", at=NOW - HOUR)
    connection = make_connection(alice)
    make_balance(connection, "BTC", "1", seen=NOW)
    make_balance(connection, "USD", "1", seen=NOW)
    assert portfolio_of(alice, NOW).oldest_price_at == NOW - HOUR


def test_other_peoples_holdings_are_not_mine(alice: User, bob: User) -> None:
    make_balance(make_connection(bob), "BTC", "1", seen=NOW)
    assert portfolio_of(alice, NOW).holdings == ()


def test_the_number_of_queries_does_not_grow_with_what_is_held(
    alice: User, django_assert_num_queries: Any
) -> None:
    for exchange in EXCHANGES:
        connection = make_connection(alice, exchange)
        for n in range(10):
            make_balance(connection, f"A{n}", "1", seen=NOW)
    with django_assert_num_queries(4):
        portfolio_of(alice, NOW).by_connection()


def test_a_value_beyond_belief_stays_unpriced() -> None:
    assert usd(Decimal(10) ** 19, Decimal(10) ** 19) is None


@pytest.mark.parametrize(
    ("quantity", "value"), [("0.000000000000000001", "0"), ("0.000000000000000003", "2E-18"), ("-1", "-0.5")]
)
def test_values_are_cut_to_eighteen_places_half_to_even(quantity: str, value: str) -> None:
    assert usd(Decimal(quantity), Decimal("0.5")) == Decimal(value)


amounts = st.decimals(min_value="0", max_value="99999999", places=18)
rows = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from(list(EXCHANGES)), amounts, st.none() | amounts),
    max_size=12,
)


@given(rows)
def test_the_parts_sum_to_the_total_to_the_last_digit(rows: list[Any]) -> None:
    held = tuple(
        Holding(
            connection=Connection(public_id=exchange, exchange=exchange, label=exchange),
            asset=asset,
            quantity=quantity,
            available=quantity,
            pending=Decimal(0),
            as_of=NOW,
            snapshot_id=n,
            price=None,
            value_usd=usd(quantity, price),
        )
        for n, (asset, exchange, quantity, price) in enumerate(rows)
    )
    whole = Portfolio(at=NOW, holdings=held)
    for parts in (whole.by_asset(), whole.by_exchange(), whole.by_connection()):
        assert sum((part.value_usd or 0 for part in parts), Decimal(0)) == whole.total_usd
        assert sum(len(part.holdings) for part in parts) == len(held)
