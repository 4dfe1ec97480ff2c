"""Does a Tokens.net record mean what the design says, and does a broken one end in a reason and nothing else?"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges import wire
from exchanges.errors import Hostile
from exchanges.records import Assumption, Entry, Kind, Meaning, Raw, Status
from exchanges.tokens_net.normalise import normalise

ID = "01234567-89ab-cdef-0123-456789abcdef"
ORDER: dict[str, Any] = {
    "id": ID, "created": 1234567890, "type": "buy", "orderStatus": "Open", "price": "1234.56", "amount": "1234.56",
    "remainingAmount": "1233.56", "currencyPair": "btcusdt", "takeProfit": None,
    "trades": [{
        "datetime": 1234567890, "id": 1234567, "type": "sell", "price": "1234.56", "amount": "1.00", "value": "1234.56",
    }],
}  # fmt: skip
TRADE: dict[str, Any] = {
    "id": 3625965, "datetime": 1572720454, "type": "sell", "amount": "30.00000000", "currencyPair": "dtrbtc",
    "price": "0.00000311", "fee": "0.00000000",
}  # fmt: skip


def pairs(value: Any = None) -> Raw:
    """The list of pairs as reference."""
    known = {
        name: {"title": "T", "minAmount": 0.0005, "baseCurrency": base, "counterCurrency": counter}
        for name, base, counter in (("btcusdt", "btc", "usdt"), ("dtrbtc", "dtr", "btc"))
    }
    return wire.record("reference", "pairs", wire.parse(json.dumps(value or known)))


def meaning(stream: str, value: Any, source_id: str = "1", reference: Raw | None = None) -> Meaning:
    """As the store would ask for it."""
    raw = wire.record(stream, source_id, wire.parse(json.dumps(value)))
    return normalise(raw, (reference or pairs(),))


def moved(entry: Entry) -> dict[str, Decimal]:
    """What an entry does, by asset."""
    return {one.asset: one.amount for one in entry.postings}


def test_a_sell_of_the_list_takes_the_base_and_brings_the_counter() -> None:
    (found,) = meaning("trades", TRADE).entries

    assert moved(found) == {"DTR": Decimal("-30"), "BTC": Decimal("0.0000933")}
    assert (found.kind, found.status, found.external_id) == (Kind.TRADE, Status.COMPLETED, "3625965")
    assert (found.rank, found.assumption) == (1, Assumption.DIRECTION)
    assert found.occurred_at.isoformat() == "2019-11-02T18:47:34+00:00"


def test_the_side_of_an_orders_trade_is_the_orders_and_not_the_takers() -> None:
    (found,) = meaning("orders", ORDER, ID).entries

    assert moved(found) == {"BTC": Decimal(1), "USDT": Decimal("-1234.56")}
    assert (found.stream, found.rank, found.assumption) == ("trades", 2, Assumption.NONE)
    assert found.description == "Bought 1.00 BTC at 1234.56 USDT"


@pytest.mark.parametrize(
    ("said", "is_open"),
    [("Open", True), ("open", True), (None, True), ("Partially", True), ("Filled", False), ("CANCELED", False),
     ("cancelled", False), ("expired", False)],
)  # fmt: skip
def test_an_order_is_followed_until_it_is_final_and_keeps_its_trades_whatever_became_of_it(
    said: str, is_open: bool
) -> None:
    found = meaning("orders", ORDER | {"orderStatus": said}, ID)

    assert found.open_until == ((ID,) if is_open else ())
    assert len(found.entries) == 1


def test_an_order_without_trades_moves_nothing() -> None:
    row = {name: value for name, value in ORDER.items() if name not in ("trades", "orderStatus")}

    assert meaning("orders", row, ID) == Meaning(open_until=(ID,))


def test_a_fee_is_described_and_not_posted_because_nobody_says_in_what_it_was_taken() -> None:
    (found,) = meaning("trades", TRADE | {"fee": "0.06"}).entries

    assert len(found.postings) == 2
    assert found.assumption is Assumption.FEE_CURRENCY
    assert "a fee of 0.06 in a currency that the exchange does not name" in found.description


def test_a_product_of_many_digits_is_exact() -> None:
    changes = {"amount": "1234567890123456789.12345678", "price": "0.1000000001"}
    (found,) = meaning("trades", TRADE | changes).entries

    assert moved(found)["BTC"] == Decimal("123456789135802467.924691356912345678")


@pytest.mark.parametrize(
    "changes",
    [
        {"currencyPair": "ltcbtc"}, {"currencyPair": None}, {"type": "lend"}, {"amount": "-1"}, {"price": None},
        {"price": "Infinity"}, {"id": True}, {"datetime": 5}, {"fee": "x"}, {"amount": "0.1234567890123", "price": "1e-9"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_reason(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        meaning("trades", TRADE | changes)


def test_a_pair_is_split_with_the_list_also_in_the_shape_of_an_older_revision() -> None:
    listed = pairs([{"baseCurrency": "DTR", "counterCurrency": "BTC"}, "junk", {"baseCurrency": 1}])

    assert meaning("trades", TRADE, reference=listed).entries[0].postings[0].asset == "DTR"


def test_all_balances_leave_zeros_out_and_carry_what_is_locked() -> None:
    value = {
        "BTC": {"available": "0.00009176", "total": "0.00433932"},
        "XRP": {"available": "0", "total": "0"},
    }

    (found,) = meaning("balances", value, "all").balances

    assert (found.asset, found.total, found.available) == (
        "BTC",
        Decimal("0.00433932"),
        Decimal("0.00009176"),
    )


def test_a_balance_of_one_currency_is_said_even_when_it_is_zero() -> None:
    (found,) = meaning("balances", {"total": "0", "available": "0"}, "BTC@2026-01-01T00:00:00Z").balances

    assert (found.asset, found.total) == ("BTC", Decimal(0))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.decimals(allow_nan=False).map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(TRADE)), JUNK, max_size=4))
def test_a_mangled_trade_is_exact_or_refused_and_nothing_else(changes: dict[str, Any]) -> None:
    row = TRADE | changes
    try:
        (found,) = meaning("trades", row).entries
    except (ValueError, Hostile):
        return
    sent = wire.fields(wire.parse(json.dumps(row)))
    amount, price = wire.amount(sent["amount"]), wire.amount(sent["price"])
    assert sorted(abs(one.amount) for one in found.postings) == sorted([amount, amount * price])


@given(st.dictionaries(st.sampled_from(sorted(ORDER)), JUNK, max_size=4), JUNK)
def test_mangled_orders_and_balances_are_read_or_refused_and_nothing_else(
    changes: dict[str, Any], junk: Any
) -> None:
    for stream, value, scope in (
        ("orders", ORDER | changes, ID),
        ("balances", junk, "all"),
        ("balances", junk, "BTC"),
    ):
        try:
            meaning(stream, value, scope)
        except (ValueError, Hostile):
            continue
