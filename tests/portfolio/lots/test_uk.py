"""The UK's rules one by one, in the order in which they bite."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from portfolio.lots import Match, Method, settle
from portfolio.lots.london import london_day, london_midnight, tax_year
from tests.portfolio.lots.make import move, shown


def test_a_sale_takes_from_its_own_day_first_even_before_the_purchase() -> None:
    rows = [
        move("2020-01-01", "buy", 10, 1000),
        move("2020-06-01", "sell", 4, 800),
        move("2020-06-01T15:00", "buy", 3, 540),
    ]
    gains = settle(rows, Method.UK)

    assert shown(gains) == [("3", "600", "540"), ("1", "200", "100")]
    assert [disposal.match for disposal in gains.disposals] == [Match.SAME_DAY, Match.POOL]


def test_the_thirtieth_day_counts_and_the_thirty_first_does_not() -> None:
    held = move("2020-01-01", "buy", 10, 1000)
    sold = move("2020-06-01", "sell", 1, 200)

    assert shown(settle([held, sold, move("2020-07-01", "buy", 1, 150)], Method.UK))[0][2] == "150"
    assert shown(settle([held, sold, move("2020-07-02", "buy", 1, 150)], Method.UK))[0][2] == "100"


def test_a_days_own_sale_has_the_better_claim_than_an_earlier_one() -> None:
    rows = [
        move("2020-01-01", "buy", 10, 1000),
        move("2020-06-01", "sell", 1, 200),
        move("2020-06-10", "buy", 1, 150),
        move("2020-06-10", "sell", 1, 160),
    ]

    assert [part[2] for part in shown(settle(rows, Method.UK))] == ["100", "150"]


def test_the_earliest_purchase_of_the_thirty_days_is_taken_first() -> None:
    rows = [
        move("2020-01-01", "buy", 10, 1000),
        move("2020-06-01", "sell", 2, 400),
        move("2020-06-05", "buy", 1, 150),
        move("2020-06-20", "buy", 5, 1000),
    ]
    gains = settle(rows, Method.UK)

    assert shown(gains) == [("1", "200", "150"), ("1", "200", "200")]
    assert [(lot.quantity, lot.cost) for lot in gains.open_lots] == [(Decimal(14), Decimal(1800))]


def test_purchases_of_one_day_count_as_one() -> None:
    rows = [
        move("2020-06-01", "buy", 1, 100),
        move("2020-06-01T09:00", "buy", 1, 300),
        move("2020-06-01T12:00", "sell", 1, 250),
    ]

    assert shown(settle(rows, Method.UK)) == [("1", "250", "200")]


def test_with_an_account_each_a_purchase_elsewhere_does_not_match() -> None:
    rows = [
        move("2020-01-01", "buy", 1, 100),
        move("2020-06-01", "sell", 1, 200),
        move("2020-06-02", "buy", 1, 190, account="B"),
    ]

    assert shown(settle(rows, Method.UK))[0][2] == "190"
    assert shown(settle(rows, Method.UK, per_account=True))[0][2] == "100"


@given(moment=st.integers(946_684_800, 3_786_912_000).map(lambda second: datetime.fromtimestamp(second, UTC)))
def test_days_are_those_of_the_clock_in_london(moment: datetime) -> None:
    there = moment.astimezone(ZoneInfo("Europe/London"))
    assert london_day(moment) == there.date()
    begin = there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    assert london_midnight(there.date()) == begin.astimezone(UTC)


def test_a_summer_evening_in_utc_is_the_next_day_in_london() -> None:
    late = datetime(2024, 6, 1, 23, 30, tzinfo=UTC)
    rows = [
        move("2024-05-01", "buy", 1, 100),
        move(late, "sell", 1, 500),
        move("2024-06-02", "buy", 1, 300),
    ]
    (sold,) = settle(rows, Method.UK).disposals
    assert sold.match is Match.SAME_DAY and sold.cost == 300


def test_a_tax_year_begins_on_6_april() -> None:
    assert [tax_year(date(2025, 4, day)) for day in (5, 6)] == [2024, 2025]
