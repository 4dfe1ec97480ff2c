"""Money-weighted and simple return: the convention, the refusals, and a second opinion."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import pyxirr
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from portfolio.returns import Flow, Refused, measure, modified_dietz, money_weighted
from tests.portfolio.returns.make import START, close, dated, days


def test_the_closing_value_stands_on_the_day_after_the_last() -> None:
    assert measure(dated([("2021-01-01", 100, 100), ("2021-12-31", 110, 0)])).xirr.value == Decimal("0.1")


def test_an_opening_holding_stands_on_the_day_after_its_own() -> None:
    assert measure(dated([("2021-01-01", 100, 0), ("2022-01-01", 110, 0)])).xirr.value == Decimal("0.1")


def test_a_given_opening_stands_on_the_first_day() -> None:
    rows = dated([("2021-01-01", 100, 0), ("2021-12-31", 110, 0)])

    assert measure(rows, opening=Decimal(100)).xirr.value == Decimal("0.1")


def test_simple_is_a_days_formula_on_the_whole_span() -> None:
    assert measure(days((100, 100), (150, 50), (120, -60))).simple.value == Decimal("0.2")


def test_flows_on_days_without_value_still_count_where_only_the_ends_matter() -> None:
    returns = measure(days((100, 100), (None, 100), 220))

    assert returns.twr.value is None
    assert returns.simple.value == Decimal("0.1")
    assert returns.xirr.value is not None


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "There are no days."),
        ([0, 0], "No money moved."),
        ([(100, 100), 0], "Nothing came back and nothing is left, so no rate fits."),
        ([(0, -100)], "No money was put in, so no rate fits."),
        ([(100, 100), None], "The value on the last day, 2020-01-02, is missing."),
        ([None, 100], "The value on the first day, 2020-01-01, is missing."),
        ([(1, 1), "1e3"], "The span is too short for a yearly rate: it would have more than 30 digits."),
    ],
)
def test_a_rate_that_does_not_exist_is_refused(rows: list[object], reason: str) -> None:
    figure = measure(days(*rows)).xirr

    assert (figure.value, figure.reason) == (None, reason)


def test_two_rates_are_no_rate() -> None:
    year = timedelta(days=365)
    flows = [
        Flow(on=START, amount=Decimal(-100)),
        Flow(on=START + year, amount=Decimal(230)),
        Flow(on=START + 2 * year, amount=Decimal(-132)),
    ]

    with pytest.raises(Refused, match=r"^2 different yearly rates"):
        money_weighted(flows)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([0, 0], "No money came in, so there is nothing to measure against."),
        ([(0, -100)], "No money came in, so there is nothing to measure against."),
        ([(100, 100), None], "The value on the last day, 2020-01-02, is missing."),
    ],
)
def test_a_simple_return_needs_money_and_an_end(rows: list[object], reason: str) -> None:
    figure = measure(days(*rows)).simple

    assert (figure.value, figure.reason) == (None, reason)


def test_modified_dietz_needs_money_at_work() -> None:
    with pytest.raises(Refused):
        modified_dietz(Decimal(0), Decimal(10), [(Decimal(10), Decimal(0))])


FLOWS = st.lists(st.tuples(st.integers(1, 2000), st.integers(1, 10**6)), min_size=1, max_size=12)


@given(paid=FLOWS, growth=st.integers(50, 300))
def test_the_rate_agrees_with_another_solver(paid: list[tuple[int, int]], growth: int) -> None:
    end = date(2030, 1, 1)
    flows = [Flow(on=end - timedelta(days=before), amount=Decimal(-amount)) for before, amount in paid]
    flows.append(Flow(on=end, amount=sum((Decimal(amount) for _, amount in paid), Decimal(0)) * growth / 100))
    theirs = pyxirr.xirr([flow.on for flow in flows], [float(flow.amount) for flow in flows])
    assume(theirs is not None)
    assert theirs is not None
    assume(-0.999 < theirs < 1000)

    assert close(money_weighted(flows), repr(theirs), repr(1e-6 * (1 + abs(theirs))))


def _rate_between(flows: list[Flow], low: str, high: str) -> Decimal:
    """The rate where it is neither a total loss nor beyond use."""
    try:
        rate = money_weighted(flows)
    except Refused as error:
        assert "too short" in str(error)
        reject()
    assume(Decimal(low) < rate < Decimal(high))
    return rate


@given(paid=FLOWS, growth=st.integers(50, 300))
def test_at_the_rate_found_the_flows_meet(paid: list[tuple[int, int]], growth: int) -> None:
    end = date(2030, 1, 1)
    flows = [Flow(on=end - timedelta(days=before), amount=Decimal(-amount)) for before, amount in paid]
    total = sum((Decimal(amount) for _, amount in paid), Decimal(0))
    flows.append(Flow(on=end, amount=total * growth / 100))
    daily = (_rate_between(flows, "-0.9999", "1e6") + 1) ** (Decimal(1) / 365)

    at_the_end = sum((flow.amount * daily ** (end - flow.on).days for flow in flows), Decimal(0))

    assert abs(at_the_end) < total * Decimal("1e-18")


def test_a_loss_right_after_a_late_payment_still_has_a_rate() -> None:
    flows = [Flow(on=START, amount=Decimal(-1))]
    flows.append(Flow(on=START + timedelta(days=300), amount=Decimal(-2)))
    flows.append(Flow(on=START + timedelta(days=301), amount=Decimal("1.5")))

    assert close(money_weighted(flows), "-1", "1e-12")
