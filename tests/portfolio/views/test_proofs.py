"""The pages of proofs: shares by verdict, chains in pages, the rows and leads behind one sum, all of it as JSON too."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Connection, User
from exchanges.catalog import ExchangeName
from portfolio.models import Verdict
from tests.conftest import make_connection
from tests.portfolio.factory import NOON, make_proof, make_rate, make_snapshot, make_transaction

HOUR = timedelta(hours=1)
GARBAGE = ["\0", "x" * 4096, "-", "'\"><script>", "2026-13-45"]


def chain_of(connection: Connection, length: int, asset: str = "BTC") -> None:
    """So many intervals of an hour, one after the other."""
    for number in range(length):
        end = NOON + number * HOUR
        make_proof(connection, asset, start=end - HOUR, end=end)
    make_snapshot(connection, asset, first_seen=NOON)


@pytest.fixture
def mine(alice: User) -> Connection:
    """BTC worth 90,000 that is proved, ETH worth 10,000 of which one interval is not explained."""
    connection = make_connection(alice)
    make_rate("BTC", "60000", at=timezone.now())
    make_rate("ETH", "10000", at=timezone.now())
    for asset, total in (("BTC", "1.5"), ("ETH", "1"), ("ODD", "5")):
        make_snapshot(connection, asset, total)
        make_proof(connection, asset)
    make_proof(connection, "ETH", start=NOON, end=NOON + HOUR, verdict="unexplained", residual="0.5")
    return connection


def test_the_shares_are_those_of_the_worth(as_alice: Client, mine: Connection) -> None:
    told = as_alice.get(reverse("proofs"), {"format": "json"}).json()

    shares = {part["verdict"]: (Decimal(part["share"]), part["holdings"]) for part in told["shares"]}
    assert shares == {"proved": (Decimal("0.9"), 2), "unexplained": (Decimal("0.1"), 1)}
    assert told["unpriced"] == 1


def test_one_interval_that_does_not_hold_keeps_the_holding_from_being_proved(
    as_alice: Client, mine: Connection
) -> None:
    make_proof(mine, "ETH", start=NOON + HOUR, end=NOON + 2 * HOUR)

    told = as_alice.get(reverse("proofs"), {"format": "json", "verdict": "unexplained"}).json()

    assert [line["asset"] for line in told["chains"]] == ["ETH"]
    assert told["chains"][0]["intervals"] == 1


def test_the_overview_names_the_share_that_is_proved_and_links_each_part(
    as_alice: Client, mine: Connection
) -> None:
    text = as_alice.get("/").content.decode()

    assert '<span class="strong">90.0 %</span> of your worth at exchanges is proved' in text
    assert "/proofs/?verdict=unexplained" in text


def test_what_an_exchange_does_not_list_is_nobodys_fault(as_alice: Client, alice: User) -> None:
    closed = make_connection(alice, ExchangeName.TOKENS_NET)
    make_snapshot(closed, "BTC")
    make_proof(closed, "BTC", verdict="no_ledger", residual="1.5", postings="0")

    text = as_alice.get(reverse("connection_proofs", args=[closed.public_id])).content.decode()

    assert "that is not a fault of yours" in text
    assert 'class="badge "' in text
    assert "badge bad" not in text


def test_a_chain_is_read_in_pages_without_a_gap(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice)
    chain_of(connection, 95)
    address, seen = reverse("connection_proofs", args=[connection.public_id]) + "?format=json", []
    while address:
        told = as_alice.get(address).json()
        seen += [row["until"] for row in told["intervals"]]
        address = told["older"]

    assert len(seen) == len(set(seen)) == 95
    assert seen == sorted(seen, reverse=True)


def test_a_chain_costs_the_same_for_few_and_for_many(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice)
    counts = []
    for asset in ("BTC", "ETH"):
        chain_of(connection, 60, asset)
        with CaptureQueriesContext(database) as queries:
            as_alice.get(reverse("connection_proofs", args=[connection.public_id]))
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 10


def test_an_interval_shows_the_rows_and_the_balances_that_make_its_sum(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice)
    closing = make_snapshot(connection, total="1.5", first_seen=NOON)
    make_transaction(connection, ("BTC", "7"), occurred_at=NOON - HOUR)
    within = make_transaction(connection, occurred_at=NOON - HOUR / 2)
    proof = make_proof(connection)

    told = as_alice.get(reverse("proof", args=[proof.pk]), {"format": "json"}).json()

    assert [row["external_id"] for row in told["rows"]] == [within.external_id]
    assert told["rows_are_all"]
    assert told["closing_balance"]["address"] == reverse("derivation_balance", args=[closing.pk])


def test_a_row_that_crossed_over_is_counted_by_one_interval_and_shown_at_the_other(
    as_alice: Client, alice: User
) -> None:
    connection = make_connection(alice)
    late = make_transaction(connection, occurred_at=NOON - HOUR / 2)
    first = make_proof(connection, postings="0", closing="0", later=[late.pk])
    second = make_proof(connection, start=NOON, end=NOON + HOUR)

    told = [
        as_alice.get(reverse("proof", args=[one.pk]), {"format": "json"}).json() for one in (first, second)
    ]

    assert [len(one["rows"]) for one in told] == [0, 1]
    assert [len(one["counted_elsewhere"]) for one in told] == [1, 0]


def test_an_unexplained_interval_names_its_window_and_its_leads(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice)
    row = make_transaction(connection, ("BTC", "0.5"), status="pending", occurred_at=NOON - HOUR / 2)
    proof = make_proof(
        connection, closing="2", residual="0.5", verdict=Verdict.UNEXPLAINED, failing_since=NOON
    )

    text = as_alice.get(reverse("proof", args=[proof.pk])).content.decode()

    assert "it happened between them" in text
    assert "A pending deposit of 0.5 BTC" in text
    assert reverse("transaction", args=[row.pk]) in text


@pytest.mark.parametrize("name", ["proofs", "connection_proofs", "connection_recorder"])
def test_garbage_in_the_address_is_no_fault(
    as_alice: Client, mine: Connection, name: str, subtests: pytest.Subtests
) -> None:
    address = reverse(name, args=[] if name == "proofs" else [mine.public_id])

    for field, value in product(["asset", "verdict", "before", "format"], GARBAGE):
        with subtests.test(f"{field}={value[:20]!r}"):
            assert as_alice.get(address, {field: value}).status_code == 200
