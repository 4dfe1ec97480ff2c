"""Figures as a person reads them: few digits where they do not matter, all of them in the title."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.templatetags.figures import ago, amount, due, exact, percent_change, price, share, signed, usd

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def shown(html: str) -> str:
    """The text between the tags."""
    return html.partition(">")[2].partition("<")[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", "0"),
        ("1.5", "1.5"),
        ("1234567.891", "1,234,567.89"),
        ("0.12345678901", "0.123457"),
        ("0.0000000123456", "0.00000001235"),
        ("-2.00000", "\N{MINUS SIGN}2"),
        ("12.34567", "12.3457"),
    ],
)
def test_an_amount_shows_the_digits_that_matter(value: str, expected: str) -> None:
    assert shown(amount(Decimal(value))) == expected


@given(st.decimals(min_value=-(10**19), max_value=10**19, places=18))
def test_every_digit_is_in_the_title(value: Decimal) -> None:
    title = amount(value).partition('title="')[2].partition('"')[0]

    assert Decimal(title) == value
    assert Decimal(exact(value).replace(",", "").replace("\N{MINUS SIGN}", "-")) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12345.678", "$12,345.68"), ("-0.5", "\N{MINUS SIGN}$0.50"), ("0.001", "<$0.01"), ("0", "$0.00")],
)
def test_dollars_have_two_places(value: str, expected: str) -> None:
    html = usd(Decimal(value))

    assert html.partition(">")[2].removesuffix("</span>").replace("&lt;", "<") == expected


def test_what_is_missing_says_so() -> None:
    assert "unpriced" in usd(None)
    assert "unpriced" in price(None)
    assert amount(None) == share(None) == "–"


@pytest.mark.parametrize(
    ("value", "expected"), [("61234.5", "$61,234.50"), ("0.9994", "$0.9994"), ("0.0000123", "$0.0000123")]
)
def test_a_price_keeps_its_digits_where_it_is_small(value: str, expected: str) -> None:
    assert shown(price(Decimal(value))) == expected


def test_signs_and_tones() -> None:
    assert "good" in percent_change(Decimal("1.234")) and "+1.23 %" in percent_change(Decimal("1.234"))
    assert "bad" in percent_change(Decimal("-1.2"))
    assert shown(signed(Decimal(3))) == "+3"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.465", "46.5 %"), ("0.43", "43.0 %"), ("1", "100 %"), ("0.0004", "<0.1 %"), ("0", "0 %")],
)
def test_a_share_is_in_percent(value: str, expected: str) -> None:
    assert share(Decimal(value)) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (2, "just now"),
        (42, "42 s ago"),
        (3 * 60, "3 min ago"),
        (7200, "2 h ago"),
        (86_400, "1 day ago"),
        (-90, "in 1 min"),
    ],
)
def test_ages_are_read_at_a_glance(seconds: int, expected: str) -> None:
    assert shown(ago(NOW - timedelta(seconds=seconds), NOW)) == expected


def test_what_should_have_happened_is_due_now() -> None:
    assert shown(due(NOW - timedelta(hours=3), NOW)) == "due now"
    assert ago(None) == "never"
