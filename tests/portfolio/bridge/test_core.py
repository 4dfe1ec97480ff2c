"""A bridge sums, whatever happened; each bar is what it says."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portfolio.bridge import Bar, Cell, Step, Total, statement
from portfolio.valuation import usd

START = date(2026, 1, 1)
ZERO = Decimal(0)
AMOUNTS = st.decimals(-(10**6), 10**6, places=18)
PRICES = st.one_of(st.none(), st.decimals("0.000001", 10**5, places=12))
RATES = st.decimals("0.001", 100, places=9)
ROWS: list[Bar] = [bar for bar in Bar if bar not in (Bar.FX, Bar.PRICED)]
MOVES = st.dictionaries(st.sampled_from(ROWS), AMOUNTS, max_size=4)


def cell(n: int, quantity: Decimal, price: Decimal | None, rate: Decimal = Decimal(1)) -> Cell:
    """The end of the n-th day."""
    day = START + timedelta(days=n)
    return Cell(day=day, quantity=quantity, price=price, value=usd(quantity, price), rate=rate)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Cell, list[Step]]:
    """A holding that moves as its rows say, with prices and rates of any kind."""
    quantity = draw(AMOUNTS)
    opening = cell(0, quantity, draw(PRICES), draw(RATES))
    steps = []
    for n in range(1, draw(st.integers(1, 8)) + 1):
        moved = draw(MOVES)
        quantity += sum(moved.values(), ZERO)
        steps.append(Step(after=cell(n, quantity, draw(PRICES), draw(RATES)), moved=dict(moved)))
    return opening, steps


@given(history=histories(), told=st.one_of(st.none(), AMOUNTS))
def test_opening_and_bars_are_closing_to_the_last_digit(
    history: tuple[Cell, list[Step]], told: Decimal | None
) -> None:
    made = statement(1, "BTC", *history, told=told)
    assert made.opening + sum(made.bars.values(), ZERO) == made.closing


@given(history=histories())
def test_what_the_rows_explain_leaves_nothing_unexplained(history: tuple[Cell, list[Step]]) -> None:
    opening, steps = history
    quiet = [
        Step(after=s.after, moved={b: a for b, a in s.moved.items() if b is not Bar.UNEXPLAINED})
        for s in steps
    ]
    moved = any(Bar.UNEXPLAINED in step.moved for step in steps)
    assert moved or Bar.UNEXPLAINED not in statement(1, "BTC", opening, quiet).bars


@given(one=histories(), other=histories())
def test_the_parts_sum_to_the_whole_bar_by_bar(
    one: tuple[Cell, list[Step]], other: tuple[Cell, list[Step]]
) -> None:
    parts = [statement(1, "BTC", *one), statement(2, "ETH", *other)]
    whole = Total.of(parts)
    assert sum(whole.bars.values(), ZERO) == whole.change
    assert whole.opening == parts[0].opening + parts[1].opening


def test_a_deposit_is_no_gain_and_a_price_no_deposit() -> None:
    opening = cell(0, Decimal(1), Decimal(100))
    made = statement(
        1, "BTC", opening, [Step(after=cell(1, Decimal(3), Decimal(110)), moved={Bar.DEPOSITS: Decimal(2)})]
    )
    assert made.bars == {Bar.PRICES: 10, Bar.DEPOSITS: 220}


def test_a_quantity_that_no_row_explains_is_unexplained() -> None:
    made = statement(
        1, "BTC", cell(0, Decimal(1), Decimal(100)), [Step(after=cell(1, Decimal(2), Decimal(100)))]
    )
    assert made.bars == {Bar.UNEXPLAINED: 100}


def test_a_price_that_is_lost_and_found_is_no_gain_of_prices() -> None:
    days = [cell(1, Decimal(2), None), cell(2, Decimal(2), Decimal(130))]
    made = statement(1, "BTC", cell(0, Decimal(2), Decimal(100)), [Step(after=day) for day in days])
    assert made.bars == {Bar.PRICED: 60}


def test_the_rate_of_the_display_currency_is_a_bar_of_its_own() -> None:
    opening = cell(0, Decimal(1), Decimal(100), Decimal("0.9"))
    made = statement(1, "BTC", opening, [Step(after=cell(1, Decimal(1), Decimal(110), Decimal("0.8")))])
    assert made.bars == {Bar.PRICES: 8, Bar.FX: -10}


def test_what_was_told_at_the_opening_is_where_the_bridge_starts() -> None:
    made = statement(1, "BTC", cell(0, Decimal(1), Decimal(100)), [], told=Decimal(70))
    assert [made.opening, made.closing] == [70, 100]
    assert made.bars == {Bar.LATE: 30}
