"""The daily rows: kept by each sync, equal to telling everything again, valued again when prices come later."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Connection, User
from exchanges.catalog import ExchangeName
from exchanges.records import Kind, Status
from portfolio.models import Certainty, DailyHolding, DailyWorth, PriceHistory, WorthPoint
from portfolio.rates import Repriced
from portfolio.valuation import close_day, mark, portfolio_of, reprice, update
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

NOW = at("2026-03-06", 15)
HOLDING = ("asset", "day", "quantity", "certainty", "value_usd", "flow", "flow_usd", "unexplained")
WORTH = ("day", "value_usd", "flow_usd", "held", "priced", "uncertain")


@pytest.fixture
def account(alice: User) -> Connection:
    """Bought one bitcoin of a thousand dollars, sold half; balances were first read on 5 March."""
    connection = make_connection(alice)
    make_entry(connection, Kind.DEPOSIT, at("2026-03-02"), "1000 USD")
    make_entry(connection, Kind.TRADE, at("2026-03-03"), "-900 USD", "1 BTC")
    make_entry(connection, Kind.TRADE, at("2026-03-04"), "500 USD", "-0.5 BTC")
    make_entry(connection, Kind.DEPOSIT, at("2026-03-04"), "7 USD", status=Status.PENDING)
    make_balance(connection, "USD", "600", seen=at("2026-03-05"), until=NOW)
    make_balance(connection, "BTC", "0.5", seen=at("2026-03-05"), until=NOW)
    make_complete(connection, NOW)
    for day, price in enumerate([900, 1000, 1100, 1200], start=3):
        make_day("BTC", date(2026, 3, day), str(price))
    return connection


def holdings(connection: Connection) -> list[tuple[Any, ...]]:
    """All daily holdings."""
    return list(DailyHolding.objects.of(connection).order_by("asset", "day").values_list(*HOLDING))


def worth(connection: Connection) -> list[tuple[Any, ...]]:
    """All daily sums."""
    return list(DailyWorth.objects.of(connection).order_by("day").values_list(*WORTH))


def values(connection: Connection) -> list[Decimal]:
    """What each day was worth."""
    return [row[1] for row in worth(connection)]


def test_the_whole_history_is_told_from_the_ledger_before_the_first_balance(account: Connection) -> None:
    update(account, since=None, now=NOW)
    assert values(account) == [1000, 1000, 1100, 1150, 1200]
    assert [row[2] for row in worth(account)] == [1000, 0, 0, 0, 0]
    known = DailyHolding.objects.filter(asset="BTC").order_by("day").values_list("certainty", flat=True)
    assert list(known) == [Certainty.LEDGER, Certainty.LEDGER, Certainty.SNAPSHOT, Certainty.SNAPSHOT]


def test_telling_again_writes_nothing(account: Connection, django_assert_max_num_queries: Any) -> None:
    update(account, since=None, now=NOW)
    before = [(row.pk, row.value_usd) for row in DailyHolding.objects.order_by("pk")]
    update(account, since=None, now=NOW)
    assert [(row.pk, row.value_usd) for row in DailyHolding.objects.order_by("pk")] == before


def test_days_are_added_as_they_come_and_equal_telling_everything_again(account: Connection) -> None:
    update(account, since=None, now=NOW)
    later = at("2026-03-09")
    make_entry(account, Kind.WITHDRAWAL, at("2026-03-08"), "-99 USD", "-1 USD fee")
    account.balances.update(last_seen=at("2026-03-08", 1))
    make_balance(account, "USD", "500", seen=later)
    update(account, since=date(2026, 3, 8), now=later)
    in_steps = (holdings(account), worth(account))
    update(account, since=None, now=later)
    assert (holdings(account), worth(account)) == in_steps
    assert len(in_steps[1]) == 8


def test_another_sync_on_the_day_of_the_first_does_not_tell_the_past_again(account: Connection) -> None:
    first = at("2026-03-05", 13)
    account.balances.update(last_seen=first)
    update(account, since=None, now=first)
    DailyHolding.objects.filter(day=date(2026, 3, 3)).delete()
    update(account, since=first.date(), now=first + timedelta(hours=1))
    assert not DailyHolding.objects.filter(day=date(2026, 3, 3)).exists()
    make_entry(account, Kind.DEPOSIT, at("2026-03-05", 9), "1 BTC")
    update(account, since=first.date(), now=first + timedelta(hours=2))
    assert DailyHolding.objects.get(day=date(2026, 3, 3)).asset == "BTC", (
        "a row before the first balance matters"
    )


def test_a_late_row_changes_the_past_from_its_day_on(account: Connection) -> None:
    update(account, since=None, now=NOW)
    make_entry(account, Kind.DEPOSIT, at("2026-03-03"), "50 USD")
    update(account, since=date(2026, 3, 3), now=NOW)
    in_steps = (holdings(account), worth(account))
    update(account, since=None, now=NOW)
    assert (holdings(account), worth(account)) == in_steps
    assert worth(account)[0][-1] == 1, "the ledger no longer adds up to what was seen"


def test_an_asset_seen_for_the_first_time_is_a_flow_and_never_a_gain(alice: User) -> None:
    connection = make_connection(alice, ExchangeName.TOKENS_NET)
    make_balance(connection, "USD", "100", seen=NOW)
    update(connection, since=None, now=NOW)
    assert worth(connection) == [(NOW.date(), 100, 100, 1, 1, 0)]


def test_what_was_there_on_the_first_day_stays_a_flow_when_the_day_is_told_again(alice: User) -> None:
    connection = make_connection(alice, ExchangeName.TOKENS_NET)
    make_balance(connection, "BTC", "2", seen=NOW)
    update(connection, since=NOW.date(), now=NOW)

    update(connection, since=NOW.date(), now=NOW + timedelta(minutes=5))

    assert [(row[5], row[7]) for row in holdings(connection)] == [(2, 2)]


def test_what_has_no_price_has_no_value_and_is_counted(account: Connection) -> None:
    make_balance(account, "GIFT", "3", seen=NOW)
    update(account, since=None, now=NOW)
    last = worth(account)[-1]
    assert (last[3], last[4]) == (3, 2)
    assert DailyHolding.objects.get(asset="GIFT").value_usd is None


@pytest.mark.parametrize("since", [None, date(2026, 3, 4)])
def test_a_conversion_told_as_two_rows_into_something_unpriced_is_no_loss(
    account: Connection, since: date | None
) -> None:
    update(account, since=None, now=NOW)
    make_entry(account, Kind.CONVERSION, at("2026-03-04", 13), "-100 USD")
    make_entry(account, Kind.CONVERSION, at("2026-03-04", 13, 1), "90 EURT")

    update(account, since=since, now=NOW)

    row = DailyHolding.objects.get(asset="USD", day=date(2026, 3, 4))
    assert row.flow_usd == -100
    assert DailyHolding.objects.get(asset="EURT", day=date(2026, 3, 4)).flow_usd is None


def test_a_price_that_arrives_later_values_the_day_again(account: Connection) -> None:
    make_entry(account, Kind.DEPOSIT, at("2026-03-05"), "3 GIFT")
    make_balance(account, "GIFT", "3", seen=at("2026-03-05", 13), until=NOW)
    update(account, since=None, now=NOW)
    day = date(2026, 3, 5)
    make_day("GIFT", day, "10")
    reprice([Repriced(asset="GIFT", first=day, last=day)], NOW)
    in_steps = (holdings(account), worth(account))
    assert values(account)[3] == 1180 and worth(account)[3][2] == 30
    update(account, since=None, now=NOW)
    assert (holdings(account), worth(account)) == in_steps


def test_other_peoples_days_stay_as_they_are(account: Connection, bob: User) -> None:
    other = make_connection(bob)
    make_balance(other, "USD", "5", seen=NOW)
    update(other, since=None, now=NOW)
    update(account, since=None, now=NOW)
    assert values(other) == [5]


def test_the_first_day_of_each_asset_queues_its_prices(account: Connection) -> None:
    update(account, since=None, now=NOW)
    update(account, since=NOW.date(), now=NOW)
    wanted = PriceHistory.objects.values_list("asset", "wanted_since")
    assert list(wanted) == [("BTC", date(2026, 3, 3))], "dollars need no price"


def test_closing_the_day_settles_prices_and_tells_every_connection(account: Connection) -> None:
    update(account, since=None, now=NOW)
    make_rate("BTC/USD", "2000", at=at("2026-03-06", 22))
    close_day(at("2026-03-07", 0, 5))
    assert values(account)[-2:] == [1600, 1600]
    assert [row[-1] for row in worth(account)[-2:]] == [0, 2], "nobody has looked since midnight"


def test_a_connection_that_was_silent_is_told_again_from_where_it_fell_silent(account: Connection) -> None:
    update(account, since=None, now=NOW)
    for day in ("2026-03-07", "2026-03-08", "2026-03-09"):
        close_day(at(day, 1))
    account.balances.update(last_seen=at("2026-03-09", 2))
    update(account, since=date(2026, 3, 9), now=at("2026-03-09", 2))
    assert {row[-1] for row in worth(account)} == {0}


def test_each_update_leaves_a_point_that_equals_the_headline(account: Connection, alice: User) -> None:
    make_rate("BTC/USD", "1234.5", at=NOW)
    update(account, since=None, now=NOW)
    assert WorthPoint.objects.get().value_usd == portfolio_of(alice, NOW).total_usd == Decimal("1217.25")


def test_points_are_kept_for_eight_days_old_ones_one_an_hour(account: Connection) -> None:
    for number in range(24):
        mark(NOW + number * timedelta(minutes=10))
    assert WorthPoint.objects.count() == 12
    mark(NOW + timedelta(days=2))
    assert WorthPoint.objects.count() == 4 + 1
    mark(NOW + timedelta(days=11))
    assert WorthPoint.objects.count() == 1


def test_the_number_of_queries_does_not_grow_with_history(
    account: Connection, django_assert_max_num_queries: Any
) -> None:
    for n in range(300):
        make_entry(account, Kind.DEPOSIT, at("2026-01-01") + timedelta(hours=n), "1 USD", "-1 USD fee")
    with django_assert_max_num_queries(60):
        update(account, since=None, now=NOW)
    with django_assert_max_num_queries(45):
        update(account, since=NOW.date(), now=NOW)
