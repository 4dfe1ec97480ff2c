"""Methods that change with the year: nothing is lost, and each year counts as chosen."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portfolio.gains.records import Choice
from portfolio.gains.years import choice_at, dated
from portfolio.lots import Kind, Method, Movement
from portfolio.lots import settle as settle_alone
from tests.portfolio.gains.make import settle
from tests.portfolio.lots.make import START, at, move
from tests.portfolio.lots.test_laws import histories

ZERO = Decimal(0)
THREE = [
    move("2021-01-01", "buy", 1, 100),
    move("2021-06-01", "buy", 1, 300),
    move("2022-01-01", "sell", 1, 400),
    move("2023-01-01", "buy", 1, 200),
    move("2023-06-01", "sell", 1, 400),
]


def costs(*choices: Choice) -> list[Decimal]:
    """What the two sales cost."""
    return [part.cost for _, part in settle(THREE, choices).disposed]


def test_without_a_choice_it_is_fifo_across_all_accounts() -> None:
    assert costs() == [100, 300]


def test_each_year_is_found_by_the_method_chosen_for_it() -> None:
    assert costs(Choice(method=Method.LIFO)) == [300, 200]
    assert costs(Choice(method=Method.LIFO), Choice(since_year=2023, method=Method.FIFO)) == [300, 100]


def test_a_pool_is_carried_over_as_one_lot_without_a_date() -> None:
    choices = Choice(method=Method.AVERAGE), Choice(since_year=2023, method=Method.FIFO)
    _, last = settle(THREE, choices).disposed[-1]
    assert last.cost == 200 and dated(last.acquired) is None


def test_lots_of_one_pool_go_to_the_accounts_that_hold_them() -> None:
    rows = [
        move("2021-01-01", "buy", 2, 200, account="A"),
        move("2021-02-01", "transfer", 1, account="A", to_account="B"),
        move("2022-02-01", "sell", 1, 500, account="B"),
    ]
    outcome = settle(rows, [Choice(), Choice(since_year=2022, per_account=True)])
    assert [(lot.account, lot.cost) for lot in outcome.lots] == [("A", Decimal(100))]
    assert outcome.shortfalls == [] and outcome.disposed[0][1].cost == 100


def test_a_choice_holds_until_the_next() -> None:
    choices = [Choice(), Choice(since_year=2020, method=Method.HIFO)]
    assert [choice_at(at(f"{year}-01-01"), choices).method for year in (2019, 2020, 2031)] == [
        "fifo",
        "hifo",
        "hifo",
    ]


def spread(rows: list[Movement]) -> list[Movement]:
    """The same rows over three years instead of two months."""
    return [row._replace(time=START + 15 * (row.time - START)) for row in rows]


choices = st.builds(
    lambda methods, scopes: [
        Choice(since_year=year, method=method, per_account=scope)
        for year, method, scope in zip((0, 2021, 2022), methods, scopes, strict=True)
    ],
    st.tuples(*[st.sampled_from(Method)] * 3),
    st.tuples(*[st.booleans()] * 3),
)


@given(rows=histories(), choices=choices)
def test_realised_and_unrealised_are_proceeds_less_cost_whatever_is_chosen(
    rows: list[Movement], choices: list[Choice]
) -> None:
    rows = sorted(spread(rows), key=lambda row: row.time)
    outcome = settle(rows, choices)
    realised = sum((part.gain for _, part in outcome.disposed), ZERO)
    open_cost = sum((lot.cost for lot in outcome.lots), ZERO)
    out = (Kind.SELL, Kind.SPEND)
    received = sum((row.value - row.fee for row in rows if row.kind in out), ZERO)
    spent = sum((row.value + row.fee for row in rows if row.kind not in out), ZERO)
    assert realised - open_cost - outcome.unplaced_fees == received - spent


@given(rows=histories(), choices=choices)
def test_each_part_belongs_to_the_movement_that_it_names(rows: list[Movement], choices: list[Choice]) -> None:
    rows = sorted(spread(rows), key=lambda row: row.time)
    sold: Counter[int] = Counter()
    for movement, part in settle(rows, choices).disposed:
        assert (movement.asset, movement.time) == (part.asset, part.disposed)
        sold[id(movement)] += part.quantity  # type: ignore[assignment]
    assert sold == {id(row): row.quantity for row in rows if row.kind in (Kind.SELL, Kind.SPEND)}


@given(rows=histories(), method=st.sampled_from(Method), per_account=st.booleans())
def test_one_choice_for_all_years_is_the_engines_own_answer(
    rows: list[Movement], method: Method, per_account: bool
) -> None:
    alone = settle_alone(rows, method, per_account=per_account)
    outcome = settle(rows, [Choice(method=method, per_account=per_account)])
    assert tuple(part for _, part in outcome.disposed) == alone.disposals
    assert tuple(outcome.lots) == alone.open_lots and tuple(outcome.shortfalls) == alone.shortfalls
    assert all(a.disposed <= b.disposed for (_, a), (_, b) in pairwise(outcome.disposed))
