"""In every currency, at the market and at par: headline, chart, table, derivation and file agree to the last digit."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio import looks, ownprices, valuation
from portfolio.looks import CURRENCIES
from portfolio.models import DailyPrice, MoneyChoice, Rate
from portfolio.rates import closing_time
from portfolio.valuation import Span, portfolio_of, update, worth
from portfolio.valuation.points import note
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_rate
from tests.portfolio.valuation_rows import make_balance, make_complete, make_entry

DAYS = 12
"""How long all of it has been there."""


@pytest.fixture
def account(alice: User) -> Connection:
    """Bitcoin, and USDT a little below its par, that came in pieces; with rates for each day."""
    now = timezone.now()
    connection = make_connection(alice, label="mine")
    for back, what in ((9, "0.123456789012345678 BTC"), (6, "1000.01 USDT"), (2, "1 BTC")):
        make_entry(connection, Kind.DEPOSIT, now - timedelta(days=back), what)
    for asset, total in (("BTC", "1.123456789012345678"), ("USDT", "1000.01")):
        make_balance(connection, asset, total, seen=now - timedelta(hours=1), until=now)
    make_complete(connection, now)
    for name in ("BTC", "ETH", "EUR", "JPY", "USDT"):
        price(name)
    update(connection, since=None, now=now)
    return connection


def price(asset: str) -> None:
    """What it costs now, and a little more on each day before."""
    now = timezone.now()
    usd = {"BTC": "60000.7", "ETH": "3000.3", "USDT": "0.9987"}.get(asset) or f"0.{CURRENCIES.index(asset)}3"
    make_rate(f"{asset}/USD", usd, at=now - timedelta(minutes=5))
    DailyPrice.objects.bulk_create(
        DailyPrice(
            asset=asset,
            day=day,
            price_usd=Decimal(f"{usd}{back}"),
            source="test",
            route=f"{asset} > USD",
            at=closing_time(day),
        )
        for back in range(DAYS)
        for day in [now.date() - timedelta(days=back)]
    )


def see(user: User, currency: str, *, at_par: bool = False) -> None:
    """Let the user look in a currency."""
    MoneyChoice.objects.update_or_create(user=user, defaults={"currency": currency, "usdt_at_par": at_par})


def table(client: Client, address: str) -> list[dict[str, str]]:
    """A CSV file's rows."""
    return list(csv.DictReader(StringIO(client.get(address).content.decode())))


@pytest.mark.parametrize("at_par", [False, True], ids=["market", "par"])
@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY", "BTC"])
def test_headline_chart_table_and_file_agree_to_the_last_digit(
    account: Connection, alice: User, as_alice: Client, currency: str, at_par: bool
) -> None:
    see(alice, currency, at_par=at_par)
    context = as_alice.get("/?span=1M").context
    money = context["money"]
    headline = money.shown(context["portfolio"].total_usd)
    told = as_alice.get("/derivation/value/?format=json").json()
    kept = json.loads(as_alice.get("/holdings/export.json").content)

    assert headline > 0 and money.currency == currency
    assert context["change"].closing == headline == Decimal(told["total"]) == Decimal(kept["total"])
    assert context["figure"]["data"][0]["y"][-1] == float(headline)
    assert sum(money.shown(row.value_usd) for row in context["rows"]) == headline
    assert sum(Decimal(row["value"]) for row in kept["holdings"]) == headline
    assert Decimal(table(as_alice, "/worth/export.csv?span=1M")[-1]["value"]) == headline
    assert {row["currency"] for row in table(as_alice, "/holdings/export.csv")} == {currency}


@pytest.mark.parametrize("at_par", [False, True], ids=["market", "par"])
def test_in_every_currency_the_parts_the_line_and_the_change_end_in_one_total(
    account: Connection, alice: User, at_par: bool
) -> None:
    now = timezone.now()
    whole = portfolio_of(alice, now, at_par=at_par)
    told = worth(alice, Span.MONTH, now, whole, at_par=at_par)
    change = valuation.change(alice, Span.MONTH, now, whole, at_par=at_par)
    for currency in CURRENCIES:
        if currency not in {"USD", "EUR", "JPY", "BTC", "ETH"}:
            price(currency)
        see(alice, currency, at_par=at_par)
        money = looks.rated(looks.money_now(User.objects.get(pk=alice.pk), now), told, change, now)
        total = money.shown(whole.total_usd)
        assert total == sum(money.shown(part.value_usd) or 0 for part in whole.by_asset()), currency
        assert total == looks.line(told, money)[-1].value == looks.change_in(change, money).closing
        assert None not in [point.value for point in looks.line(told, money)]


