"""Pages of returns, the bridge and prices: whose they are, what they cost, and that page, file and JSON say the same."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio.models import Correction, MoneyChoice, Rate, SourceOrder
from portfolio.performance import CARDS
from portfolio.valuation import portfolio_of, update
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import make_balance, make_complete, make_entry

PAGES = ["/returns/", "/bridge/", "/prices/"]
FILES = [f"{page}export.{form}" for page in PAGES for form in ("csv", "json")]
HTMX = {"HX-Request": "true"}
GARBAGE = ["\0", "x" * 4096, "'\"><script>", "-1", "9" * 40, "0000-01-01", "9999-12-31"]


@pytest.fixture
def account(alice: User) -> Connection:
    """Two bitcoins that came a week ago, one of which left yesterday, and a token without a price."""
    connection = make_connection(alice, label="mine")
    held(connection)
    return connection


def held(connection: Connection) -> None:
    """Some history that ends now."""
    now = timezone.now()
    make_entry(connection, Kind.DEPOSIT, now - timedelta(days=7), "2 BTC")
    make_entry(connection, Kind.WITHDRAWAL, now - timedelta(days=1), "-0.9 BTC", "-0.1 BTC fee")
    make_entry(connection, Kind.DEPOSIT, now - timedelta(days=3), "5 <B>")
    make_balance(connection, "BTC", "1", seen=now - timedelta(hours=1), until=now)
    make_balance(connection, "<B>", "5", seen=now - timedelta(hours=1), until=now)
    make_complete(connection, now)
    prices(now.date())
    update(connection, since=None, now=now)


def prices(today: date) -> None:
    """A bitcoin that rises, and a rate of now."""

    if Rate.objects.exists():
        return
    for back in range(9):
        make_day("BTC", today - timedelta(days=back), str(60_000 - 1000 * back))
    make_rate("BTC/USD", "60500", at=timezone.now() - timedelta(minutes=1))


@pytest.mark.parametrize("address", [*PAGES, *FILES, "/returns/method/twr.json"])
def test_an_anonymous_visitor_is_asked_to_log_in(db: None, client: Client, address: str) -> None:
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("address", [*PAGES, *FILES])
def test_a_stranger_sees_nothing_of_it(account: Connection, as_charlie: Client, address: str) -> None:
    answer = as_charlie.get(address)
    assert answer.status_code == 200
    assert not any(
        word in answer.content for word in (b"mine", b"60,500", b"60500", b"&lt;B&gt;", b"\\u003CB")
    )


@pytest.mark.parametrize(
    "address", ["/returns/", "/bridge/", "/returns/export.csv", "/returns/method/twr.json"]
)
def test_a_strangers_connection_is_not_there(account: Connection, as_charlie: Client, address: str) -> None:
    assert as_charlie.get(address, {"connection": account.public_id}).status_code == 404


@pytest.mark.parametrize("address", PAGES)
def test_a_fragment_is_a_part_of_the_page(account: Connection, as_alice: Client, address: str) -> None:
    whole, part = as_alice.get(address).content.decode(), as_alice.get(address, headers=HTMX).content.decode()
    assert "<html" in whole and "<html" not in part
    assert "BTC" in part and "<B>" not in whole + part


@pytest.mark.parametrize("address", ["/returns/", "/bridge/", "/returns/export.json", "/bridge/export.csv"])
def test_garbage_in_the_address_is_no_fault(
    account: Connection, as_alice: Client, address: str, subtests: pytest.Subtests
) -> None:
    for field, value in product(["connection", "asset", "span", "since", "until"], GARBAGE):
        with subtests.test(f"{field}={value[:20]!r}"):
            answer = as_alice.get(address, {field: value})
            assert answer.status_code == (404 if field == "connection" else 200)
            assert b"<script>" not in answer.content or answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("address", PAGES)
def test_the_number_of_queries_does_not_grow(alice: User, as_alice: Client, address: str) -> None:
    counts = []
    # A single connection has no asset in common with others, which saves a query.
    for total in (2, 6):
        while alice.connections.count() < total:
            held(make_connection(alice, label=f"c{alice.connections.count()}"))
        with CaptureQueriesContext(database) as queries:
            as_alice.get(address, {"span": "ALL"})
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 22


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("span", ["ALL", "1M"])
def test_a_figure_computed_again_is_that_of_the_page(
    account: Connection, as_alice: Client, name: str, span: str
) -> None:
    shown = {card.name: card for card in as_alice.get("/returns/", {"span": span}).context["cards"]}
    told = json.loads(as_alice.get(f"/returns/method/{name}.json", {"span": span}).content)
    assert (Decimal(told["value"]) if told["value"] else None) == shown[name].figure.value
    assert told.get("reason", "") == shown[name].figure.reason
    assert told["working"] == shown[name].working


def test_the_inputs_of_a_figure_give_the_figure(account: Connection, as_alice: Client) -> None:
    told = json.loads(as_alice.get("/returns/method/simple.json", {"span": "ALL"}).content)
    inputs = {name: Decimal(value) for name, value in told["inputs"].items() if name != "days"}
    simple = (inputs["closing"] + inputs["taken_out"]) / (inputs["opening"] + inputs["paid_in"]) - 1
    assert round(simple, 12) == Decimal(told["value"])
    days = told["inputs"]["days"]
    assert sum(max(Decimal(day["flow"]), Decimal(0)) for day in days) == inputs["paid_in"]


def test_a_method_that_is_none_is_not_there(account: Connection, as_alice: Client) -> None:
    assert as_alice.get("/returns/method/magic.json").status_code == 404


def test_the_file_of_the_bridge_sums_to_the_headline(
    account: Connection, alice: User, as_alice: Client
) -> None:
    told = json.loads(as_alice.get("/bridge/export.json", {"span": "ALL"}).content)
    bars = sum(Decimal(amount) for amount in told["bars"].values())
    assert Decimal(told["opening"]) + bars == Decimal(told["closing"])
    assert Decimal(told["closing"]) == portfolio_of(alice, timezone.now()).total_usd


def test_a_bar_leads_to_its_rows(account: Connection, as_alice: Client) -> None:
    rows = as_alice.get("/bridge/", {"span": "ALL"}).context["rows"]
    row = next(row for row in rows if row.name == "Withdrawals")
    assert [(part.asset, part.connection) for part in row.parts] == [("BTC", "mine")]
    found = as_alice.get(f"/ledger/?{row.links[0][1]}").context["rows"]
    assert [each.kind for each in found] == ["withdrawal"]


def test_prices_are_looked_at_before_they_are_stored(account: Connection, as_alice: Client) -> None:
    text = f"date,asset,price_usd\n{timezone.now().date() - timedelta(days=2)},<b>,3\n"
    looked = as_alice.post("/prices/import/", {"text": text})
    assert len(looked.context["planned"].new) == 1
    assert not Correction.objects.exists()
    stored = as_alice.post("/prices/import/", {"text": text, "confirmed": "on"})
    assert stored.status_code == 302
    assert Correction.objects.get().amount == 3
    account.refresh_from_db()
    assert account.figures_since == timezone.now().date() - timedelta(days=2)


def test_what_is_unpriced_has_bounds(account: Connection, alice: User, as_alice: Client) -> None:
    open_above = as_alice.get("/prices/").context["bounds"]
    assert (open_above.high, open_above.never_priced) == (None, ("<B>",))
    day = timezone.now().date() - timedelta(days=3)
    Correction.objects.create(user=alice, author=alice, kind="price", asset="<B>", day=day, amount=Decimal(3))
    update(account, since=None, now=timezone.now())
    closed = as_alice.get("/prices/").context["bounds"]
    assert (closed.low, closed.high) == (Decimal(60_500), Decimal(60_515))


def test_the_order_of_sources_is_for_staff(account: Connection, alice: User, as_alice: Client) -> None:
    said = {"asset": "BTC", "sources": "CoinGecko, btse"}
    assert as_alice.post("/prices/order/", said).status_code == 403
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert as_alice.post("/prices/order/", said).status_code == 302
    assert SourceOrder.objects.get().sources == ["CoinGecko", "btse"]


def test_a_currency_is_one_of_those_we_know(account: Connection, alice: User, as_alice: Client) -> None:
    as_alice.post("/settings/money/", {"currency": "EUR", "usdt_at_par": "on"})
    as_alice.post("/settings/money/", {"currency": "<b>"})
    choice = MoneyChoice.objects.get(user=alice)
    assert (choice.currency, choice.usdt_at_par) == ("EUR", True)
    assert "There is no rate of EUR" in as_alice.get("/bridge/").content.decode()


@pytest.mark.parametrize("address", ["/prices/import/", "/prices/order/", "/settings/money/"])
def test_what_changes_something_is_a_post(as_alice: Client, address: str) -> None:
    assert as_alice.get(address).status_code == 405
