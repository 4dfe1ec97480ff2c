"""Leads for a residual: each says why in a sentence, the likeliest come first, and what explains nothing is not named."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.proofs.candidates import Line, Neighbour, Reason, Standing, Unread, candidates

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def line(amount: str, standing: Standing = Standing.COUNTED, **fields: Any) -> Line:
    """A deposit of that amount."""
    known: dict[str, Any] = {"transaction": 7, "name": "deposit", "external_id": "42", "at": NOON}
    return Line(amount=Decimal(amount), standing=standing, **(known | fields))


@pytest.mark.parametrize(
    ("residual", "row", "reason", "words"),
    [
        ("5", line("5", Standing.PENDING), Reason.PENDING, "pending deposit of 5 USDT"),
        ("5", line("5", Standing.CANCELLED), Reason.CANCELLED, "cancelled or failed deposit"),
        ("0.1", line("-0.1", is_fee=True), Reason.FEE, "was not charged"),
        ("-0.1", line("-0.1", is_fee=True), Reason.FEE, "charged twice"),
        ("-5", line("5"), Reason.REVERSED, "the other direction may be missing"),
        ("-10", line("5"), Reason.TURNED, "wrong direction"),
        ("5", line("5"), Reason.TWIN, "second row of the same amount"),
        ("5", line("-5", elsewhere="Tether treasury"), Reason.TRANSFER, "at Tether treasury"),
        ("-5", line("5", elsewhere="Tether treasury"), Reason.TRANSFER, "have left here"),
    ],
)
def test_each_row_that_would_make_the_sum_exact_is_named(
    residual: str, row: Line, reason: Reason, words: str
) -> None:
    (found,) = candidates(Decimal(residual), "USDT", [row])

    assert found.reason is reason
    assert words in found.sentence
    assert found.transaction == 7


@pytest.mark.parametrize(
    "row",
    [
        line("5.000000000000000001", Standing.PENDING),
        line("-5", Standing.PENDING),
        line("5", elsewhere="the other", standing=Standing.COUNTED),
        line("-5", elsewhere="the other", standing=Standing.CANCELLED),
        line("3"),
    ],
)
def test_what_explains_nothing_is_not_named(row: Line) -> None:
    assert candidates(Decimal(5), "USDT", [row]) == ()


def test_the_likeliest_lead_comes_first() -> None:
    found = candidates(
        Decimal(5),
        "USDT",
        [line("5"), line("5", Standing.CANCELLED), line("5", Standing.PENDING)],
        [Unread(key=3, stream="wallet_history", body='{"amount": "5"}', reason="no id")],
        [Neighbour(proof=9, end=NOON, residual=Decimal(-5))],
    )

    assert [one.reason for one in found] == [
        Reason.PENDING,
        Reason.QUARANTINED,
        Reason.CANCELLED,
        Reason.OPPOSITE,
        Reason.TWIN,
    ]
    assert "holds this very amount" in found[1].sentence
    assert found[1].quarantine == 3
    assert found[3].proof == 9


def test_an_unreadable_record_is_a_lead_even_without_the_amount() -> None:
    unread = Unread(key=3, stream="wallet_history", body='{"x": 1}', reason="no id")

    (found,) = candidates(Decimal(5), "USDT", unread=[unread])

    assert "may be about this" in found.sentence


@given(
    st.decimals(-1000, 1000, places=4),
    st.lists(st.decimals(-1000, 1000, places=4)),
    st.sampled_from(Standing),
)
def test_every_lead_is_about_the_amount_in_question(
    residual: Decimal, amounts: list[Decimal], standing: Standing
) -> None:
    lines = [line(str(amount), standing, transaction=n) for n, amount in enumerate(amounts)]

    for found in candidates(residual, "USDT", lines):
        assert found.transaction is not None
        assert abs(amounts[found.transaction]) in {abs(residual), abs(residual) / 2}
