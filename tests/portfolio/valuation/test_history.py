"""The quantity of each day: from snapshots, before them backwards through the ledger, and what flowed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchanges.records import Kind
from portfolio.models import Certainty
from portfolio.valuation.history import DayQuantity, Known, Moved, Seen, anchored, days, first_day
from tests.portfolio.valuation_rows import at

START = date(2026, 3, 1)
NOW = at("2026-03-06", 15)
SNAPSHOT, LEDGER, UNCERTAIN = Certainty.SNAPSHOT, Certainty.LEDGER, Certainty.UNCERTAIN


def seen(first: str, total: str, last: str = "") -> Seen:
    """A balance seen at noon of "03-05" (until noon of `last`)."""
    return Seen(first=at(f"2026-{first}"), last=at(f"2026-{last or first}"), total=Decimal(total))


def moved(day: str, amount: str, kind: Kind = Kind.DEPOSIT, hour: int = 10, role: str = "principal") -> Moved:
    """A posting in the morning of "03-02"."""
    return Moved(at=at(f"2026-{day}", hour), amount=Decimal(amount), kind=kind, role=role)


def told(
    snapshots: Sequence[Seen], postings: Sequence[Moved] = (), *, trusted: bool = True, now: datetime = NOW
) -> list[DayQuantity]:
    """All days of an asset."""
    known = Known(seen=snapshots, moved=postings, trusted=trusted)
    start = first_day(known)
    assert start
    return list(days(known, start, now, fresh=True))


def quantities(rows: list[DayQuantity]) -> list[int]:
    """The quantities alone."""
    return [int(row.quantity) for row in rows]


def flows(rows: list[DayQuantity]) -> list[int]:
    """The flows alone."""
    return [int(row.flow) for row in rows]


def test_before_the_first_snapshot_the_ledger_is_walked_backwards() -> None:
    postings = [moved("03-02", "5"), moved("03-03", "-2", Kind.TRADE), moved("03-04", "1")]
    rows = told([seen("03-05", "4", "03-06")], postings)
    assert quantities(rows) == [5, 3, 4, 4, 4]
    assert [row.certainty for row in rows] == [LEDGER] * 3 + [SNAPSHOT] * 2
    assert flows(rows) == [5, 0, 1, 0, 0]


def test_a_trade_is_no_flow_and_neither_is_a_fee_of_a_withdrawal() -> None:
    postings = [
        moved("03-02", "9"),
        moved("03-03", "-5", Kind.WITHDRAWAL),
        moved("03-03", "-1", Kind.WITHDRAWAL, role="fee"),
    ]
    assert flows(told([seen("03-05", "3")], postings))[:2] == [9, -5]


def test_what_was_there_when_the_connection_was_added_is_a_flow_of_that_day() -> None:
    rows = told([seen("03-05", "7", "03-06")])
    assert (rows[0].day, flows(rows), int(rows[0].unexplained)) == (date(2026, 3, 5), [7, 0], 7)


def test_a_ledger_that_does_not_add_up_makes_the_time_before_uncertain_and_the_rest_an_opening_flow() -> None:
    rows = told([seen("03-05", "7", "03-06")], [moved("03-03", "-3", Kind.TRADE)])
    assert quantities(rows) == [7, 7, 7, 7] and flows(rows) == [10, 0, 0, 0]
    assert [row.certainty for row in rows] == [UNCERTAIN, UNCERTAIN, SNAPSHOT, SNAPSHOT]


def test_an_incomplete_ledger_may_not_speak_for_the_past_even_where_it_adds_up() -> None:
    rows = told([seen("03-05", "5", "03-06")], [moved("03-03", "5")], trusted=False)
    assert [row.certainty for row in rows] == [UNCERTAIN, UNCERTAIN, SNAPSHOT, SNAPSHOT]


def test_holding_less_than_nothing_is_shown_as_uncertain_and_not_clamped() -> None:
    postings = [moved("03-02", "-3", Kind.WITHDRAWAL), moved("03-03", "5")]
    rows = told([seen("03-05", "2", "03-06")], postings)
    assert quantities(rows) == [-3, 2, 2, 2, 2]
    assert [row.certainty for row in rows] == [UNCERTAIN, LEDGER, LEDGER, SNAPSHOT, SNAPSHOT]


def test_between_two_snapshots_the_ledger_places_the_change_on_its_day() -> None:
    rows = told([seen("03-01", "1"), seen("03-05", "4", "03-06")], [moved("03-03", "3")])
    assert quantities(rows) == [1, 1, 4, 4, 4, 4] and flows(rows) == [1, 0, 3, 0, 0, 0]
    assert [row.certainty for row in rows] == [SNAPSHOT, LEDGER, LEDGER, LEDGER, SNAPSHOT, SNAPSHOT]


def test_a_change_that_no_row_explains_is_a_flow_on_the_day_it_was_seen_never_a_gain() -> None:
    rows = told([seen("03-01", "1"), seen("03-05", "4", "03-06")])
    assert quantities(rows) == [1, 1, 1, 1, 4, 4] and flows(rows) == [1, 0, 0, 0, 3, 0]
    assert [row.certainty for row in rows][1:4] == [UNCERTAIN] * 3


def test_days_after_the_last_confirmation_are_uncertain() -> None:
    rows = told([seen("03-03", "2", "03-04")])
    assert [row.certainty for row in rows] == [SNAPSHOT, SNAPSHOT, UNCERTAIN, UNCERTAIN]
    assert quantities(rows) == [2, 2, 2, 2]


def test_today_is_what_was_last_seen() -> None:
    rows = told([seen("03-06", "2")], [moved("03-06", "1", hour=14)])
    assert quantities(rows) == [2]


def test_an_asset_that_no_balance_names_was_gone_when_balances_were_first_read() -> None:
    postings = [moved("03-02", "5"), moved("03-04", "-5", Kind.WITHDRAWAL)]
    known = anchored(Known(seen=(), moved=postings, trusted=True), at("2026-03-05"), NOW)
    assert quantities(list(days(known, date(2026, 3, 2), NOW, fresh=True))) == [5, 5, 0, 0, 0]


def test_a_ledger_without_any_balance_is_walked_forwards_and_uncertain() -> None:
    rows = told([], [moved("03-04", "5")])
    assert quantities(rows) == [5, 5, 5] and {row.certainty for row in rows} == {UNCERTAIN}


ledgers = st.lists(
    st.tuples(
        st.integers(0, 120),
        st.integers(-50, 50),
        st.sampled_from([Kind.DEPOSIT, Kind.TRADE, Kind.WITHDRAWAL]),
    ),
    min_size=1,
    max_size=30,
)
hours = st.lists(st.integers(0, 130), min_size=1, max_size=6, unique=True).map(sorted)


def _world(ledger: list[tuple[int, int, Kind]]) -> list[Moved]:
    zero = at("2026-03-01", 0)
    return [
        Moved(at=zero + timedelta(hours=h), amount=Decimal(a), kind=kind, role="principal")
        for h, a, kind in sorted(ledger, key=lambda row: row[0])
    ]


def _truth(postings: list[Moved], end: datetime) -> Decimal:
    return sum((m.amount for m in postings if m.at < end), Decimal(0))


@given(ledgers, hours)
def test_a_complete_ledger_gives_every_day_its_true_quantity(
    ledger: list[tuple[int, int, Kind]], looked: list[int]
) -> None:
    moments = [at("2026-03-01", 0) + timedelta(hours=h, minutes=30) for h in looked]
    postings = [m for m in _world(ledger) if m.at < moments[-1]]
    snapshots = [Seen(first=m, last=m, total=_truth(postings, m)) for m in moments]
    known = Known(seen=snapshots, moved=postings, trusted=True)
    start = first_day(known)
    assert start
    for row in days(known, start, moments[-1], fresh=True):
        end = min(at(str(row.day), 0) + timedelta(days=1), moments[-1])
        assert row.quantity == _truth(postings, end)
        assert row.unexplained == 0


@given(ledgers, hours, st.lists(st.integers(0, 40), min_size=6, max_size=6), st.integers(1, 5))
def test_whatever_was_seen_each_day_is_the_day_before_and_what_moved_and_any_start_tells_the_same(
    ledger: list[tuple[int, int, Kind]], looked: list[int], totals: list[int], skip: int
) -> None:
    moments = [at("2026-03-01", 0) + timedelta(hours=h, minutes=30) for h in looked]
    snapshots = [Seen(first=m, last=m, total=Decimal(t)) for m, t in zip(moments, totals, strict=False)]
    known = Known(seen=snapshots, moved=_world(ledger), trusted=True)
    rows = told(snapshots, known.moved)
    posted = sum((m.amount for m in known.moved), Decimal(0))
    assert rows[-1].quantity == posted + sum((row.unexplained for row in rows), Decimal(0))
    later = rows[skip:]
    if later:
        assert list(days(known, later[0].day, NOW, fresh=False)) == later
