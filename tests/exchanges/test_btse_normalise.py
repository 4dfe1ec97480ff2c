"""What BTSE's rows mean, from its document, from recorded answers, and bent in every way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges import wire
from exchanges.btse.normalise import normalise
from exchanges.errors import Hostile
from exchanges.records import Assumption, Entry, Kind, Role, Status

LIVE = Path(__file__).parents[3] / "shared/data/wire/btse-live-2026.json"
ROW: Mapping[str, Any] = {
    "orderId": "2026081200000367",
    "wallet": "SPOT@",
    "currency": "USDT",
    "type": "Deposit",
    "amount": Decimal(100),
    "fees": Decimal(1),
    "timestamp": Decimal(1786510157962),
    "status": "COMPLETED",
    "txId": "0xb4",
}
FILL: Mapping[str, Any] = {
    "tradeId": "t1",
    "serialId": Decimal(926957588),
    "side": "BUY",
    "filledPrice": Decimal("111381.3460167"),
    "filledSize": Decimal("0.00089"),
    "base": "BTC",
    "quote": "USD",
    "symbol": "BTC-USD",
    "feeCurrency": "BTC",
    "feeAmount": Decimal("5.34E-7"),
    "timestamp": Decimal(1752129085233),
}


def entry(row: Mapping[str, Any], stream: str = "wallet_history") -> Entry:
    """The meaning of one row."""
    (found,) = normalise(wire.record(stream, "id", dict(row)), ()).entries
    return found


def moves(found: Entry) -> list[tuple[str, str, Role]]:
    """Its postings, to compare."""
    return [(p.asset, format(p.amount, "f"), p.role) for p in found.postings]


def test_a_deposit_credits_the_amount_without_the_fee() -> None:
    found = entry(ROW)
    assert moves(found) == [("USDT", "100", Role.PRINCIPAL), ("USDT", "-1", Role.FEE)]
    assert (found.kind, found.status, found.external_id) == (
        Kind.DEPOSIT,
        Status.COMPLETED,
        "2026081200000367",
    )
    assert (found.leg, found.network_id) == ("deposit/USDT", "0xb4")
    assert found.occurred_at == datetime(2026, 8, 12, 4, 49, 17, 962000, tzinfo=UTC)


@pytest.mark.parametrize("amount", ["100", "-100"])
@pytest.mark.parametrize("kind", ["Withdraw", "WITHDRAW", "Transfer_Out", "transfer out", "SEND"])
def test_what_goes_out_debits_the_whole_amount_fee_included(kind: str, amount: str) -> None:
    found = entry({**ROW, "type": kind, "amount": Decimal(amount)})
    assert moves(found) == [("USDT", "-99", Role.PRINCIPAL), ("USDT", "-1", Role.FEE)]


def test_a_conversion_that_names_both_sides_is_one_leg_whichever_row_tells_it() -> None:
    both = {"sourceCurrency": "BTC", "sourceAmount": "0.5", "targetCurrency": "USD", "targetAmount": "30000"}
    legs = [entry({**ROW, **both, "type": "Convert fiat", "currency": c, "fees": 0}) for c in ("BTC", "USD")]
    assert legs[0] == legs[1]
    assert legs[0].leg == "convert"
    assert moves(legs[0]) == [("BTC", "-0.5", Role.PRINCIPAL), ("USD", "30000", Role.PRINCIPAL)]


@pytest.mark.parametrize(("fee_in", "given", "fee"), [("BTC", "-0.4", "BTC"), ("USD", "-0.5", "USD")])
def test_a_conversions_fee_is_part_of_what_was_given_or_taken_off_what_came(
    fee_in: str, given: str, fee: str
) -> None:
    both = {"sourceCurrency": "BTC", "sourceAmount": "0.5", "targetCurrency": "USD", "targetAmount": "30000"}
    found = entry({**ROW, **both, "type": "CONVERT", "currency": fee_in, "fees": "0.1"})
    assert moves(found)[0] == ("BTC", given, Role.PRINCIPAL)
    assert moves(found)[2] == (fee, "-0.1", Role.FEE)


def test_a_conversion_that_names_one_side_is_a_leg_of_its_own() -> None:
    found = entry({**ROW, "type": "Convert fiat", "sourceCurrency": "USDT", "targetCurrency": "", "fees": 0})
    assert (found.leg, moves(found)) == ("convert/USDT", [("USDT", "-100", Role.PRINCIPAL)])


@pytest.mark.parametrize(
    ("spoken", "status"),
    [
        ("COMPLETED", Status.COMPLETED), ("Completed", Status.COMPLETED), (10, Status.COMPLETED), ("10", Status.COMPLETED),
        ("PENDING", Status.PENDING), (1, Status.PENDING), ("PROCESSING", Status.PENDING), (2, Status.PENDING),
        ("CANCELLED", Status.CANCELLED), (16, Status.CANCELLED), ("EXPIRED", Status.CANCELLED),
        ("FAILURE", Status.FAILED), ("tomorrow", Status.PENDING), (99, Status.PENDING), (None, Status.PENDING),
    ],
)  # fmt: skip
def test_statuses_are_read_as_text_and_as_number(spoken: object, status: Status) -> None:
    found = normalise(wire.record("wallet_history", "7", {**ROW, "status": spoken}), ())
    assert found.entries[0].status is status
    assert found.open_until == (("7",) if status is Status.PENDING else ())


def test_an_unknown_type_is_kept_as_other_with_its_own_sign() -> None:
    found = entry({**ROW, "type": "Moon Gift", "amount": "-3", "fees": 0})
    assert (found.kind, found.raw_kind, found.assumption) == (Kind.OTHER, "Moon Gift", Assumption.DIRECTION)
    assert (found.leg, moves(found)) == ("moon_gift/USDT", [("USDT", "-3", Role.PRINCIPAL)])


def test_a_row_of_a_futures_wallet_does_not_move_the_spot_wallet() -> None:
    found = entry({**ROW, "wallet": "ISOLATED@BTC-PERP-USDT"})
    assert (found.postings, "ISOLATED" in found.description) == ((), True)


def test_a_buy_brings_the_base_for_the_quote_less_the_fee() -> None:
    found = entry(FILL, "trades")
    assert moves(found) == [
        ("BTC", "0.00089", Role.PRINCIPAL),
        ("USD", "-99.129397954863", Role.PRINCIPAL),
        ("BTC", "-0.000000534", Role.FEE),
    ]
    assert (found.external_id, found.kind, found.assumption) == ("t1", Kind.TRADE, Assumption.NONE)


def test_a_sell_without_ids_sides_and_fee_currency_is_still_read() -> None:
    bare = {k: v for k, v in FILL.items() if k not in ("tradeId", "base", "quote", "feeCurrency")}
    found = entry({**bare, "side": "sell"}, "trades")
    assert (found.external_id, found.assumption) == ("926957588", Assumption.FEE_CURRENCY)
    assert [p.asset for p in found.postings] == ["BTC", "USD", "USD"]
    assert [p.amount < 0 for p in found.postings] == [True, False, True]


@given(
    st.decimals(min_value=0, max_value=10**20 - 1, places=18),
    st.decimals(min_value=0, max_value=10**20 - 1, places=18),
    st.sampled_from(["Deposit", "Withdraw"]),
)
def test_38_digits_are_never_rounded(amount: Decimal, fee: Decimal, kind: str) -> None:
    found = entry({**ROW, "type": kind, "amount": amount, "fees": fee})
    exact = Context(prec=60)
    total = Decimal(0)
    for posting in found.postings:
        total = exact.add(total, posting.amount)
    assert total == (exact.minus(amount) if kind == "Withdraw" else exact.subtract(amount, fee))


@pytest.mark.parametrize(
    "broken",
    [
        {"orderId": None}, {"orderId": ""}, {"orderId": True}, {"currency": None}, {"currency": "x" * 33},
        {"amount": None}, {"amount": "NaN"}, {"amount": "1_000"}, {"amount": Decimal("1e999999")}, {"amount": True},
        {"fees": "much"}, {"timestamp": None}, {"timestamp": 5}, {"description": "a\0b"}, {"description": []},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_cannot_be_read_says_why_without_quoting_itself(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^an? ") as caught:
        entry({**ROW, **broken})
    assert len(str(caught.value)) < 80


anything = st.recursive(
    st.none() | st.booleans() | st.text(max_size=12) | st.decimals() | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.sampled_from(
        [("wallet_history", ROW), ("trades", FILL), ("balances", {"currency": "A", "total": "1"})]
    ),
    st.dictionaries(
        st.sampled_from([*ROW, *FILL, "total", "available", "targetAmount"]), anything, max_size=4
    ),
    st.sets(st.sampled_from([*ROW, *FILL]), max_size=3),
)
def test_a_mutated_row_is_read_exactly_or_refused(
    of: tuple[str, Mapping[str, Any]], changed: dict[str, Any], missing: set[str]
) -> None:
    stream, row = of
    bent = {k: v for k, v in {**row, **changed}.items() if k not in missing}
    try:
        meaning = normalise(wire.record(stream, "id", bent), ())
    except (ValueError, Hostile):
        return
    amounts = [p.amount for e in meaning.entries for p in e.postings] + [b.total for b in meaning.balances]
    assert all(amount.is_finite() and len(format(amount, "f")) < 45 for amount in amounts)


@pytest.mark.skipif(not LIVE.exists(), reason="the recorded answers are not beside this tree (../shared)")
def test_recorded_answers_are_read() -> None:
    bodies = [sample["body"] for sample in json.loads(LIVE.read_text())["samples"]]
    wallet = normalise(wire.record("balances", "all", wire.parse(json.dumps(bodies[0]))), ())
    assert {b.asset: format(b.total, "f") for b in wallet.balances}["USDT"] == "50.00003451"
    (row,) = bodies[2]
    found = entry(row)
    assert (found.kind, found.status, found.external_id) == (Kind.DEPOSIT, Status.PENDING, "2026081200000367")
    assert moves(found) == [("USDT", "100", Role.PRINCIPAL)]


def test_the_documents_row_with_numbers_is_read() -> None:
    found = entry({**ROW, "orderId": Decimal(20181213000239), "type": 1, "status": 10, "wallet": "Wallet"})
    assert (found.external_id, found.kind, found.status) == ("20181213000239", Kind.DEPOSIT, Status.COMPLETED)
    assert found.assumption is Assumption.DIRECTION


def test_a_reference_means_nothing_and_an_unknown_stream_is_refused() -> None:
    assert not normalise(wire.record("reference", "all", []), ()).entries
    with pytest.raises(ValueError, match="no such stream"):
        normalise(wire.record("dreams", "1", {}), ())
