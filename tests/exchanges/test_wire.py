"""What goes in as JSON comes out with every digit, and what is no plain JSON does not come in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges import wire
from exchanges.errors import BadRequest, Hostile, TooMuch

numbers = st.decimals(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=20) | numbers,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
exact = st.decimals(
    allow_nan=False, allow_infinity=False, places=18, min_value=-(10**20) + 1, max_value=10**20 - 1
)


@given(values)
def test_a_value_survives_dump_and_parse_with_its_digits(value: wire.Value) -> None:
    again = wire.parse(wire.dump(value))
    assert again == value
    assert wire.dump(again) == wire.dump(value)


@given(st.dictionaries(st.text(max_size=8), numbers, min_size=2, max_size=5))
def test_the_digest_does_not_depend_on_the_order_of_keys(value: dict[str, Decimal]) -> None:
    turned = dict(reversed(value.items()))
    assert wire.digest(turned) == wire.digest(value)


def test_digits_that_a_float_would_lose_are_kept() -> None:
    row = wire.fields(
        wire.parse(b'{"a": 0.12345678901234567890, "b": 12345678901234567890123, "c": 5.34e-7}')
    )
    assert row == {
        "a": Decimal("0.12345678901234567890"),
        "b": Decimal(12345678901234567890123),
        "c": Decimal("5.34E-7"),
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b'{"a": 1, "a": 1}',
        b'[{"b": {"a": 1, "a": 2}}]',
        b"[1e99999999999999999999999]",
        b"[01]",
        b"[1_000]",
        b'["\xff"]',
        b'["a\x00b"]',
        b"[1,]",
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_not_plain_json_is_refused(body: bytes) -> None:
    with pytest.raises(Hostile):
        wire.parse(body)


def test_sixty_four_levels_are_still_read() -> None:
    assert wire.parse(b"[" * 64 + b"]" * 64)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        wire.parse(body)
    except Hostile:
        return
    json.loads(body)


@given(exact)
def test_an_amount_of_38_digits_is_exact_as_text_and_as_number(number: Decimal) -> None:
    assert wire.amount(str(number)) == wire.amount(format(number, "f")) == wire.amount(number) == number


@pytest.mark.parametrize(
    ("written", "expected"),
    [("1E+2", "100"), ("5.34e-7", "0.000000534"), ("-0.00", "0"), ("1.5" + "0" * 30, "1.5"), ("007", "7")],
)
def test_other_spellings_of_an_amount_are_read(written: str, expected: str) -> None:
    assert format(wire.amount(written), "f") == expected


@pytest.mark.parametrize(
    "value",
    [
        "NaN", "Infinity", "1e400", "1_000", "１", " 1", "1 ", "", "0x10", "1,5", "--1", "1e-19", "1e20", "1" * 21,
        "0." + "1" * 19, True, None, [], {}, Decimal("1e999999"), Decimal("-1e-999999"), Decimal("NaN"), 1.5,
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_a_safe_reason(value: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        wire.amount(value)


@given(st.text(max_size=30))
def test_any_text_is_an_exact_amount_or_refused(written: str) -> None:
    try:
        number = wire.amount(written)
    except ValueError:
        return
    assert number == Decimal(written)


@given(st.integers(min_value=1_262_304_000_000, max_value=3_786_912_000_000))
def test_a_moment_is_the_same_in_every_spelling(epoch: int) -> None:
    moment = datetime.fromtimestamp(epoch // 1000, UTC) + timedelta(milliseconds=epoch % 1000)
    assert wire.moment(Decimal(epoch)) == wire.moment(str(epoch)) == wire.moment(moment.isoformat()) == moment
    assert wire.moment(str(epoch // 1000)) == moment.replace(microsecond=0)


def test_a_moment_with_an_offset_is_stored_in_utc() -> None:
    assert wire.moment("2015-05-25T22:48:27+08:00") == datetime(2015, 5, 25, 14, 48, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [None, True, "", "soon", "2008-12-31", "2101-01-01", Decimal("1e999999"), "9" * 14, 0, "1E+12"]
)
def test_what_is_no_moment_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="time"):
        wire.moment(value)


@pytest.mark.parametrize(
    ("name", "folded"),
    [("USD₮", "USDT"), ("USDt", "USDT"), ("usdt ", "USDT"), ("EUR₮", "EURT"), ("btc", "BTC")],
)
def test_names_of_assets_are_folded(name: str, folded: str) -> None:
    assert wire.asset(name) == folded


@pytest.mark.parametrize("name", ["", "   ", "A" * 33, "B\x00C", "\u202eCTB", None, Decimal(1), True])
def test_a_name_that_cannot_be_shown_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="asset"):
        wire.asset(name)


def test_words_are_equal_whatever_their_case_and_gaps() -> None:
    assert wire.word("Transfer_Out") == wire.word("TRANSFER OUT") == wire.word("transfer-out")
    assert (wire.word(Decimal(10)), wire.word(None)) == ("10", "")


def test_a_row_with_a_character_that_no_store_takes_is_kept_escaped() -> None:
    row = wire.fields(wire.parse(rb'{"id": "7", "note": "a\u0000b\ud800"}'))
    assert wire.record("s", "7", row).body == '{"id":"7","note":"a\\u0000b\\ud800"}'
    with pytest.raises(ValueError, match="cannot be kept"):
        wire.text(row["note"])


@pytest.mark.parametrize("value", ["", " ", "a\x00", "x" * 201, None, True, [], "a\nb"])
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="id"):
        wire.identifier(value)


def test_ids_keep_their_digits() -> None:
    assert wire.identifier(Decimal("20181213000239")) == wire.identifier("20181213000239") == "20181213000239"


def test_more_values_than_memory_is_for_are_refused_before_they_are_built() -> None:
    with pytest.raises(TooMuch, match="values"):
        wire.parse(b"[[" + b"0," * 200_000 + b"0],[" + b"0," * 200_000 + b"0]]")


def test_more_rows_than_can_be_read_in_time_are_refused() -> None:
    with pytest.raises(TooMuch, match="rows"):
        wire.parse(b'{"a": [' + b"{}," * wire.MAX_ROWS + b"{}]}")


def test_a_name_that_is_hidden_in_blanks_is_not_remembered() -> None:
    with pytest.raises(ValueError, match="not usable"):
        wire.asset(" " * 1_000_000 + "BTC")


@pytest.mark.parametrize("word", ["a\0b", "\ud800", "\u202e"])
def test_what_no_store_can_hold_is_no_word(word: str) -> None:
    assert wire.word(word) == ""


def test_a_very_long_text_costs_no_more_than_what_is_kept_of_it() -> None:
    assert wire.text("\u0001" * 9 + "x" * 1_000_000, 20) == "x" * 11
    assert BadRequest(said="\u0001x" * 1_000_000).said == "x" * 200
