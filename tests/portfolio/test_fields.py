"""Amounts survive the database to the last digit."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from portfolio.fields import checked, plain
from portfolio.models import Rate

DIGITS_38 = st.integers(-(10**38) + 1, 10**38 - 1).filter(bool).map(lambda n: Decimal(f"{n}E-18"))


class TestAmountField(TestCase):
    """On whichever database the suite runs."""

    @given(amount=DIGITS_38)
    @settings(max_examples=200, deadline=None)
    def test_a_38_digit_amount_is_read_back_exactly(self, amount: Decimal) -> None:
        row = Rate.objects.create(
            base="A", counter="B", price=amount, source="test", at=timezone.now(), fetched_at=timezone.now()
        )

        assert Rate.objects.get(pk=row.pk).price == amount
        row.delete()


@given(amount=DIGITS_38)
def test_canonical_text_has_one_form_and_loses_nothing(amount: Decimal) -> None:
    assert Decimal(plain(amount)) == amount
    assert plain(amount) == plain(Decimal(f"{amount:f}000"))


@pytest.mark.parametrize("bad", [1.5, True, "NaN", "1e400", "1E-19", "x", Decimal("Infinity"), "1" * 21])
def test_what_is_not_exact_or_too_long_is_refused(bad: object) -> None:
    with pytest.raises(ValidationError):
        checked(bad)
