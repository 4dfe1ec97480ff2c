"""Returns, bridge and prices in a real browser: clean for everybody, quiet, never wider than the window."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from accounts.models import User
from exchanges.catalog import ExchangeName
from exchanges.records import Kind
from portfolio.models import DailyPrice
from portfolio.rates import closing_time
from portfolio.valuation import update
from tests.browser.conftest import Visitor
from tests.browser.test_pages import WINDOWS, waves
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_rate
from tests.portfolio.valuation_rows import make_balance, make_complete, make_entry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = {"returns": "/returns/?span=ALL", "bridge": "/bridge/?span=ALL", "prices": "/prices/"}
DAYS = 200


@pytest.fixture
def history(alice: User) -> None:
    """Half a year at two exchanges with something of every kind, and a token that nobody prices."""
    now = timezone.now()
    for asset, price in (("BTC", "64000"), ("ETH", "3100"), ("USDT", "1")):
        make_rate(f"{asset}/USD", price, at=now - timedelta(minutes=2))
        DailyPrice.objects.bulk_create(
            DailyPrice(
                asset=asset,
                day=(day := now.date() - timedelta(days=back)),
                price_usd=waves(price)(DAYS - back) if asset != "USDT" else Decimal("0.9991"),
                source="btse close",
                route=f"{asset} > USD",
                at=closing_time(day),
            )
            for back in range(DAYS + 2)
        )
    long_ago = now - timedelta(days=DAYS)
    one = make_connection(alice, ExchangeName.BTSE, label="Trading", created_at=long_ago)
    other = make_connection(alice, ExchangeName.TETHER, label="Dollars", created_at=long_ago)
    make_entry(one, Kind.DEPOSIT, long_ago, "50000 USDT")
    make_entry(one, Kind.TRADE, now - timedelta(days=180), "-30000 USDT", "0.6 BTC", "-12 USDT fee")
    make_entry(one, Kind.TRADE, now - timedelta(days=90), "-9000 USDT", "3 ETH", "-4 USDT fee")
    make_entry(one, Kind.INCOME, now - timedelta(days=60), "0.01 BTC")
    make_entry(one, Kind.WITHDRAWAL, now - timedelta(days=30), "-4990 USDT", "-10 USDT fee")
    make_entry(one, Kind.OTHER, now - timedelta(days=20), "1000 TOKEN")
    make_entry(other, Kind.ISSUE, now - timedelta(days=100), "20000 USDT")
    for connection, held in (
        (one, {"USDT": "5984", "BTC": "0.61", "ETH": "3", "TOKEN": "1000"}),
        (other, {"USDT": "20000"}),
    ):
        for asset, total in held.items():
            make_balance(connection, asset, total, seen=now - timedelta(hours=3), until=now)
        make_complete(connection, now)
        update(connection, since=None, now=now)


@pytest.mark.parametrize("visitor", WINDOWS, indirect=True, ids=lambda window: f"{window[0]}-{window[1]}")
def test_every_page_of_performance_is_clean(
    visitor: Visitor, history: None, request: pytest.FixtureRequest
) -> None:
    found: list[str] = []
    for name, path in PAGES.items():
        page = visitor.open(path)
        for opened in page.query_selector_all("details > summary")[:3]:
            opened.click()
        visitor.shoot(f"{name}-{request.node.callspec.id}")
        found += [
            f"{name}: {violation['id']} {[n['target'] for n in violation['nodes']]}"
            for violation in Axe().run(page).response["violations"]
        ]
        found += [f"{name}: {complaint}" for complaint in visitor.complaints]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{name}: scrolls sideways by {wide}"] if wide > 0 else []
        visitor.complaints.clear()

    assert found == []
    assert visitor.strange_hosts == []