@pytest.mark.parametrize("at_par", [False, True], ids=["market", "par"])
@pytest.mark.parametrize("currency", ["USD", "EUR", "BTC"])
@pytest.mark.parametrize("span", ["1M", "ALL"])
def test_the_change_is_that_of_returns_and_of_its_own_steps(
    account: Connection, alice: User, as_alice: Client, currency: str, at_par: bool, span: str
) -> None:
    see(alice, currency, at_par=at_par)
    told = as_alice.get(f"/derivation/change/?span={span}&format=json").json()
    steps = {
        what: sum(Decimal(s["usd"]) * Decimal(s["rate"]) for s in told["steps"] if s["what"] == what)
        for what in ("opening", "flow", "closing")
    }
    report = as_alice.get(f"/returns/?span={span}").context["report"]

    assert Decimal(told["gain"]) == steps["closing"] - steps["opening"] - steps["flow"]
    assert Decimal(told["gain"]) == report.gain


@pytest.mark.parametrize("currency", ["USD", "EUR", "BTC"])
def test_benchmarks_beside_the_chart_are_those_of_the_page_of_returns(
    account: Connection, alice: User, as_alice: Client, currency: str
) -> None:
    see(alice, currency)
    shown = as_alice.get("/?span=1M&compare=on").context["benchmarks"]
    report = as_alice.get("/returns/?span=1M").context["report"]

    assert [(b.name, b.closing, b.gain) for b in shown] == [
        (b.name, b.closing, b.gain) for b in report.benchmarks
    ]
    assert len(as_alice.get("/?span=1M&compare=on").context["figure"]["data"]) == 4
    assert len(as_alice.get("/?span=1M").context["figure"]["data"]) == 1


def test_holdings_are_sorted_alike_in_every_currency(
    account: Connection, alice: User, as_alice: Client
) -> None:
    orders = set()
    for currency in ("USD", "JPY", "BTC"):
        see(alice, currency)
        groups = as_alice.get("/holdings/?sort=-value").context["groups"]
        orders.add(tuple(row.asset for row in groups[0].rows))
    assert orders == {("BTC", "USDT")}


def test_without_a_rate_of_now_nothing_is_said_and_never_one_for_one(
    account: Connection, alice: User, as_alice: Client
) -> None:
    see(alice, "EUR")
    Rate.objects.filter(base="EUR").delete()
    for address in ("/", "/holdings/", "/holdings/BTC/", "/derivation/value/"):
        text = as_alice.get(address).content.decode()
        assert "unpriced in EUR" in text
        assert not re.search(r"\d EUR", text)
    assert json.loads(as_alice.get("/holdings/export.json").content)["total"] is None
    assert as_alice.get("/").context["change"].gain is None


def test_a_day_without_a_rate_is_a_gap_with_its_reason(
    account: Connection, alice: User, as_alice: Client
) -> None:
    see(alice, "EUR")
    day = timezone.now().date() - timedelta(days=4)
    DailyPrice.objects.filter(asset="EUR", day=day).delete()
    rows = {row["at"][:10]: row for row in table(as_alice, "/worth/export.csv?span=1M")}
    assert rows[day.isoformat()]["value"] == "" and rows[day.isoformat()]["value_usd"] != ""
    assert "no rate of EUR for that day" in as_alice.get(f"/derivation/day/{day}/").content.decode()
    assert as_alice.get(f"/derivation/day/{day}/?format=json").json()["total"] is None


def test_a_flow_on_a_day_without_a_rate_leaves_the_change_unsaid(
    account: Connection, alice: User, as_alice: Client
) -> None:
    see(alice, "EUR")
    day = timezone.now().date() - timedelta(days=2)
    DailyPrice.objects.filter(asset="EUR", day=day).delete()
    shown = as_alice.get("/?span=1M").context["change"]
    assert shown.gain is None and shown.reason == f"Unpriced in EUR: there is no rate for {day}."


def test_a_past_day_is_worth_what_its_own_rate_says(
    account: Connection, alice: User, as_alice: Client
) -> None:
    see(alice, "EUR")
    day = timezone.now().date() - timedelta(days=3)
    told = as_alice.get(f"/derivation/day/{day}/?format=json").json()
    price = DailyPrice.objects.get(asset="EUR", day=day)
    assert Decimal(told["rate"]) == looks.money.per_dollar(price.price_usd)
    assert Decimal(told["total"]) == Decimal(told["total_usd"]) * Decimal(told["rate"])
    assert told["rate_source"] == price.source and told["currency"] == "EUR"


def test_at_par_each_usdt_is_a_dollar_everywhere_and_the_page_says_what_it_makes(
    account: Connection, alice: User, as_alice: Client
) -> None:
    market = as_alice.get("/").context["portfolio"].total_usd
    par = as_alice.get("/prices/").context["par"]
    see(alice, "USD", at_par=True)
    counted = as_alice.get("/").context["portfolio"].total_usd
    asset = as_alice.get("/holdings/USDT/").context
    assert counted - market == par == Decimal("1000.01") - Decimal("1000.01") * Decimal("0.9987")
    assert (
        asset["part"].value_usd == Decimal("1000.01")
        and asset["figure"]["data"][0]["y"][-2:] == [1000.01] * 2
    )
    assert as_alice.get("/derivation/price/USDT/?format=json").json()["counted_usd"] == "1"


