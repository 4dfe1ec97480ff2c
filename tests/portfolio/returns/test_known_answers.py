"""Returns that others have published, and the real prices of a coin."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from portfolio.returns import Day, Flow, Refused, chain, growths, max_drawdown, measure, modified_dietz
from portfolio.returns import money_weighted as xirr
from portfolio.returns.money import yearly
from tests.known_answers import closes, known_answer
from tests.portfolio.returns.make import START, close, dated, days


def _periodic(amounts: list[str]) -> list[Flow]:
    """Flows a year of 365 days apart."""
    return [
        Flow(on=START + timedelta(days=365 * n), amount=Decimal(amount)) for n, amount in enumerate(amounts)
    ]


@pytest.mark.parametrize("name", ["xirr-excel", "irr-pp-simple"])
def test_xirr_of_dated_flows(name: str) -> None:
    case = known_answer(name)
    flows = [Flow(on=date.fromisoformat(on), amount=Decimal(amount)) for on, amount in case["flows"]]

    assert close(xirr(flows), case["expected"], case["tolerance"])


@pytest.mark.parametrize("name", ["cfa-1", "unit-fund"])
def test_money_weighted_return_of_periods(name: str) -> None:
    case = known_answer(name)

    assert close(xirr(_periodic(case["flows"])), case["expected_mwr"], case["tolerance"])


def test_an_irr_over_the_days_that_remain() -> None:
    case = known_answer("pp-irr-1")
    ((amount, remaining),) = case["flows_amount_and_remaining_days"]
    flows = [
        Flow(on=START, amount=-Decimal(amount)),
        Flow(on=START + timedelta(days=remaining), amount=Decimal(case["end_value"])),
    ]

    assert close(xirr(flows), case["expected"], case["tolerance"])


def test_a_year_with_two_payments_has_both_yearly_returns() -> None:
    case = known_answer("roi-hledger-4")
    returns = measure(dated([("2017-01-01", 100, 100), ("2017-06-01", 200, 100), ("2017-12-31", 220, 0)]))

    assert returns.days == 365
    assert close(returns.xirr.value, case["expected_irr"], case["tolerance"])
    assert close(returns.twr.value, case["expected_twr"], case["tolerance"])


def test_subperiods_chain() -> None:
    case = known_answer("cfa-1")
    first, second = (Decimal(part) + 1 for part in case["subperiod_returns"])
    total = chain(growths(days((1, 1), first, first * second)))

    assert close(yearly(total, 730), case["expected_twr"], case["tolerance"])


def test_a_unit_fund_is_measured_by_its_unit_price() -> None:
    case = known_answer("unit-fund")
    rows = [
        ("2001-01-01", 100, 100),
        ("2001-12-31", 125, 0),
        ("2002-01-01", 225, 100),
        ("2002-12-31", 234, 0),
    ]
    returns = measure(dated(rows))

    assert close(returns.twr_yearly.value, case["expected_twr"], case["tolerance"])


def test_three_periods_with_money_coming_in_at_their_start() -> None:
    case = known_answer("pp-ttwror-3-periods")
    rows = days(case["steps"][0][0], *((end, inflow) for _, inflow, end in case["steps"]))

    assert close(measure(rows).twr.value, case["expected"], case["tolerance"])


def test_modified_dietz_weighs_a_flow_by_the_time_it_worked() -> None:
    case = known_answer("moddietz-wikipedia")

    half = (Decimal(50), Decimal("0.5"))

    assert modified_dietz(Decimal(case["begin"]), Decimal(case["end"]), [half]) == Decimal("1.2")


@pytest.mark.parametrize("name", ["mdd-mixed", "mdd-udu"])
def test_drawdown_of_a_series_of_returns(name: str) -> None:
    case = known_answer(name)
    values = [Decimal(100)]
    for percent in case["returns"]:
        if percent != "nan":
            values.append(values[-1] * (1 + Decimal(percent) / 100))

    assert close(max_drawdown(growths(days(*values))).depth, case["expected"], "1e-40")


def test_drawdown_of_nothing_of_one_day_and_of_gains_only() -> None:
    assert known_answer("mdd-one/empty/up-only")

    assert measure(days()).max_drawdown.value is None
    assert measure(days((110, 100))).max_drawdown.value == 0
    assert measure(days((100, 100), 110, 120)).max_drawdown.value == 0


def test_a_portfolio_of_bitcoin_alone_reproduces_its_drawdown() -> None:
    series = closes("BTC")
    first = Decimal(series[0][1])
    rows = [Day(on=date.fromisoformat(on), value=price) for on, price in series]
    bought = [Day(on=rows[0].on, value=first, flow=first), *rows[1:]]

    for portfolio in (rows, bought):
        returns = measure(portfolio)
        assert close(returns.max_drawdown.value, "-0.845285", "5e-7")
        assert returns.drawdown is not None
        assert returns.drawdown.low_on == date(2015, 1, 14)
        assert close(returns.twr.value, str(series[-1][1] / first - 1), "1e-11")


def test_xirr_refuses_what_has_no_answer() -> None:
    with pytest.raises(Refused):
        xirr(_periodic(["-100", "0"]))
