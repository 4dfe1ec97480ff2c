"""Each cost method on the case that a textbook would print, worked by hand."""

from decimal import Decimal, localcontext

import pytest

from portfolio.lots import Kind, Match, Method, OutOfOrder, Term, holding_term, settle
from tests.portfolio.lots.make import at, move, shown, total_gain

BOUGHT = [move(0, "buy", 1, 100), move(1, "buy", 1, 300), move(2, "buy", 1, 200)]
SOLD = move(3, "sell", "1.5", 600)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (Method.FIFO, [("1", "400", "100"), ("0.5", "200", "150")]),
        (Method.LIFO, [("1", "400", "200"), ("0.5", "200", "150")]),
        (Method.HIFO, [("1", "400", "300"), ("0.5", "200", "100")]),
        (Method.AVERAGE, [("1.5", "600", "300")]),
        (Method.UK, [("1.5", "600", "300")]),
    ],
)
def test_one_and_a_half_coins_find_their_cost(method: Method, expected: list[tuple[str, str, str]]) -> None:
    later = at("2020-06-01")

    assert shown(settle([*BOUGHT, SOLD._replace(time=later)], method)) == expected


def test_hifo_takes_the_older_of_two_equal_costs() -> None:
    gains = settle([move(0, "buy", 1, 100), move(1, "buy", 2, 200), move(2, "sell", 1, 150)], Method.HIFO)

    assert gains.disposals[0].acquired == at("2020-01-01")


def test_lifo_forgets_nothing_of_a_lot_it_split() -> None:
    rows = [move(0, "buy", 3, 300), move(1, "sell", 1, 150), move(2, "buy", 1, 90), move(3, "sell", 2, 300)]

    assert shown(settle(rows, Method.LIFO)) == [("1", "150", "100"), ("1", "150", "90"), ("1", "150", "100")]


def test_a_fee_raises_the_cost_of_a_purchase_and_lowers_the_proceeds_of_a_sale() -> None:
    rows = [move(0, "buy", 1, 100, fee=2), move(1, "sell", 1, 150, fee=3)]

    assert shown(settle(rows, Method.FIFO)) == [("1", "147", "102")]


def test_income_enters_at_its_value_and_a_spend_leaves_at_its_value() -> None:
    rows = [move(0, "income", 1, 50), move(1, "spend", "0.5", 40)]

    assert shown(settle(rows, Method.FIFO)) == [("0.5", "40", "25")]


@pytest.mark.parametrize("method", list(Method))
def test_what_was_not_held_is_reported_and_costs_nothing(method: Method) -> None:
    gains = settle([move(0, "buy", 1, 100), move(1, "sell", 3, 600)], method)

    assert shown(gains)[-1] == ("2", "400", "0")
    assert gains.disposals[-1].match is Match.MISSING
    assert gains.disposals[-1].acquired is None
    assert [lack.quantity for lack in gains.shortfalls] == [Decimal(2)]


def test_a_cost_that_does_not_divide_is_cut_at_18_decimals_and_the_last_part_takes_the_rest() -> None:
    rows = [move(0, "buy", 3, 100), move(1, "sell", 1, 0), move(2, "sell", 1, 0), move(3, "sell", 1, 0)]
    costs = [disposal.cost for disposal in settle(rows, Method.FIFO).disposals]

    assert [str(cost) for cost in costs] == ["33.333333333333333333"] * 2 + ["33.333333333333333334"]


def test_moved_lots_keep_their_date_and_their_cost() -> None:
    rows = [
        move(0, "buy", 2, 200),
        move(1, "buy", 1, 500, account="B"),
        move(2, "transfer", 1, to_account="B"),
        move(3, "sell", "1.5", 1500, account="B"),
    ]
    gains = settle(rows, Method.FIFO, per_account=True)

    assert shown(gains) == [("1", "1000", "100"), ("0.5", "500", "250")]
    assert gains.disposals[0].acquired == at("2020-01-01")
    assert [(lot.account, lot.quantity) for lot in gains.open_lots] == [("A", 1), ("B", Decimal("0.5"))]


def test_across_accounts_a_transfer_changes_nothing() -> None:
    rows = [move(0, "buy", 2, 200), move(2, "transfer", 2, to_account="B")]

    assert settle(rows, Method.FIFO) == settle(rows[:1], Method.FIFO)


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("per_account", [True, False])
def test_the_fee_of_a_transfer_joins_the_cost_of_what_moved(method: Method, per_account: bool) -> None:
    rows = [
        move("2020-01-01", "buy", 1, 100),
        move("2020-03-01", "transfer", 1, fee=5, to_account="B"),
        move("2020-06-01", "sell", 1, 300, account="B"),
    ]

    assert shown(settle(rows, method, per_account=per_account)) == [("1", "300", "105")]


def test_moving_more_than_is_held_brings_the_rest_at_zero_cost() -> None:
    rows = [
        move(0, "buy", 1, 100),
        move(1, "transfer", 2, to_account="B"),
        move(2, "sell", 2, 400, account="B"),
    ]
    gains = settle(rows, Method.FIFO, per_account=True)

    assert shown(gains) == [("1", "200", "100"), ("1", "200", "0")]
    assert [(lack.kind, lack.quantity) for lack in gains.shortfalls] == [(Kind.TRANSFER, Decimal(1))]


def test_a_fee_that_finds_no_lot_is_stated() -> None:
    gains = settle([move(0, "transfer", 1, fee=5, to_account="B")], Method.FIFO)

    assert gains.unplaced_fees == 5


def test_falling_times_are_refused() -> None:
    with pytest.raises(OutOfOrder):
        settle([move(1, "buy", 1, 1), move(0, "buy", 1, 1)], Method.FIFO)


def test_the_callers_decimal_context_changes_nothing() -> None:
    rows = [move(0, "buy", 3, "100.123456789012345678"), move(1, "sell", 1, 50)]
    expected = settle(rows, Method.FIFO)

    with localcontext(prec=3):
        assert settle(rows, Method.FIFO) == expected


@pytest.mark.parametrize(
    ("acquired", "disposed", "term"),
    [
        ("2020-03-01", "2021-03-01", Term.SHORT),
        ("2020-03-01", "2021-03-02", Term.LONG),
        ("2020-02-29", "2021-02-28", Term.SHORT),
        ("2020-02-29", "2021-03-01", Term.LONG),
    ],
)
def test_long_begins_the_day_after_the_anniversary(acquired: str, disposed: str, term: Term) -> None:
    assert holding_term(at(acquired), at(disposed)) is term


def test_a_pool_has_no_age() -> None:
    assert holding_term(None, at("2021-01-01")) is Term.UNKNOWN


def test_a_gain_does_not_depend_on_where_the_coin_lies_unless_asked() -> None:
    rows = [move(0, "buy", 1, 100), move(1, "buy", 1, 300, account="B"), move(2, "sell", 1, 400, account="B")]

    assert total_gain(rows, Method.FIFO) == 300
    assert total_gain(rows, Method.FIFO, per_account=True) == 100
