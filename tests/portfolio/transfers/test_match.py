"""Which pairs are proposed as own transfers, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.transfers import CLOCK, WINDOW, Candidate, Moved, candidates

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_ids = count(1)


def moved(amount: str, at: datetime = NOON, account: str = "A", **fields: Any) -> Moved:
    """A row of BTC."""
    kind = "withdrawal" if account == "A" else "deposit"
    row = Moved(pk=next(_ids), at=at, account=account, asset="BTC", amount=Decimal(amount), kind=kind)
    return replace(row, **fields)


def came(amount: str, after: timedelta = 5 * MINUTE, **fields: Any) -> Moved:
    """A row that came in elsewhere."""
    return moved(amount, NOON + after, **({"account": "B"} | fields))


def test_equal_amounts_shortly_after_each_other_are_proposed_with_all_reasons() -> None:
    (found,) = candidates([moved("1")], [came("1")])
    assert found.score == 45 + 30 + 5 + 15 and not found.is_certain
    assert found.reasons == (
        "+45 the amounts are equal",
        "+30 it arrived within an hour",
        "+5 withdrawal to deposit",
        "+15 neither has another partner",
    )


@pytest.mark.parametrize(
    "arrival",
    [
        came("1", account="A"),
        came("1", asset="ETH"),
        came("1", -CLOCK - MINUTE),
        came("1", WINDOW + MINUTE),
        came("0.97"),
        came("1.01"),
        came("1", network_id="0xbeef"),
    ],
    ids=["same account", "other asset", "before it was sent", "too late", "too little", "too much", "hash"],
)
def test_what_cannot_be_the_same_coins_is_not_proposed(arrival: Moved) -> None:
    assert candidates([moved("1", network_id="0xfeed")], [arrival]) == []


def test_clocks_may_differ_a_little() -> None:
    assert len(candidates([moved("1")], [came("1", -CLOCK)])) == 1


def test_amounts_may_differ_by_the_stated_fee_whichever_way_it_was_counted() -> None:
    out = [moved("1", fee=Decimal("0.1"))]
    assert candidates(out, [came("0.9")])[0].reasons[0] == "+40 the amounts differ by the stated fee"
    assert candidates(out, [came("1.1")])[0].reasons[0] == "+40 the amounts differ by the stated fee"


def test_a_common_hash_is_certain() -> None:
    (found,) = candidates([moved("1", network_id="0xFEED")], [came("1", network_id="feed")])
    assert found.is_certain and found.score == 100


def test_of_many_partners_all_are_shown_the_likeliest_first_and_none_is_certain() -> None:
    out = [moved("1", NOON - timedelta(hours=8)), moved("1")]
    found = candidates(out, [came("1", network_id="x")])
    assert [c.outgoing for c in found] == [out[1], out[0]]
    assert not any(c.is_certain for c in found)


def test_one_sending_may_arrive_in_parts() -> None:
    parts = [came("1"), came("2", 6 * MINUTE)]
    found = candidates([moved("3")], [*parts, came("9", 7 * MINUTE)])
    assert [c.incoming for c in found] == parts and all(c.is_split for c in found)


rows = st.lists(
    st.builds(
        lambda amount, minutes, account: moved(amount, NOON + minutes * MINUTE, account),
        st.sampled_from(["1", "1.01", "2", "3"]),
        st.integers(0, 20_000),
        st.sampled_from("AB"),
    ),
    max_size=12,
)


@given(out=rows, into=rows)
def test_no_proposal_breaks_a_rule_and_the_order_of_rows_is_never_seen(
    out: list[Moved], into: list[Moved]
) -> None:
    def told(found: list[Candidate]) -> list[tuple[int, int]]:
        return [(c.outgoing.pk, c.incoming.pk) for c in found]

    found = candidates(out, into)
    for c in found:
        assert c.outgoing.account != c.incoming.account
        assert -CLOCK <= c.incoming.at - c.outgoing.at <= WINDOW
        assert c.score == min(100, sum(int(r.split()[0]) for r in c.reasons))
    assert told(found) == told(candidates(out[::-1], into[::-1]))
    assert len(set(told(found))) == len(found)


def test_each_arrival_names_few_partners_however_many_there_are() -> None:
    out = [moved("100", NOON + n * MINUTE) for n in range(500)]
    into = [came("100", (n + 1) * MINUTE) for n in range(500)]
    found = candidates(out, into)
    assert len(found) <= 3 * len(into)
    assert {c.incoming.pk for c in found} == {row.pk for row in into}
