"""Gains, transfers, corrections and import in a real browser: clean for everybody, quiet, never wider than the window."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from accounts.models import User
from exchanges.catalog import ExchangeName
from exchanges.records import Kind
from portfolio import gains, transfers
from portfolio.corrections import add_note, correct_cost, set_price, undo
from portfolio.imports import stage
from portfolio.models import DailyPrice, ImportBatch, Transaction, TransferMatch
from portfolio.rates import closing_time
from tests.browser.conftest import Visitor
from tests.browser.test_pages import WINDOWS
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_rate
from tests.portfolio.valuation_rows import at, make_entry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = {
    "gains": "/gains/",
    "gains-lots": "/gains/lots/",
    "gains-questions": "/gains/questions/",
    "transfers": "/transfers/",
    "transfers-confirmed": "/transfers/?state=confirmed",
    "corrections": "/corrections/",
    "correction-add": "/corrections/add/manual/",
    "import": "/import/",
}
FILE = b"Date,Type,Coin,Size,Worth\n2025-01-01,buy,BTC,1,50000\n2025-02-01,buy,ETH,2,\nnever,buy,BTC,1,5\n"


@pytest.fixture
def history(alice: User) -> ImportBatch:
    """Two years of trades, fees, income, own transfers, things unpriced and things corrected."""
    now = timezone.now()
    for asset, price in (("BTC", "64000"), ("ETH", "3100"), ("USDT", "0.9996")):
        make_rate(f"{asset}/USD", price, at=now - timedelta(minutes=2))
        DailyPrice.objects.bulk_create(
            DailyPrice(
                asset=asset,
                day=day,
                price_usd=Decimal(price) * (100 + day.month) / 125,
                source="btse",
                route=f"{asset} > USD",
                at=closing_time(day),
            )
            for day in (date(2024, 1, 1) + timedelta(days=n) for n in range(800))
        )
    one = make_connection(alice, ExchangeName.BTSE, label="Trading")
    other = make_connection(alice, ExchangeName.TETHER, label="Dollars")
    make_entry(one, Kind.TRADE, at("2024-01-10"), "3 BTC", "-120000 USD", "-60 USD fee")
    make_entry(one, Kind.TRADE, at("2024-06-01"), "-1.5 BTC", "90000 USDT", "-0.001 BTC fee")
    got = make_entry(one, Kind.DEPOSIT, at("2024-07-01"), "10 ETH")
    make_entry(one, Kind.DEPOSIT, at("2024-08-01"), "5 ETH")
    make_entry(one, Kind.INCOME, at("2024-09-01"), "0.01 BTC")
    make_entry(one, Kind.OTHER, at("2024-10-01"), "1000 TOKEN")
    make_entry(one, Kind.WITHDRAWAL, at("2025-01-02"), "-20000 USDT", "-5 USDT fee")
    make_entry(other, Kind.DEPOSIT, at("2025-01-02", 13), "20000 USDT")
    make_entry(one, Kind.WITHDRAWAL, at("2025-02-02"), "-500 USDT")
    make_entry(other, Kind.DEPOSIT, at("2025-02-02", 18), "500 USDT")
    make_entry(one, Kind.WITHDRAWAL, at("2025-03-02"), "-0.5 BTC")
    make_entry(one, Kind.TRADE, at("2025-05-01"), "-12 ETH", "40000 USD", "-20 USD fee")
    make_entry(one, Kind.TRADE, at("2025-06-01"), "-4 ETH", "15000 USD")
    correct_cost(alice, got, Decimal(30000), now, "bought long before")
    add_note(alice, "asked the exchange about this", now, row=Transaction.objects.get(kind=Kind.OTHER))
    undo(set_price(alice, "TOKEN", date(2024, 10, 1), Decimal("0.1"), now), now)
    transfers.suggest(alice, now)
    transfers.confirm(TransferMatch.objects.order_by("pk")[0], alice, now)
    gains.compute(alice, now)
    return stage(alice, "wallet.csv", FILE, "Safe", now)


@pytest.mark.parametrize("visitor", WINDOWS, indirect=True, ids=lambda window: f"{window[0]}-{window[1]}")
def test_every_page_of_gains_is_clean(
    visitor: Visitor, history: ImportBatch, request: pytest.FixtureRequest
) -> None:
    found: list[str] = []
    for name, path in {**PAGES, "import-preview": f"/import/{history.pk}/"}.items():
        page = visitor.open(path)
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


def test_a_pair_is_confirmed_and_the_year_is_chosen_without_reloading(
    visitor: Visitor, history: ImportBatch
) -> None:
    page = visitor.open("/transfers/")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("This is an own transfer now").wait_for()
    page = visitor.open("/gains/")
    page.get_by_role("link", name="2024", exact=True).click()
    page.get_by_role("heading", name="Realised in 2024").wait_for()

    assert page.url.endswith("?year=2024") and visitor.complaints == []
