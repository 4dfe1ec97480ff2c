"""The change of a span and the worth of a day are sums that can be done again by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.conftest import make_connection
from tests.portfolio.factory import make_history, make_rate, make_snapshot


@pytest.fixture
def as_owner(as_alice: Client, alice: User) -> Client:
    """Alice, with 30 days of BTC and ETH behind her."""
    connection, now = make_connection(alice), timezone.now()
    for asset in ("BTC", "ETH"):
        make_rate(asset, "61000", at=now)
        make_snapshot(connection, asset, first_seen=now, last_seen=now)
        make_history(connection, asset, until=now.date())
    return as_alice


def test_the_change_is_closing_less_opening_less_what_flowed(as_owner: Client) -> None:
    told = as_owner.get(reverse("derivation_change"), {"span": "1W", "format": "json"}).json()
    total = as_owner.get(reverse("derivation_total"), {"format": "json"}).json()

    closing, opening, paid_in, paid_out = (
        Decimal(told[name]) for name in ("closing_usd", "opening_usd", "paid_in_usd", "paid_out_usd")
    )
    assert Decimal(told["gain_usd"]) == closing - opening - paid_in + paid_out
    assert told["closing_usd"] == total["total_usd"]


def test_the_overview_leads_to_the_change_of_its_span(as_owner: Client) -> None:
    assert "/derivation/change/?span=1W" in as_owner.get("/", {"span": "1W"}).content.decode()


def test_a_day_is_the_sum_of_quantity_times_price(as_owner: Client) -> None:
    day = timezone.now().date().isoformat()
    told = as_owner.get(reverse("derivation_day", args=[day]), {"format": "json"}).json()

    products = [Decimal(row["quantity"]) * Decimal(row["price_usd"]) for row in told["holdings"]]
    assert len(products) == 2
    assert Decimal(told["total_usd"]) == sum(products)
    assert {row["price_source"] for row in told["holdings"]} == {"btse"}


@pytest.mark.parametrize("day", ["2019-01-01", "yesterday", "2026-02-30"])
def test_a_day_of_which_nothing_is_known_is_not_there(as_owner: Client, day: str) -> None:
    assert as_owner.get(reverse("derivation_day", args=[day])).status_code == 404
