"""Does a Tether.to row mean what the design says, and does a broken one end in a reason and nothing else?"""

from __future__ import annotations

import json
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges import wire
from exchanges.errors import Hostile
from exchanges.records import Assumption, Entry, Kind, Meaning, Role, Status
from exchanges.tether.normalise import normalise

SAMPLE: dict[str, Any] = {
    "id": 2018, "amount": "1234.0", "balance": "7201.94", "message": None,
    "created_at": "2015-05-25T22:48:27+08:00", "updated_at": "2015-05-25T23:16:09+08:00",
    "description": "Bought USD₮", "currency": "USD₮", "status": "completed", "could_be_exchanged": False,
    "tx_type": "acquire", "reference_id": "WE1AM64", "fee": "20.0",
}  # fmt: skip


def meaning(value: Any, stream: str = "transactions", source_id: str = "2018") -> Meaning:
    """As the store would ask for it."""
    return normalise(wire.record(stream, source_id, wire.parse(json.dumps(value))), ())


def entry(**changes: Any) -> Entry:
    """The sample with some fields changed; one given as `...` is left out."""
    row = {name: value for name, value in (SAMPLE | changes).items() if value is not ...}
    return meaning(row).entries[0]


def test_the_documented_sample_is_an_issue_with_its_fee_inside_the_net_amount() -> None:
    found = entry()

    assert (found.kind, found.status, found.external_id) == (Kind.ISSUE, Status.COMPLETED, "2018")
    assert [(one.asset, one.amount, one.role) for one in found.postings] == [
        ("USDT", Decimal("1254.0"), Role.PRINCIPAL),
        ("USDT", Decimal("-20.0"), Role.FEE),
    ]
    assert found.balance_after == Decimal("7201.94")
    assert found.occurred_at.isoformat() == "2015-05-25T14:48:27+00:00"
    assert found.revised_at and found.revised_at.isoformat() == "2015-05-25T15:16:09+00:00"
    assert found.description == "Bought USD₮ · WE1AM64"


@pytest.mark.parametrize(
    ("said", "amount", "kind"),
    [
        ("convert", "5", Kind.CONVERSION), ("Receive", "5", Kind.DEPOSIT), ("SEND", "-5", Kind.WITHDRAWAL),
        ("redeem", "-5", Kind.REDEEM), ("unclaimed_return", "5", Kind.TRANSFER_IN),
        ("unclaimed return", "-5", Kind.TRANSFER_OUT), ("claimed-own", "5", Kind.TRANSFER_IN),
        ("claimed_own", "-5", Kind.TRANSFER_OUT), ("airdrop", "5", Kind.OTHER), (None, "5", Kind.OTHER),
    ],
)  # fmt: skip
def test_every_type_has_its_kind_and_an_unknown_one_is_other(said: str, amount: str, kind: Kind) -> None:
    found = entry(tx_type=said, amount=amount, fee=None)

    assert found.kind is kind
    assert [one.amount for one in found.postings] == [Decimal(amount)]
    assert found.assumption == (Assumption.DIRECTION if kind is Kind.OTHER else Assumption.NONE)


@pytest.mark.parametrize(
    ("said", "status", "is_open"),
    [
        ("pending", Status.PENDING, True), ("Processing", Status.PENDING, True), ("COMPLETED", Status.COMPLETED, False),
        ("denied", Status.FAILED, False), ("on hold", Status.PENDING, True), (None, Status.PENDING, True),
    ],
)  # fmt: skip
def test_every_status_is_known_in_any_case_and_an_open_row_is_followed(
    said: str, status: Status, is_open: bool
) -> None:
    found = meaning(SAMPLE | {"status": said})

    assert found.entries[0].status is status
    assert found.open_until == (("2018",) if is_open else ())


def test_a_fee_of_38_digits_is_added_exactly() -> None:
    found = entry(amount="-12345678901234567890.123456789012345678", fee="0.000000000000000001")

    assert sum(one.amount for one in found.postings) == Decimal("-12345678901234567890.123456789012345678")
    assert found.postings[0].amount == Decimal("-12345678901234567890.123456789012345677")


def test_numbers_in_place_of_texts_extra_and_missing_fields_are_read() -> None:
    found = entry(amount=1.5, fee=..., balance=..., updated_at=..., id="x-9", description={"a": 1}, new=[1])

    assert (found.external_id, found.postings[0].amount) == ("x-9", Decimal("1.5"))
    assert (found.balance_after, found.revised_at) == (None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": None}, {"amount": "1_000"}, {"amount": "NaN"}, {"amount": "1e400"}, {"currency": None},
        {"id": None}, {"created_at": "soon", "updated_at": None}, {"fee": "some"}, {"balance": []},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_reason(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        entry(**changes)


def test_balances_keep_pending_beside_the_total_and_leave_zeros_out() -> None:
    rows = [
        {"confirmed": "12.30097754", "pending": "0.5", "currency": "USD₮"},
        {"confirmed": "0.0", "pending": "0.0", "currency": "BTC"},
    ]

    (found,) = meaning(rows, "balances", "all").balances

    assert (found.asset, found.total, found.available, found.pending) == (
        "USDT", Decimal("12.30097754"), Decimal("12.30097754"), Decimal("0.5"),
    )  # fmt: skip


def test_a_balance_that_became_zero_is_said_where_it_stands_alone() -> None:
    (found,) = meaning({"confirmed": "0", "currency": "EUR₮"}, "balances", "EUR₮").balances

    assert (found.asset, found.total) == ("EURT", Decimal(0))


def test_two_spellings_of_one_asset_are_added_and_a_row_sent_twice_counts_once() -> None:
    one, other = {"confirmed": "1", "currency": "USD₮"}, {"confirmed": "2", "currency": "USDt"}

    (found,) = meaning([one, other, one], "balances", "all").balances

    assert found.total == 3


def test_exchange_orders_mean_nothing_because_their_effect_is_in_the_transactions() -> None:
    assert meaning({"id": 1, "status": "COMPLETED"}, "exchange_orders") == Meaning()


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.decimals(allow_nan=False).map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(SAMPLE)), JUNK, max_size=4))
def test_a_mangled_row_is_exact_or_refused_and_nothing_else(changes: dict[str, Any]) -> None:
    try:
        found = entry(**changes)
    except (ValueError, Hostile):
        return
    row = wire.fields(wire.parse(json.dumps(SAMPLE | changes)))
    total = sum((one.amount for one in found.postings), Decimal(0))
    assert total == wire.amount(row["amount"])
    assert found.external_id == wire.identifier(row["id"])
    assert found.occurred_at.tzinfo is UTC


@given(JUNK | st.lists(st.dictionaries(st.sampled_from(["currency", "confirmed", "pending"]), JUNK)))
def test_mangled_balances_are_read_or_refused_and_nothing_else(value: Any) -> None:
    try:
        found = meaning(value, "balances", "all").balances
    except (ValueError, Hostile):
        return
    assert len({one.asset for one in found}) == len(found)
