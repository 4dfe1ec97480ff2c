"""What holds for every page: a constant number of queries, and text from an exchange stays text."""

from __future__ import annotations

import csv
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO
from itertools import product

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Connection, State, User
from portfolio.models import Coverage, DailyWorth, Quarantine
from tests.conftest import make_connection
from tests.portfolio.factory import make_proof, make_rate, make_raw, make_run, make_snapshot, make_transaction

PAGES = [
    "/",
    "/holdings/",
    "/holdings/?by=connection",
    "/ledger/",
    "/connections/",
    "/rates/",
    "/derivation/value/",
    "/derivation/change/",
    "/proofs/",
    "/holdings/A0/",
    "/rates/A0/",
]
LIMIT = 20
GARBAGE = ["\0", "x" * 4096, "-", "'\"><script>"]


def fill(user: User, total: int) -> None:
    """So many connections, each with so many assets, a run and a transaction."""
    for number in range(user.connections.count(), total):
        connection = make_connection(user, label=f"c{number}")
        make_run(connection, "history")
        for other in range(total):
            make_snapshot(connection, f"A{other}")
            make_proof(connection, f"A{other}", verdict="unexplained", residual="1")
            make_transaction(connection, (f"A{other}", "1"))


@pytest.mark.parametrize("address", PAGES)
def test_the_number_of_queries_is_the_same_for_few_and_for_many(
    as_alice: Client, alice: User, address: str
) -> None:
    counts = []
    for total in (2, 9):
        fill(alice, total)
        make_rate("A0", str(total), at=timezone.now() - timedelta(minutes=10 - total))
        with CaptureQueriesContext(database) as queries:
            assert as_alice.get(address).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= LIMIT


def test_the_overview_makes_at_most_fifteen_queries_for_one_connection_and_for_thirty(
    as_alice: Client, alice: User
) -> None:
    make_rate("BTC", "100", at=timezone.now())
    week_ago, counts = timezone.now().date() - timedelta(days=7), []
    for total in (1, 30):
        for number in range(alice.connections.count(), total):
            connection = make_connection(alice, label=f"c{number}")
            make_snapshot(connection, "BTC")
            make_transaction(connection, ("BTC", "1"))
            DailyWorth.objects.create(
                connection=connection, day=week_ago, value_usd=1, flow_usd=0, held=1, priced=1
            )
        with CaptureQueriesContext(database) as queries:
            assert as_alice.get("/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 15


PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' hx-get='/x' hx-trigger='load",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)//",
    "{{ 7|add:7 }}{% load x %}",
    "<a href=//evil.example>x</a>",
]
FORBIDDEN = {"img", "iframe", "object", "embed"}


class Elements(HTMLParser):
    """Collects what a browser would make elements and attributes of."""

    def __init__(self) -> None:
        """Empty at first."""
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write down what none of our templates contains."""
        given = dict(attrs)
        if tag in FORBIDDEN or (
            tag == "script" and not given.get("src") and given.get("type") != "application/json"
        ):
            self.bad.append(tag)
        for name, value in attrs:
            text = value or ""
            if name.startswith("on") or name == "style" or (name == "hx-get" and text == "/x"):
                self.bad.append(f"{tag} {name}")
            if name in {"href", "src", "action"} and text.startswith(("javascript:", "//")):
                self.bad.append(f"{tag} {text}")


def hostile(user: User, payload: str) -> tuple[Connection, list[str]]:
    """A connection whose every text came from a hostile exchange; the addresses that show it."""
    now = timezone.now()
    short = payload[:32]
    connection = make_connection(
        user,
        label=payload[:60],
        state=State.NEEDS_ATTENTION,
        reason=payload,
        advice=payload,
        warnings=[payload],
    )
    raw = make_raw(connection, payload[:40], source_id=payload, body=payload)
    row = make_transaction(
        connection,
        (short, "1"),
        raw=raw,
        external_id=payload,
        description=payload,
        raw_kind=payload,
        raw_status=payload,
        network_id=payload,
        leg=payload,
    )
    make_transaction(connection, (short, "2"))
    balance = make_snapshot(connection, short, raw=raw)
    make_rate(short, "2", source=payload[:40], at=now)
    run = make_run(connection, payload[:40], error=payload, advice=payload, story=[payload], state="failed")
    run.streams.update(error=payload, advice=payload, quarantined=1)
    Coverage.objects.create(connection=connection, stream=payload[:40])
    Quarantine.objects.create(
        connection=connection,
        stream=payload[:40],
        source_id=payload,
        digest="0",
        body=payload,
        reason=payload,
    )
    proof = make_proof(connection, short, verdict="unexplained", residual="1", note=payload)
    run = make_run(connection, payload[:40], story=[payload], error=payload)
    run.calls = {
        "paths": {payload: {payload: 1}},
        "last": [{"path": payload, "outcome": payload, "shape": payload}],
    }
    run.save()
    return connection, [
        reverse("overview"),
        reverse("holdings") + "?by=connection",
        reverse("asset", args=[short]),
        reverse("ledger"),
        reverse("transaction", args=[row.pk]),
        reverse("connections"),
        reverse("connection", args=[connection.public_id]),
        reverse("connection_proofs", args=[connection.public_id]),
        reverse("connection_recorder", args=[connection.public_id]),
        reverse("proof", args=[proof.pk]),
        reverse("proofs"),
        reverse("rates"),
        reverse("rate", args=[short]),
        reverse("derivation_balance", args=[balance.pk]),
        reverse("derivation_price", args=[short]),
        reverse("derivation_value", args=[short]),
    ]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_an_exchange_says_stays_text(as_alice: Client, alice: User, payload: str) -> None:
    _, addresses = hostile(alice, payload)

    for address in addresses:
        response = as_alice.get(address)
        elements = Elements()
        elements.feed(response.content.decode())
        assert response.status_code == 200, address
        assert elements.bad == [], address


@pytest.mark.parametrize("payload", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_of_an_export_is_a_formula(as_alice: Client, alice: User, payload: str) -> None:
    make_transaction(
        make_connection(alice, label=payload), (payload, "-1"), description=payload, external_id=payload
    )

    text = b"".join(as_alice.get("/ledger/export.csv")).decode()
    _, cells = csv.reader(StringIO(text, newline=""))

    assert [cells[0], cells[2], cells[6], cells[7]] == [f"'{payload}"] * 4
    assert cells[8] == "-1"


@pytest.mark.parametrize("address", PAGES)
def test_garbage_in_the_address_is_no_fault(
    as_alice: Client, alice: User, address: str, subtests: pytest.Subtests
) -> None:
    fill(alice, 1)

    for field, value in product(["span", "sort", "by", "format"], GARBAGE):
        with subtests.test(f"{field}={value[:20]!r}"):
            assert as_alice.get(address.partition("?")[0], {field: value}).status_code == 200


def test_names_of_assets_may_be_anything(as_alice: Client, alice: User) -> None:
    for name in ("A/B", "A\nB", "A?B#C", "..", "%2F", "Ä€", " "):
        make_snapshot(make_connection(alice, label=f"for {name!r}"), name)

    for address in ("/", "/holdings/", "/rates/"):
        assert as_alice.get(address).status_code == 200
    assert as_alice.get(reverse("asset", args=["A/B"])).status_code == 200
