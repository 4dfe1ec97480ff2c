"""The line over time and the change of a span: the end is the headline, flows are no gain, gaps are gaps."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio.models import DailyHolding, DailyPrice, DailyWorth, WorthPoint
from portfolio.valuation import Span, asset_days, change, networth, portfolio_of, sparks, update, worth
from portfolio.valuation.points import note
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

NOW = at("2026-03-06", 15)


@pytest.fixture
def account(alice: User) -> Connection:
    """A thousand dollars paid in on 2 February, nearly all put into bitcoin on the 3rd, which rises a dollar a day."""
    connection = make_connection(alice)
    make_entry(connection, Kind.DEPOSIT, at("2026-02-02"), "1000 USD")
    make_entry(connection, Kind.TRADE, at("2026-02-03"), "-900 USD", "1 BTC")
    make_balance(connection, "USD", "100", seen=at("2026-03-05"), until=NOW)
    make_balance(connection, "BTC", "1", seen=at("2026-03-05"), until=NOW)
    make_complete(connection, NOW)
    for n in range(33):
        make_day("BTC", date(2026, 2, 2) + timedelta(days=n), str(899 + n))
    make_rate("BTC/USD", "950", at=NOW)
    update(connection, since=None, now=NOW)
    return connection


def test_the_last_point_of_every_span_is_the_headline(account: Connection, alice: User) -> None:
    total = portfolio_of(alice, NOW).total_usd
    assert {worth(alice, span, NOW)[-1].value_usd for span in Span} == {total} == {Decimal(1050)}


def test_a_month_begins_thirty_days_ago_and_has_a_point_a_day(account: Connection, alice: User) -> None:
    line = worth(alice, Span.MONTH, NOW)
    assert (line[0].at.date(), len(line)) == (date(2026, 2, 4), 31)
    assert [point.value_usd for point in line[:3]] == [1001, 1002, 1003]


def test_a_price_missing_between_others_is_a_gap_and_not_a_dip(account: Connection, alice: User) -> None:
    DailyPrice.objects.filter(asset="BTC", day=date(2026, 2, 20)).delete()
    update(account, since=None, now=NOW)
    line = worth(alice, Span.MONTH, NOW)
    assert [point.at.date() for point in line if point.value_usd is None] == [date(2026, 2, 20)]


def test_what_never_had_a_price_is_left_out_and_the_coverage_says_so(
    account: Connection, alice: User
) -> None:
    make_entry(account, Kind.DEPOSIT, at("2026-02-10"), "5 GIFT")
    make_balance(account, "GIFT", "5", seen=at("2026-03-05"), until=NOW)
    update(account, since=None, now=NOW)
    line = worth(alice, Span.MONTH, NOW)
    assert all(point.value_usd is not None for point in line)
    assert (line[-2].held, line[-2].priced) == (3, 2)


def test_a_connection_whose_days_are_missing_makes_a_gap(account: Connection, alice: User) -> None:
    DailyWorth.objects.filter(day=date(2026, 3, 5)).delete()
    assert worth(alice, Span.MONTH, NOW)[-2].value_usd is None


def test_years_are_shown_with_as_many_points_as_a_chart_can_draw(account: Connection, alice: User) -> None:
    make_entry(account, Kind.DEPOSIT, at("2020-02-02"), "1 USD")
    update(account, since=None, now=NOW)
    assert 300 < len(worth(alice, Span.ALL, NOW)) <= 402


def test_a_week_is_drawn_from_the_kept_moments_and_daily_closes_before_them(
    account: Connection, alice: User
) -> None:
    for hours in (1, 2, 3):
        WorthPoint.objects.create(
            connection=account, at=NOW - timedelta(hours=hours), value_usd=1000 + hours, held=2, priced=2
        )
    values = [point.value_usd for point in worth(alice, Span.WEEK, NOW)]
    assert values[-5:] == [1030, 1003, 1002, 1001, 1050]


def test_moments_of_two_connections_are_summed_as_steps(account: Connection, alice: User) -> None:
    other = make_connection(alice, label="second")
    make_balance(other, "USD", "7", seen=at("2026-03-01"), until=NOW)
    update(other, since=None, now=NOW)
    WorthPoint.objects.create(
        connection=account, at=NOW - timedelta(hours=1), value_usd=2000, held=2, priced=2
    )
    assert [point.value_usd for point in worth(alice, Span.DAY, NOW)][-2:] == [2007, 1057]


def test_days_of_the_networth_end_with_the_headline(account: Connection, alice: User) -> None:
    days = networth(alice, None, NOW)
    assert [days[0].day, days[0].flow_usd, days[-1].value_usd] == [date(2026, 2, 2), 1000, 1050]
    assert days[-1].priced_share == 1


@pytest.mark.parametrize("span", list(Span))
def test_a_gain_is_closing_less_opening_less_flows(account: Connection, alice: User, span: Span) -> None:
    got = change(alice, span, NOW)
    assert got.gain == got.closing - got.opening - got.flows
    assert got.closing == portfolio_of(alice, NOW).total_usd


def test_a_deposit_is_no_gain(account: Connection, alice: User) -> None:
    make_entry(account, Kind.DEPOSIT, at("2026-03-06", 13), "500 USD")
    make_balance(account, "USD", "600", seen=at("2026-03-06", 14), until=NOW)
    update(account, since=NOW.date(), now=NOW)
    got = change(alice, Span.MONTH, NOW)
    assert [got.flows, got.gain, got.opening] == [500, 49, 1001]
    assert got.percent == Decimal("3.264490")


def test_a_connection_added_today_is_no_gain(account: Connection, alice: User) -> None:
    added = make_connection(alice, label="new")
    make_balance(added, "USD", "9000", seen=NOW)
    update(added, since=None, now=NOW)
    for span in (Span.DAY, Span.WEEK, Span.MONTH, Span.ALL):
        assert change(alice, span, NOW).gain == change(alice, span, NOW).closing - change(
            alice, span, NOW
        ).flows - (change(alice, span, NOW).opening)
    assert change(alice, Span.MONTH, NOW).gain == 49


def test_since_the_beginning_all_that_was_paid_in_is_the_basis(account: Connection, alice: User) -> None:
    got = change(alice, Span.ALL, NOW)
    assert [got.opening, got.basis, got.gain, got.percent] == [0, 1000, 50, Decimal(5)]


def test_a_move_between_two_own_connections_is_neither_paid_in_nor_out(
    account: Connection, alice: User
) -> None:
    other = make_connection(alice, label="second")
    make_entry(account, Kind.TRANSFER_OUT, at("2026-03-06", 13), "-50 USD")
    make_entry(other, Kind.TRANSFER_IN, at("2026-03-06", 13), "50 USD")
    make_balance(account, "USD", "50", seen=at("2026-03-06", 14), until=NOW)
    make_balance(other, "USD", "50", seen=at("2026-03-06", 14), until=NOW)
    for connection in (account, other):
        update(connection, since=NOW.date(), now=NOW)
    got = change(alice, Span.MONTH, NOW)
    assert [got.paid_in, got.paid_out, got.gain] == [0, 0, 49]


def test_what_flowed_before_a_kept_moment_is_not_counted_twice(account: Connection, alice: User) -> None:
    make_entry(account, Kind.DEPOSIT, at("2026-03-06", 13), "500 USD")
    make_balance(account, "USD", "600", seen=at("2026-03-06", 14), until=NOW)
    update(account, since=NOW.date(), now=NOW)
    tomorrow = NOW + timedelta(days=1)
    account.balances.update(last_seen=tomorrow)
    make_rate("BTC/USD", "960", at=tomorrow)
    update(account, since=tomorrow.date(), now=tomorrow)
    got = change(alice, Span.DAY, tomorrow)
    assert [got.since, got.opening, got.flows, got.gain] == [NOW, 1550, 0, 10]


def test_a_price_that_appears_is_no_gain_and_the_asset_is_named(account: Connection, alice: User) -> None:
    make_entry(account, Kind.DEPOSIT, at("2026-02-03"), "5 GIFT")
    make_balance(account, "GIFT", "5", seen=at("2026-03-05"), until=NOW)
    make_day("GIFT", date(2026, 3, 5), "8")
    make_day("GIFT", date(2026, 3, 6), "10")
    make_rate("GIFT/USD", "10", at=NOW)
    update(account, since=None, now=NOW)
    got = change(alice, Span.MONTH, NOW)
    assert [got.gain, got.flows, got.left_out] == [59, 40, ("GIFT",)], (
        "49 by bitcoin, 10 by the gift since its price"
    )


def test_a_price_that_disappears_is_no_loss(account: Connection, alice: User) -> None:
    make_entry(account, Kind.DEPOSIT, at("2026-02-03"), "5 GIFT")
    make_balance(account, "GIFT", "5", seen=at("2026-03-05"), until=NOW)
    for n in range(10):
        make_day("GIFT", date(2026, 2, 1) + timedelta(days=n), "10")
    update(account, since=None, now=NOW)
    got = change(alice, Span.MONTH, NOW)
    assert [got.gain, got.opening, got.left_out] == [49, 1051, ("GIFT",)]


def test_what_is_got_for_something_unpriced_is_no_gain(account: Connection, alice: User) -> None:
    make_entry(account, Kind.DEPOSIT, at("2026-02-03"), "5 GIFT")
    make_entry(account, Kind.TRADE, at("2026-03-06", 13), "-5 GIFT", "70 USD")
    make_balance(account, "USD", "170", seen=at("2026-03-06", 14), until=NOW)
    update(account, since=None, now=NOW)
    got = change(alice, Span.MONTH, NOW)
    assert [got.gain, got.flows, got.closing] == [49, 70, 1120]


def test_an_asset_without_a_price_all_the_time_does_not_disturb(account: Connection, alice: User) -> None:
    make_entry(account, Kind.DEPOSIT, at("2026-02-10"), "5 GIFT")
    make_balance(account, "GIFT", "5", seen=at("2026-03-05"), until=NOW)
    update(account, since=None, now=NOW)
    assert change(alice, Span.MONTH, NOW).gain == 49


def test_no_gain_is_told_while_the_days_do_not_know_the_newest_prices(
    account: Connection, alice: User
) -> None:
    make_balance(account, "GIFT", "5", seen=at("2026-03-05"), until=NOW)
    update(account, since=None, now=NOW)
    make_rate("GIFT/USD", "10", at=NOW)
    got = change(alice, Span.MONTH, NOW)
    assert got.gain is None and got.reason


def test_nothing_has_no_line_and_no_percent(alice: User) -> None:
    assert worth(alice, Span.MONTH, NOW) == ()
    assert change(alice, Span.MONTH, NOW).percent is None


def test_one_asset_has_its_days_and_its_small_line(account: Connection, alice: User) -> None:
    days = asset_days(alice, "BTC")
    assert [days[0].day, days[0].quantity, days[0].value_usd] == [date(2026, 2, 3), 1, 900]
    assert sparks(["BTC", "GIFT"], NOW.date())["BTC"][-1] == 931
    assert set(sparks(["GIFT"], NOW.date())["GIFT"]) == {None}


def test_a_stranger_sees_nothing_of_it(account: Connection, charlie: User) -> None:
    assert worth(charlie, Span.ALL, NOW) == () and networth(charlie, None, NOW) == ()
    assert asset_days(charlie, "BTC") == ()
    assert change(charlie, Span.ALL, NOW).closing == 0


@pytest.mark.parametrize("span", list(Span))
def test_the_number_of_queries_is_small_whatever_the_span(
    account: Connection, alice: User, span: Span, django_assert_max_num_queries: Any
) -> None:
    whole = portfolio_of(alice, NOW)
    with django_assert_max_num_queries(4):
        worth(alice, span, NOW, whole)
    with django_assert_max_num_queries(3):
        change(alice, span, NOW, whole)


def test_every_day_is_the_sum_of_its_holdings(account: Connection) -> None:
    for day in DailyWorth.objects.all():
        parts = DailyHolding.objects.filter(day=day.day).values_list("value_usd", flat=True)
        assert day.value_usd == sum((part for part in parts if part is not None), Decimal(0))


def test_a_price_that_comes_late_leaves_no_dip_in_the_short_line(account: Connection, alice: User) -> None:
    blind = {"value_usd": Decimal(100), "flow_usd": Decimal(0), "held": 2, "priced": 1}
    WorthPoint.objects.create(connection=account, at=NOW - timedelta(minutes=9), **blind)
    earlier = WorthPoint.objects.create(connection=account, at=NOW - timedelta(hours=3), **blind)
    note(account, NOW)
    kept = WorthPoint.objects.order_by("at").values_list("at", flat=True)
    assert list(kept)[-2:] == [earlier.at, NOW]
