"""Why something has no price: said as it is, and only where it is so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portfolio.rates import current, why_unpriced
from tests.portfolio.rates_rows import NOW, make_rate

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("quotes", "said"),
    [
        ([], "Nobody has quoted GIFT so far."),
        (
            [("GIFT/USD", 3)],
            "The last quote of GIFT, in USD, is of 2026-03-07 12:00 UTC: too old to be a price.",
        ),
        (
            [("GIFT/USD", 3), ("DOGE/GIFT", 0)],
            "GIFT is quoted in DOGE, but no quote leads from there to USD (directly, or over USDT, BTC or EUR).",
        ),
    ],
    ids=["never quoted", "too old", "leads nowhere"],
)
def test_the_reason_is_the_true_one(quotes: list[tuple[str, int]], said: str) -> None:
    for pair, days in quotes:
        make_rate(pair, "2", at=NOW - timedelta(days=days))

    assert current(["GIFT"], NOW) == {}
    assert why_unpriced("GIFT", NOW) == said


def test_a_currency_is_too_old_only_after_five_days() -> None:
    make_rate("EUR/CHF", "0.9", at=NOW - timedelta(days=4), source="ECB")
    assert why_unpriced("CHF", NOW).startswith("CHF is quoted in EUR, but")
