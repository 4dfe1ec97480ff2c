"""The page of an account that its user keeps: what it shows, whose it is, and what it does not offer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Connection, User
from portfolio import corrections, tasks
from portfolio.models import ManualEntry, ManualKind
from portfolio.sync import own
from tests.portfolio.factory import make_rate

HTMX = {"HX-Request": "true"}


def enter(user: User, asset: str, quantity: str = "2") -> None:
    """A purchase of yesterday in the user's safe, written down."""
    now = timezone.now()
    row = ManualEntry(
        account="Safe",
        identity=f"typed:{asset}",
        kind=ManualKind.BUY,
        asset=asset,
        quantity=Decimal(quantity),
        occurred_at=now - timedelta(days=1),
    )
    corrections.enter(user, row, now)
    for pk in own.behind():
        tasks.tell_figures(pk)


@pytest.fixture
def safe(alice: User) -> Connection:
    """Two gold coins, which nobody prices."""
    enter(alice, "GOLDCOIN")
    return Connection.objects.get()


def test_it_shows_what_was_entered(as_alice: Client, safe: Connection) -> None:
    text = as_alice.get(reverse("connection", args=[safe.public_id])).content.decode()

    assert "GOLDCOIN" in text
    assert "say its price" in text
    assert "Sync now" not in text


def test_it_is_seen_whole_and_as_a_fragment_by_its_user_alone(
    as_alice: Client, as_charlie: Client, safe: Connection
) -> None:
    address = reverse("connection", args=[safe.public_id])

    assert "<html" not in as_alice.get(address, headers=HTMX).content.decode()
    assert [as_charlie.get(address, headers=headers).status_code for headers in ({}, HTMX)] == [404, 404]


def test_a_price_of_ones_own_gives_it_a_worth(as_alice: Client, alice: User, safe: Connection) -> None:
    now = timezone.now()
    corrections.set_price(alice, "GOLDCOIN", now.date(), Decimal(1900), now)

    text = as_alice.get("/holdings/").content.decode()

    assert "$3,800.00" in text
    assert "Own entry" in text


@pytest.mark.parametrize(
    "name", ["connection_key", "connection_remove", "connection_recorder", "connection_proofs"]
)
def test_there_is_no_key_and_no_recorder(as_alice: Client, proved: None, safe: Connection, name: str) -> None:
    assert as_alice.get(reverse(name, args=[safe.public_id])).status_code == 404


def test_what_is_ones_own_word_is_no_part_of_what_is_proved(as_alice: Client, alice: User) -> None:
    make_rate("BTC", "50000", at=timezone.now())
    enter(alice, "BTC")

    text = as_alice.get("/").content.decode()

    assert "$100,000.00</span> of own entries" in text
    assert "Not added up yet" not in text


def test_the_number_of_queries_does_not_grow(as_alice: Client, alice: User, safe: Connection) -> None:
    counts = []
    for number in range(2):
        with CaptureQueriesContext(
            database,
        ) as asked:
            as_alice.get(reverse("connection", args=[safe.public_id]))
        counts.append(len(asked))
        for extra in range(5):
            enter(alice, f"COIN{number}{extra}")

    assert counts[0] == counts[1] <= 12
