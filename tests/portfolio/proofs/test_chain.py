"""A chain of intervals adds up exactly, counts every row once, and moves rows over an end only where that proves it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portfolio.proofs.chain import Look, Move, intervals, links

START = datetime(2026, 1, 1, tzinfo=UTC)
AMOUNTS = st.decimals(min_value=-1000, max_value=1000, places=18).filter(bool)


def hour(number: float) -> datetime:
    """A moment of the invented day."""
    return START + timedelta(hours=number)


def look(at: float, total: str | Decimal, until: float | None = None) -> Look:
    """A balance seen from one hour to another."""
    return Look(at=hour(at), until=hour(at if until is None else until), total=Decimal(total))


def move(number: int, at: float, amount: str | Decimal) -> Move:
    """A transaction of one posting."""
    return Move(transaction=number, at=hour(at), amount=Decimal(amount))


def nobody(end: datetime, moves: Sequence[Move]) -> set[int]:
    """No row was on its way."""
    return set()


def anybody(end: datetime, moves: Sequence[Move]) -> set[int]:
    """Every row may have been on its way."""
    return {one.transaction for one in moves}


@given(
    st.lists(st.tuples(st.integers(0, 90), AMOUNTS), max_size=30), st.sets(st.integers(0, 100), min_size=1)
)
def test_true_balances_are_proved_wherever_they_were_seen(
    rows: list[tuple[int, Decimal]], seen: set[int]
) -> None:
    moves = [move(number, at, amount) for number, (at, amount) in enumerate(sorted(rows))]
    totals = {at: sum((one.amount for one in moves if one.at <= hour(at)), Decimal(0)) for at in seen}
    looks = [look(at, totals[at]) for at in sorted(seen)]

    chain = links(looks, moves, nobody)

    assert all(link.residual == 0 for link in chain)


@given(
    st.lists(st.tuples(st.integers(0, 90), AMOUNTS), max_size=12),
    st.lists(st.tuples(st.integers(0, 100), AMOUNTS), min_size=1, max_size=8, unique_by=lambda one: one[0]),
)
def test_whatever_is_seen_no_row_is_counted_twice_or_left_out(
    rows: list[tuple[int, Decimal]], seen: list[tuple[int, Decimal]]
) -> None:
    moves = [move(number, at, amount) for number, (at, amount) in enumerate(sorted(rows))]
    looks = [look(at, total) for at, total in sorted(seen)]

    chain = links(looks, moves, anybody)

    waiting = sum((one.amount for one in moves if one.transaction in chain[-1].later), Decimal(0))
    ahead = sum((one.amount for one in moves if one.transaction in chain[-1].earlier), Decimal(0))
    dated = sum((one.amount for one in moves if one.at <= looks[-1].at), Decimal(0))
    assert sum((link.postings for link in chain), Decimal(0)) == dated - waiting + ahead


def test_the_last_look_is_held_against_its_own_last_sight() -> None:
    chain = links([look(1, "5", until=9)], [move(1, 0.5, "5"), move(2, 4, "3")], nobody)

    assert [link.residual for link in chain] == [0, -3]


def test_a_row_on_its_way_is_counted_when_it_took_effect() -> None:
    looks = [look(2, "10"), look(4, "7")]
    moves = [move(1, 0, "10"), move(2, 1, "-3")]

    chain = links(looks, moves, anybody)

    assert [link.later for link in chain if link.residual == 0] == [(2,), ()]


def test_a_row_is_not_moved_where_nothing_says_it_was_on_its_way() -> None:
    chain = links([look(2, "10"), look(4, "7")], [move(1, 0, "10"), move(2, 1, "-3")], nobody)

    assert [link.residual for link in chain] == [3, -3]


def test_two_clocks_may_differ_by_a_moment() -> None:
    moment = 3 / 3600
    chain = links([look(2, "10"), look(4, "10")], [move(1, 2 + moment, "10")], nobody)

    assert [link.earlier for link in chain if link.residual == 0] == [(1,), ()]


def test_a_row_taken_ahead_stays_counted_over_a_shorter_interval() -> None:
    second = 1 / 3600
    looks = [look(2, "10"), look(2 + second, "10"), look(4, "10")]

    chain = links(looks, [move(1, 2 + 3 * second, "10")], nobody)

    assert [link.residual for link in chain] == [0, 0, 0]
    assert chain[1].earlier == (1,)


def test_a_wrong_amount_stays_unexplained_to_the_last_digit() -> None:
    chain = links([look(2, "1.000000000000000001")], [move(1, 1, "1")], anybody)

    assert chain[0].residual == Decimal("0.000000000000000001")


def test_intervals_go_from_look_to_look() -> None:
    found = intervals([look(1, "1"), look(2, "3", until=5)])

    assert [(start, end) for start, end, *_ in found] == [
        (None, hour(1)),
        (hour(1), hour(2)),
        (hour(2), hour(5)),
    ]