def test_moments_within_a_day_are_told_at_par_too(account: Connection, alice: User) -> None:
    note(account, timezone.now())
    later = timezone.now() + timedelta(minutes=30)
    *_, kept, headline = worth(alice, Span.DAY, later, at_par=True)
    assert kept.at < later == headline.at
    assert kept.value_usd == headline.value_usd == portfolio_of(alice, later, at_par=True).total_usd


@pytest.mark.parametrize("span", ["1M", "ALL"])
def test_usdt_that_nobody_prices_leaves_no_gap_at_par(account: Connection, alice: User, span: str) -> None:
    DailyPrice.objects.filter(asset="USDT", day=timezone.now().date() - timedelta(days=3)).delete()
    update(account, since=None, now=timezone.now())
    market, par = (worth(alice, Span(span), timezone.now(), at_par=at_par) for at_par in (False, True))
    assert [point.value_usd is None for point in market].count(True) == 1
    assert None not in [point.value_usd for point in par]


def test_the_switch_of_a_page_is_one_post_and_remembered(
    account: Connection, alice: User, as_alice: Client
) -> None:
    see(alice, "USD", at_par=True)
    answer = as_alice.post("/settings/currency/", {"currency": "EUR", "next": "/holdings/?by=connection"})
    chosen = MoneyChoice.objects.get(user=alice)
    assert (answer.status_code, answer["Location"]) == (302, "/holdings/?by=connection")
    assert (chosen.currency, chosen.usdt_at_par) == ("EUR", True)
    assert "<option selected>EUR</option>" in as_alice.get("/ledger/").content.decode()


@pytest.mark.parametrize("said", ["", "XXX", "eur", "\0", "E" * 5000])
def test_what_is_no_currency_is_refused(alice: User, as_alice: Client, said: str) -> None:
    as_alice.post("/settings/currency/", {"currency": said})
    assert not MoneyChoice.objects.exists()


def test_the_switch_leads_to_no_other_site(alice: User, as_alice: Client) -> None:
    answer = as_alice.post("/settings/currency/", {"currency": "EUR", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_the_choice_is_that_of_its_user_alone(
    account: Connection, alice: User, as_alice: Client, as_charlie: Client
) -> None:
    as_charlie.post("/settings/currency/", {"currency": "EUR"})
    assert as_alice.get("/").context["money"].is_usd


def test_a_coin_within_a_day_has_the_rate_of_the_moment(account: Connection, alice: User) -> None:
    see(alice, "BTC")
    now = timezone.now()
    earlier = now - timedelta(hours=3)
    make_rate("BTC/USD", "50000", at=earlier - timedelta(minutes=1), newest=False)
    money = looks.money_now(alice, now).with_moments([earlier])
    assert money.rate_at(earlier) == looks.money.per_dollar(Decimal(50000))
    assert money.rate_now == looks.money.per_dollar(Decimal("60000.7"))


def test_the_file_of_prices_says_where_each_comes_from_and_how_old_it_is(
    account: Connection, alice: User, as_alice: Client
) -> None:
    day = timezone.now().date() - timedelta(days=1)
    told = json.loads(as_alice.get("/prices/export.json").content)
    row = next(row for row in told if row["asset"] == "BTC" and row["date"] == day.isoformat())
    known = DailyPrice.objects.get(asset="BTC", day=day)
    assert (row["source"], row["route"], row["carried_days"]) == ("test", "BTC > USD", 0)
    assert row["quoted_at"] == known.at.isoformat().replace("+00:00", "Z")
    assert [row["source"] for row in table(as_alice, "/prices/export.csv")] == ["test"] * len(told)


def test_what_prices_hand_out_can_be_handed_in(account: Connection, alice: User, as_alice: Client) -> None:
    text = as_alice.get("/prices/export.csv").content.decode()
    planned = ownprices.draft(alice, text, timezone.now().date())
    assert planned.can_be_taken and planned.assets == ["BTC", "USDT"]


@pytest.mark.parametrize(
    "address", ["/", "/?compare=on", "/holdings/", "/holdings/BTC/", "/worth/export.csv"]
)
def test_another_currency_costs_the_same_few_queries_for_one_connection_and_for_many(
    account: Connection, alice: User, as_alice: Client, address: str
) -> None:
    see(alice, "EUR", at_par=True)
    counts = []
    for total in (1, 5):
        for n in range(alice.connections.count(), total):
            another = make_connection(alice, label=f"c{n}")
            make_balance(another, "BTC", "1", seen=timezone.now())
            update(another, since=None, now=timezone.now())
        with CaptureQueriesContext(database) as queries:
            as_alice.get(address)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 38
