"""Every page in a real browser: nothing complains, nothing leaves the host, axe finds nothing; pictures to look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import sin

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts.models import State, User
from exchanges.catalog import ExchangeName
from tests.browser.conftest import Visitor
from tests.conftest import make_connection
from tests.portfolio.factory import make_history, make_rate, make_run, make_snapshot, make_transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WINDOWS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]
PAGES = {
    "overview": "/",
    "holdings": "/holdings/",
    "holdings-by-connection": "/holdings/?by=connection",
    "asset": "/holdings/BTC/",
    "ledger": "/ledger/",
    "transaction": "/ledger/{transaction}/",
    "connections": "/connections/",
    "connection": "/connections/{connection}/",
    "connection-choose": "/connections/add/",
    "rates": "/rates/",
    "rate": "/rates/BTC/",
    "balance": "/derivation/balance/{balance}/",
    "price": "/derivation/price/ETH/",
    "total": "/derivation/value/",
    "change": "/derivation/change/",
    "recorder": "/connections/{connection}/recorder/",
    "settings": "/settings/",
    "nowhere": "/nowhere/",
}


def waves(price: str) -> Callable[[int], Decimal]:
    """Prices that end at `price` and wander on the way, as prices do."""

    def at(day: int) -> Decimal:
        drift = 0.72 + 0.28 * day / 200 + 0.07 * sin(day / 9) * sin(day / 31) + 0.015 * sin(day * 1.7)
        return (Decimal(price) * Decimal(str(round(drift, 6)))).quantize(Decimal(1).scaleb(-12))

    return at


@pytest.fixture
def world(alice: User) -> dict[str, object]:
    """Three connections in different states with balances, prices, history and a ledger."""
    now = datetime.now(UTC).replace(microsecond=0)
    btse = make_connection(
        alice, label="BTSE main account", fingerprint="a1b2", synced_at=now - timedelta(minutes=4)
    )
    tether = make_connection(
        alice,
        ExchangeName.TETHER,
        label="Tether treasury",
        state=State.NEEDS_ATTENTION,
        reason="The exchange does not accept this key.",
        advice="Check key and secret, or make a new key and replace this one.",
        synced_at=now - timedelta(days=2),
    )
    paused = make_connection(alice, ExchangeName.TOKENS_NET, label="Tokens.net trading", state=State.PAUSED)
    for asset, total, price in (
        ("BTC", "1.53820417", "61234.5"),
        ("ETH", "12.4", "3105.22"),
        ("USDT", "25840.118203", "0.9994"),
        ("BTSE", "1200", "1.2345"),
        ("SHIB", "15000000", "0.0000123"),
    ):
        make_rate(asset, price, at=now - timedelta(minutes=3), fetched_at=now)
        make_snapshot(btse, asset, total, first_seen=now, last_seen=now)
        make_history(btse, asset, days=200, until=now.date(), prices=waves(price))
    make_snapshot(tether, "USDT", "100000", first_seen=now, last_seen=now)
    make_snapshot(paused, "DTR", "5000", first_seen=now, last_seen=now)
    balance = make_snapshot(paused, "ETH", "3.25", first_seen=now, last_seen=now)
    for number in range(60):
        make_transaction(
            btse,
            ("BTC", "0.012"),
            ("USDT", "-720.55"),
            kind="trade",
            occurred_at=now - timedelta(hours=7 * number),
            description="Bought on BTC-USDT",
        )
    row = make_transaction(tether, ("USDT", "100000"), kind="issue", status="pending", occurred_at=now)
    make_run(btse, "wallet_history", "trades", started_at=now, finished_at=now)
    make_run(
        tether,
        "transactions",
        state="failed",
        error="The exchange does not accept this key.",
        advice="Check key and secret.",
        started_at=now,
        finished_at=now,
    )
    return {"transaction": row.pk, "connection": btse.public_id, "balance": balance.pk}


@pytest.mark.parametrize("visitor", WINDOWS, indirect=True, ids=lambda window: f"{window[0]}-{window[1]}")
def test_every_page_is_clean(
    visitor: Visitor, world: dict[str, object], request: pytest.FixtureRequest
) -> None:
    found: list[str] = []
    for name, path in PAGES.items():
        page = visitor.open(path.format(**world))
        visitor.shoot(f"{name}-{request.node.callspec.id}")
        found += [
            f"{name}: {violation['id']} {[n['target'] for n in violation['nodes']]}"
            for violation in Axe().run(page).response["violations"]
        ]
        found += [
            f"{name}: {complaint}"
            for complaint in visitor.complaints
            if "404" not in complaint or name != "nowhere"
        ]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{name}: scrolls sideways by {wide}"] if wide > 0 else []
        visitor.complaints.clear()

    assert found == []
    assert visitor.strange_hosts == []
