"""What must hold for every history of days."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portfolio.returns import Day, measure
from tests.portfolio.returns.make import days

FACTORS = st.lists(st.decimals("0.5", "2", places=3), min_size=2, max_size=15)
MONEY = st.decimals(-500, 500, places=2)
ZERO = Decimal(0)


def _portfolio(factors: list[Decimal], flows: list[Decimal]) -> list[Day]:
    """A fund that grows by the factors, whatever comes in at a day's start or leaves at its end."""
    value = ZERO
    rows: list[tuple[Decimal, Decimal]] = []
    for factor, wanted in zip(factors, [Decimal(1000), *flows], strict=False):
        grown = (value + max(wanted, ZERO)) * factor
        out = min(max(-wanted, ZERO), grown / 2)
        flow = wanted if wanted > 0 else -out
        value = grown - out
        rows.append((value, flow))
    return days(*rows)


@given(factors=FACTORS, flows=st.lists(MONEY, min_size=14, max_size=14))
def test_deposits_and_withdrawals_do_not_move_the_time_weighted_return(
    factors: list[Decimal], flows: list[Decimal]
) -> None:
    quiet = measure(_portfolio(factors, [ZERO] * 14))
    busy = measure(_portfolio(factors, flows))

    assert busy.twr == quiet.twr
    assert busy.max_drawdown == quiet.max_drawdown
    assert busy.best_day == quiet.best_day


@given(factors=FACTORS, flows=st.lists(MONEY, min_size=14, max_size=14), scale=st.integers(2, 1000))
def test_no_figure_depends_on_the_size_of_the_purse(
    factors: list[Decimal], flows: list[Decimal], scale: int
) -> None:
    rows = _portfolio(factors, flows)
    larger = [replace(day, value=(day.value or ZERO) * scale, flow=day.flow * scale) for day in rows]
    before, after = measure(rows), measure(larger)

    assert (after.twr, after.simple, after.max_drawdown) == (before.twr, before.simple, before.max_drawdown)
    assert after.volatility == before.volatility


@given(factors=FACTORS)
def test_without_flows_simple_and_time_weighted_are_one(factors: list[Decimal]) -> None:
    returns = measure(_portfolio(factors, [ZERO] * 14))

    assert returns.simple == returns.twr
    assert returns.max_drawdown.value is not None and -1 <= returns.max_drawdown.value <= 0
