"""Eight years of real bitcoin prices go through quotes, daily prices and valuation and come out as they are known."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import User
from exchanges.records import Kind
from portfolio import rates
from portfolio.models import Rate
from portfolio.rates import closing_time
from portfolio.valuation import NetworthDay, networth, update
from tests.conftest import make_connection
from tests.portfolio.valuation_rows import make_balance, make_complete, make_entry

PRICES = Path(__file__).resolve().parents[4] / "shared" / "data" / "prices" / "BTC.csv"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not PRICES.exists(), reason=f"the real prices are not here: {PRICES}"),
]
FIRST, LAST = date(2013, 4, 29), date(2021, 7, 6)
NOW = closing_time(LAST)


@pytest.fixture
def days(alice: User) -> tuple[NetworthDay, ...]:
    """One bitcoin, held all the time."""
    with PRICES.open() as file:
        closes = [
            (date.fromisoformat(row["date"]), Decimal(row["close_usd"])) for row in csv.DictReader(file)
        ]
    Rate.objects.bulk_create(
        Rate(
            base="BTC",
            counter="USD",
            price=close,
            source="real",
            at=closing_time(day),
            fetched_at=NOW,
            newest=day == LAST,
        )
        for day, close in closes
    )
    connection = make_connection(alice)
    make_entry(connection, Kind.DEPOSIT, datetime(2013, 4, 29, 8, tzinfo=UTC), "1 BTC")
    make_balance(connection, "BTC", "1", seen=NOW)
    make_complete(connection, NOW)
    rates.settle(["BTC"], FIRST, LAST, NOW)
    update(connection, since=None, now=NOW)
    return networth(alice, None, NOW)


def test_the_deepest_fall_is_the_known_one(days: tuple[NetworthDay, ...]) -> None:
    top, falls = Decimal(0), []
    for day in days:
        assert day.value_usd is not None
        top = max(top, day.value_usd)
        falls.append((day.value_usd / top - 1, day.day))
    depth, when = min(falls)
    assert (len(days), when, round(depth * 100, 4)) == (2991, date(2015, 1, 14), Decimal("-84.5285"))
    assert sum(day.flow_usd for day in days) == days[0].value_usd
