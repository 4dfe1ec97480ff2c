"""The exchange's own running balances: where they follow, and between which rows they break."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from exchanges.catalog import ExchangeName
from portfolio import proofs
from portfolio.models import Proof, Transaction, Verdict
from portfolio.proofs import Reason
from portfolio.proofs.running import Running, breaks
from tests.portfolio.desks import desk

START = datetime(2026, 1, 1, tzinfo=UTC)
MOVES = st.lists(st.tuples(st.integers(-99, 99), st.integers(0, 3)), min_size=3, max_size=20)


def chain(moves: list[tuple[int, int]]) -> list[Running]:
    """Rows as an exchange lists them: what each moved, some hours after the one before, and the balance after it."""
    hours = list(accumulate(wait for _, wait in moves))
    totals = list(accumulate(amount for amount, _ in moves))
    return [
        Running(
            transaction=number,
            external_id=str(number),
            at=START + timedelta(hours=hours[number]),
            amount=Decimal(moves[number][0]),
            after=Decimal(totals[number]),
        )
        for number in range(len(moves))
    ]


@given(MOVES, st.randoms())
def test_a_whole_list_follows_in_whatever_order_it_is_read(
    moves: list[tuple[int, int]], dice: object
) -> None:
    rows = chain(moves)
    dice.shuffle(rows)  # type: ignore[attr-defined]

    assert list(breaks(rows)) == []


@given(MOVES, st.data())
def test_a_row_left_out_is_missed_where_it_was(moves: list[tuple[int, int]], data: st.DataObject) -> None:
    rows = chain([(amount or 1, 1) for amount, _ in moves])
    gone = rows.pop(data.draw(st.integers(1, len(rows) - 2)))

    (found,) = breaks(rows)

    assert found.amount == gone.amount
    assert found.before.at < gone.at < found.row.at


@pytest.mark.django_db
def test_the_lead_names_the_rows_between_which_tether_lost_one(alice: User) -> None:
    at = desk(alice, ExchangeName.TETHER, world={"live": False})
    at.sync()
    rows = Transaction.objects.filter(status="completed", assets=" USDT ").order_by("occurred_at")
    lost = rows[rows.count() // 2]
    later = rows.filter(occurred_at__gt=lost.occurred_at)[0]
    lost.delete()
    at.tell()

    failing = Proof.objects.filter(verdict=Verdict.UNEXPLAINED, asset="USDT").latest("end")
    found = [lead for lead in proofs.leads(failing) if lead.reason is Reason.RUNNING]

    assert [lead.transaction for lead in found] == [later.pk]
    assert f"{later.external_id} (" in found[0].sentence
