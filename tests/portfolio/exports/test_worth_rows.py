"""Net worth and prices as other programs read them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from io import StringIO

from django.core.management import call_command

from accounts.models import User
from exchanges.records import Kind
from portfolio.exports import EXPORTS
from portfolio.valuation import portfolio_of, update
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

NOW = at("2026-03-06", 15)


def fill(user: User) -> None:
    """A bitcoin paid in on 4 March, and a gift that nobody prices."""
    connection = make_connection(user)
    make_entry(connection, Kind.DEPOSIT, at("2026-03-04"), "1 BTC")
    make_balance(connection, "BTC", "1", seen=NOW)
    make_balance(connection, "GIFT", "2", seen=NOW)
    make_complete(connection, NOW)
    for day, price in ((4, "100"), (5, "101.5"), (6, "102")):
        make_day("BTC", date(2026, 3, day), price)
    make_rate("BTC/USD", "103.25", at=NOW)
    update(connection, since=None, now=NOW)


def test_every_day_has_its_value_share_and_flow_and_the_last_is_the_headline(alice: User) -> None:
    fill(alice)
    assert list(EXPORTS["networth"].rows(alice, NOW)) == [
        {"day": "2026-03-04", "value_usd": "100", "priced_share": "1", "flow_usd": "100"},
        {"day": "2026-03-05", "value_usd": "101.5", "priced_share": "1", "flow_usd": "0"},
        {"day": "2026-03-06", "value_usd": "103.25", "priced_share": "0.5", "flow_usd": "0"},
    ]
    assert portfolio_of(alice, NOW).total_usd == Decimal("103.25")


def test_prices_name_source_and_time_and_what_is_unpriced_is_not_there(alice: User) -> None:
    fill(alice)
    assert list(EXPORTS["rates"].rows(alice, NOW)) == [
        {"asset": "BTC", "price_usd": "103.25", "source": "BTSE", "at": "2026-03-06T15:00:00Z"}
    ]


def test_a_past_moment_ends_with_the_day_of_that_moment(alice: User) -> None:
    fill(alice)
    days = [(row["day"], row["value_usd"]) for row in EXPORTS["networth"].rows(alice, at("2026-03-05"))]
    assert days == [("2026-03-04", "100"), ("2026-03-05", "101.5")]
    assert list(EXPORTS["networth"].rows(alice, at("2026-03-03"))) == []


def test_the_command_writes_exactly_the_promised_fields(alice: User) -> None:
    fill(alice)
    out = StringIO()
    call_command("export", "networth", user=alice.email, stdout=out)
    assert list(json.loads(out.getvalue().splitlines()[0])) == [
        "day",
        "value_usd",
        "priced_share",
        "flow_usd",
    ]


def test_a_stranger_exports_nothing(alice: User, charlie: User) -> None:
    fill(alice)
    assert [list(EXPORTS[name].rows(charlie, NOW)) for name in ("networth", "rates")] == [[], []]
