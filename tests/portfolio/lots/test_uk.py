"""The UK's rules one by one, in the order in which they bite."""

from decimal import Decimal

from portfolio.lots import Match, Method, settle
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
