"""The ledger page: whose rows, in which order, in pages of constant cost, filtered, and whatever the address holds."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from exchanges.records import Kind
from tests.conftest import make_connection
from tests.portfolio.factory import NOON, make_snapshot, make_transaction
from tests.portfolio.valuation_rows import at, make_entry

HTMX = {"HX-Request": "true"}
GARBAGE = [
    "\0",
    "x" * 4096,
    "'\"><script>",
    "\ud800".encode("utf-16", "surrogatepass").decode("latin-1"),
    "-1",
    "9" * 40,
]
FIELDS = ["connection", "asset", "kind", "role", "status", "since", "until", "text", "before"]


def test_rows_of_all_connections_come_newest_first(as_alice: Client, alice: User) -> None:
    one, other = make_connection(alice, label="one"), make_connection(alice, label="other")
    for number, connection in enumerate((one, other, one, other)):
        make_transaction(connection, occurred_at=NOON + timedelta(hours=number), description=f"row {number}")

    text = as_alice.get("/ledger/").content.decode()

    places = [text.index(f"row {number}") for number in (3, 2, 1, 0)]
    assert places == sorted(places)


def test_a_stranger_sees_nothing_of_it(as_charlie: Client, alice: User) -> None:
    row = make_transaction(make_connection(alice), description="canary")

    assert b"canary" not in as_charlie.get("/ledger/").content
    assert b"canary" not in b"".join(as_charlie.get("/ledger/export.csv"))
    assert as_charlie.get(f"/ledger/{row.pk}/").status_code == 404


def test_each_row_is_on_exactly_one_page(as_alice: Client, alice: User) -> None:
    connections = [make_connection(alice, label="one"), make_connection(alice, label="other")]
    for number in range(120):
        # Three rows share each moment, so that pages end within equal times.
        make_transaction(connections[number % 2], occurred_at=NOON + timedelta(minutes=number // 3))

    seen: list[int] = []
    query = ""
    while True:
        context = as_alice.get(f"/ledger/?{query}").context
        seen += [row.pk for row in context["rows"]]
        query = context["older"]
        if not query:
            break

    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("asset=usdt", {"swap"}),
        ("kind=trade", {"swap"}),
        ("status=pending", {"late"}),
        ("since=2026-05-05", {"late"}),
        ("until=2026-05-04", {"plain", "swap"}),
        ("text=PLA", {"plain"}),
        ("kind=trade&asset=BTC", {"swap"}),
        ("kind=trade&status=pending", set()),
    ],
)
def test_filters_narrow(as_alice: Client, alice: User, query: str, expected: set[str]) -> None:
    connection = make_connection(alice)
    make_transaction(connection, description="plain")
    make_transaction(connection, ("BTC", "1"), ("USDT", "-60000"), kind="trade", description="swap")
    make_transaction(connection, status="pending", occurred_at=NOON + timedelta(days=1), description="late")

    rows = as_alice.get(f"/ledger/?{query}").context["rows"]

    assert {row.description for row in rows} == expected


def test_a_connection_is_chosen_by_its_public_id(as_alice: Client, alice: User, bob: User) -> None:
    mine, other, foreign = (
        make_connection(alice, label="a"),
        make_connection(alice, label="b"),
        make_connection(bob),
    )
    for connection in (mine, other, foreign):
        make_transaction(connection, description=connection.label)

    chosen = as_alice.get(f"/ledger/?connection={mine.public_id}").context["rows"]
    strange = as_alice.get(f"/ledger/?connection={foreign.public_id}").context["rows"]

    assert [row.connection for row in chosen] == [mine]
    assert foreign not in [row.connection for row in strange]


@pytest.mark.parametrize("address", ["/ledger/", "/ledger/export.csv"])
def test_garbage_in_the_address_is_no_fault(
    as_alice: Client, alice: User, address: str, subtests: pytest.Subtests
) -> None:
    make_transaction(make_connection(alice))

    for field, value in product(FIELDS, GARBAGE):
        with subtests.test(f"{field}={value[:20]!r}"):
            response = as_alice.get(address, {field: value})
            assert response.status_code == 200
            assert b"<script>" not in b"".join(response)


@pytest.mark.parametrize(
    "before", ["9999-99-99T00:00:00Z_1", "2026-05-04T12:00:00Z_", "0000-01-01T00:00:00Z_1"]
)
def test_a_place_that_is_none_is_the_beginning(as_alice: Client, alice: User, before: str) -> None:
    make_transaction(make_connection(alice))

    assert len(as_alice.get("/ledger/", {"before": before}).context["rows"]) == 1


def test_the_number_of_queries_does_not_grow(as_alice: Client, alice: User) -> None:
    counts = []
    for total in (1, 30):
        while alice.connections.count() < total:
            connection = make_connection(alice, label=f"c{alice.connections.count()}")
            make_snapshot(connection)
            make_transaction(connection)
        with CaptureQueriesContext(database) as queries:
            as_alice.get("/ledger/")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 9


def test_a_fragment_is_the_results_alone_and_older_rows_are_rows_alone(as_alice: Client, alice: User) -> None:
    make_transaction(make_connection(alice))

    results = as_alice.get("/ledger/", headers=HTMX).content.strip()
    older = as_alice.get("/ledger/?before=2027-01-01T00:00:00Z_1", headers=HTMX).content.strip()

    assert results.startswith(b"<section")
    assert older.startswith(b"<tr")


def test_a_row_opens_to_its_postings_and_its_raw_record(as_alice: Client, alice: User) -> None:
    row = make_transaction(make_connection(alice), ("BTC", "0.123456789012345678"))

    page = as_alice.get(f"/ledger/{row.pk}/").content.decode()
    fragment = as_alice.get(f"/ledger/{row.pk}/", headers=HTMX).content.decode()

    for text in (page, fragment):
        assert "0.123456789012345678" in text
        assert row.raw.digest in text
    assert "<html" in page
    assert "<html" not in fragment


def test_rows_with_a_fee_are_found_by_the_asset_of_the_fee(as_alice: Client, alice: User) -> None:
    here = make_connection(alice)
    plain = make_entry(here, Kind.TRADE, at("2025-01-01"), "1 BTC", "-9 USD")
    paid = make_entry(here, Kind.TRADE, at("2025-01-02"), "1 BTC", "-9 USD", "-0.1 ETH fee")
    found = {
        query: [row.pk for row in as_alice.get(f"/ledger/?{query}").context["rows"]]
        for query in ("role=fee", "role=fee&asset=eth", "role=fee&asset=BTC", "role=nonsense")
    }
    assert found["role=fee"] == found["role=fee&asset=eth"] == [paid.pk]
    assert found["role=fee&asset=BTC"] == [] and found["role=nonsense"] == [paid.pk, plain.pk]
