"""Holdings as they are sorted and grouped, and each figure down to where it comes from, with all digits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from portfolio.models import BalanceSnapshot, Correction, CorrectionKind
from tests.conftest import make_connection
from tests.portfolio.factory import make_rate, make_snapshot

HTMX = {"HX-Request": "true"}


@pytest.fixture
def held(alice: User) -> BalanceSnapshot:
    """Bitcoin on two connections, ether on one, and something nobody prices."""
    now = timezone.now()
    one, other = make_connection(alice, label="One"), make_connection(alice, label="Other")
    make_rate("BTC", "60000.5", at=now)
    make_rate("ETH", "3000", at=now)
    make_snapshot(one, "ETH", "100")
    make_snapshot(one, "GIFT", "7")
    make_snapshot(other, "BTC", "2")
    return make_snapshot(one, "BTC", "0.123456789012345678", available=Decimal("0.1"))


def order(client: Client, query: str) -> list[str]:
    """The assets of the first group, from top to bottom."""
    return [row.asset for row in client.get(f"/holdings/?{query}").context["groups"][0].rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["ETH", "BTC", "GIFT"]),
        ("sort=asset", ["BTC", "ETH", "GIFT"]),
        ("sort=-asset", ["GIFT", "ETH", "BTC"]),
        ("sort=quantity", ["BTC", "GIFT", "ETH"]),
        ("sort=-price", ["BTC", "ETH", "GIFT"]),
        ("sort=nonsense", ["ETH", "BTC", "GIFT"]),
    ],
)
def test_holdings_are_sorted_as_asked(
    as_alice: Client, held: BalanceSnapshot, query: str, expected: list[str]
) -> None:
    assert order(as_alice, query) == expected


def test_holdings_by_connection_sum_to_the_total(as_alice: Client, held: BalanceSnapshot) -> None:
    context = as_alice.get("/holdings/?by=connection").context

    values = [group.value_usd for group in context["groups"]]
    assert [group.connection.label for group in context["groups"]] == ["One", "Other"]
    assert sum(values) == context["portfolio"].total_usd


def test_what_is_unpriced_is_named_and_never_zero(as_alice: Client, held: BalanceSnapshot) -> None:
    text = as_alice.get("/holdings/").content.decode()

    assert "left out, unpriced: GIFT" in text
    assert "$0.00" not in text


def test_a_quantity_leads_to_the_reply_it_was_read_from(as_alice: Client, held: BalanceSnapshot) -> None:
    address = f"/derivation/balance/{held.pk}/"

    told = as_alice.get(f"{address}?format=json").json()

    assert told["total"] == "0.123456789012345678"
    assert told["raw"]["sha256"] == held.raw.digest
    for response in (as_alice.get(address), as_alice.get(address, headers=HTMX)):
        assert held.raw.digest in response.content.decode()
        assert "0.023456789012345678" in response.content.decode()


def test_a_price_leads_to_its_quotes(as_alice: Client, held: BalanceSnapshot) -> None:
    told = as_alice.get("/derivation/price/BTC/?format=json").json()

    assert told["price_usd"] == "60000.5"
    assert told["route"] == ["BTC", "USD"]
    assert told["quotes"][0]["source"] == "btse"
    assert as_alice.get("/derivation/price/GIFT/?format=json").json()["price_usd"] is None


def test_what_has_no_price_says_why(as_alice: Client, held: BalanceSnapshot) -> None:
    told = as_alice.get("/derivation/price/GIFT/?format=json").json()

    assert told["reason"] == "Nobody has quoted GIFT so far."
    assert "Nobody has quoted GIFT so far." in as_alice.get("/rates/GIFT/").content.decode()


def test_an_own_price_is_shown_wherever_it_counts(
    as_alice: Client, alice: User, held: BalanceSnapshot
) -> None:
    today = timezone.now().date()
    Correction.objects.create(
        user=alice, kind=CorrectionKind.PRICE, asset="GIFT", day=today, amount=Decimal("0.25")
    )

    told = as_alice.get("/derivation/price/GIFT/?format=json").json()

    assert (told["price_usd"], told["source"], told["quotes"]) == ("0.25", "your own price", [])
    shown = {row.asset: row.price.usd for row in as_alice.get("/rates/").context["rows"]}
    assert shown["GIFT"] == as_alice.get("/rates/GIFT/").context["price"].usd == Decimal("0.25")
    assert "Nobody has quoted" not in as_alice.get("/derivation/price/GIFT/").content.decode()


def test_rates_stay_in_usd_and_say_so_in_the_currency_of_the_user(
    as_alice: Client, held: BalanceSnapshot
) -> None:
    make_rate("EUR", "2", at=timezone.now())
    as_alice.post("/settings/currency/", {"currency": "EUR"})

    text = as_alice.get("/rates/").content.decode()

    assert "$60,000.50" in text and "30,000.25 EUR" in text
    assert "30,000.25 EUR" in as_alice.get("/rates/BTC/").content.decode()


def test_values_add_up_to_the_total_to_the_last_digit(as_alice: Client, held: BalanceSnapshot) -> None:
    told = as_alice.get("/derivation/value/?format=json").json()

    values = [Decimal(line["value_usd"]) for line in told["holdings"] if line["value_usd"]]
    products = [
        Decimal(line["quantity"]) * Decimal(line["price_usd"])
        for line in told["holdings"]
        if line["price_usd"]
    ]
    assert sum(values) == Decimal(told["total_usd"]) == as_alice.get("/").context["portfolio"].total_usd
    assert sorted(values) == sorted(products)


def test_an_asset_that_was_never_held_has_no_page(as_alice: Client, held: BalanceSnapshot) -> None:
    assert as_alice.get("/holdings/DOGE/").status_code == 404
    assert as_alice.get("/rates/DOGE/").status_code == 404


def test_a_newcomer_is_led_to_the_first_connection(as_alice: Client) -> None:
    text = as_alice.get("/").content.decode()

    assert "Connect your first exchange" in text
    assert "/connections/add/" in text


@pytest.mark.parametrize("span", ["1D", "1W", "1M", "3M", "1Y", "ALL"])
def test_another_span_is_a_fragment_of_the_same_page(
    as_alice: Client, held: BalanceSnapshot, span: str
) -> None:
    text = as_alice.get(f"/?span={span}", headers=HTMX).content.decode().strip()

    assert text.startswith("<section")
    assert 'id="worth-figure"' in text
    assert "<html" not in text
