"""Are sums and products of amounts exact, or refused?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges import exact

AMOUNTS = st.decimals(min_value=-(10**19), max_value=10**19, places=18, allow_nan=False)


@given(AMOUNTS, AMOUNTS)
def test_a_sum_is_what_fractions_say(left: Decimal, right: Decimal) -> None:
    assert Fraction(exact.plus(left, right)) == Fraction(left) + Fraction(right)


@given(AMOUNTS, AMOUNTS)
def test_a_product_is_what_fractions_say_or_refused(left: Decimal, right: Decimal) -> None:
    try:
        assert Fraction(exact.times(left, right)) == Fraction(left) * Fraction(right)
    except ValueError:
        true = Fraction(left) * Fraction(right)
        assert abs(true) >= 10**20 or (true * 10**18).denominator != 1


def test_a_sum_that_no_column_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="digits"):
        exact.plus(Decimal("99999999999999999999"), Decimal(1))


def test_turning_the_sign_keeps_every_digit_and_no_minus_zero() -> None:
    amount = Decimal("12345678901234567890.123456789012345678")

    assert str(exact.negated(amount)) == f"-{amount}"
    assert str(exact.negated(Decimal(0))) == "0"
