"""What the ledger moved by day, kind and role; what was told when a day closed; prices that one user gave."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio.models import Correction, DailyFlow, DailyHolding, ToldHolding
from portfolio.rates import Repriced
from portfolio.valuation import close_day, portfolio_of, reprice, update
from portfolio.valuation.update import tell
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_day
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

NOW = at("2026-03-06", 15)


@pytest.fixture
def account(alice: User) -> Connection:
    """A thousand dollars, most of it put into a token, with a fee."""
    connection = make_connection(alice)
    make_entry(connection, Kind.DEPOSIT, at("2026-03-02"), "1000 USD")
    make_entry(connection, Kind.TRADE, at("2026-03-03"), "-900 USD", "10 TOK", "-1 USD fee")
    make_balance(connection, "USD", "99", seen=at("2026-03-05"), until=NOW)
    make_balance(connection, "TOK", "10", seen=at("2026-03-05"), until=NOW)
    make_complete(connection, NOW)
    update(connection, since=None, now=NOW)
    return connection


def say(user: User, day: date, price: str) -> None:
    """The user gives a price."""
    Correction.objects.create(
        user=user, author=user, kind="price", asset="TOK", day=day, amount=Decimal(price)
    )


def flows() -> list[tuple[object, ...]]:
    """All that is kept."""
    rows = DailyFlow.objects.order_by("day", "asset", "role")
    return list(rows.values_list("day", "asset", "kind", "role", "amount", "count"))


def test_what_moved_is_kept_by_day_kind_and_role(account: Connection) -> None:
    assert flows() == [
        (date(2026, 3, 2), "USD", "deposit", "principal", Decimal(1000), 1),
        (date(2026, 3, 3), "TOK", "trade", "principal", Decimal(10), 1),
        (date(2026, 3, 3), "USD", "trade", "fee", Decimal(-1), 1),
        (date(2026, 3, 3), "USD", "trade", "principal", Decimal(-900), 1),
    ]


def test_telling_some_days_again_is_telling_all(account: Connection) -> None:
    make_entry(account, Kind.INCOME, at("2026-03-04"), "2 USD")
    update(account, since=date(2026, 3, 4), now=NOW)
    some = flows()
    update(account, since=None, now=NOW)
    assert some == flows()
    assert len(some) == 5


def test_a_row_that_is_taken_back_leaves_no_flow(account: Connection) -> None:
    account.transactions.filter(kind=Kind.TRADE).delete()
    update(account, since=None, now=NOW)
    assert len(flows()) == 1


def test_what_was_told_at_the_close_stays(account: Connection) -> None:
    close_day(NOW)
    make_day("TOK", date(2026, 3, 5), "100")
    reprice([Repriced(asset="TOK", first=date(2026, 3, 5), last=date(2026, 3, 5))], NOW)
    tell(account, date(2026, 3, 5))
    told = ToldHolding.objects.of(account).order_by("asset").values_list("asset", "value_usd")
    assert list(told) == [("TOK", None), ("USD", Decimal(99))]
    assert DailyHolding.objects.get(asset="TOK", day=date(2026, 3, 5)).value_usd == 1000


def test_a_price_of_ones_own_counts_for_oneself_alone(account: Connection, bob: User) -> None:
    other = make_connection(bob)
    make_balance(other, "TOK", "10", seen=at("2026-03-05"), until=NOW)
    make_day("TOK", date(2026, 3, 5), "90")
    say(account.user, date(2026, 3, 5), "100")
    for connection in (account, other):
        update(connection, since=None, now=NOW)
    reprice([Repriced(asset="TOK", first=date(2026, 3, 5), last=date(2026, 3, 5))], NOW)
    values = DailyHolding.objects.filter(asset="TOK", day=date(2026, 3, 5)).order_by("connection")
    assert [row.value_usd for row in values] == [1000, 900]


def test_a_price_of_ones_own_serves_two_days(account: Connection) -> None:
    say(account.user, date(2026, 3, 3), "100")
    update(account, since=None, now=NOW)
    values = DailyHolding.objects.filter(asset="TOK").order_by("day").values_list("value_usd", flat=True)
    assert list(values) == [1000, 1000, 1000, None]


def test_what_nobody_else_prices_is_worth_what_its_owner_says(account: Connection, bob: User) -> None:
    say(account.user, date(2026, 3, 5), "100")
    assert portfolio_of(account.user, NOW).total_usd == 1099
    say(bob, date(2026, 3, 6), "7")
    assert portfolio_of(account.user, NOW).total_usd == 1099
