"""A proof that holds, one that fails, and its recovery, in a real browser: axe finds nothing; pictures to look at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from portfolio.models import Proof, Quarantine, Verdict
from tests.browser.conftest import Visitor
from tests.portfolio.desks import Desk, desk
from tests.portfolio.factory import make_rate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WINDOWS = [(1440, "light"), (390, "dark")]
DAY = 86_400.0


@pytest.fixture
def account(alice: User) -> Desk:
    """An account that has been read and proved."""
    at = desk(alice, "btse", world={"live": False, "years": 1})
    at.sync()
    at.tell()
    for asset, price in (("BTC", "61234.5"), ("ETH", "3105.22"), ("USDT", "0.9994"), ("EUR", "1.08")):
        make_rate(asset, price, at=timezone.now(), fetched_at=timezone.now())
    return at


def break_it(at: Desk) -> Proof:
    """12.5 USDT come that the exchange lists only three weeks later, and one record cannot be read."""
    at.later(DAY)
    now = at.at.clock.now().replace(microsecond=0)
    at.at.world.btse.add("Deposit", "USDT", "12.5", id="late-1", at=now, visible=now + timedelta(days=20))
    at.later(3600)
    at.sync()
    at.tell()
    Quarantine.objects.create(
        connection=at.connection,
        stream="wallet_history",
        source_id="9001",
        digest="0" * 64,
        body='{"orderId": "9001", "amount": "1_000"}',
        reason="an amount is not a plain number",
    )
    return Proof.objects.of(at.connection).get(verdict=Verdict.UNEXPLAINED)


def look(visitor: Visitor, window: str, name: str, path: str) -> list[str]:
    """Open a page, keep its picture, and say what is wrong with it."""
    page = visitor.open(path)
    visitor.shoot(f"{name}-{window}")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    wrong = [f"{name}: {one['id']} {one['nodes']}" for one in Axe().run(page).response["violations"]]
    wrong += [f"{name}: {complaint}" for complaint in visitor.complaints]
    visitor.complaints.clear()
    return wrong + ([f"{name}: scrolls sideways by {wide}"] if wide > 0 else [])


@pytest.mark.parametrize("visitor", WINDOWS, indirect=True, ids=lambda window: f"{window[0]}-{window[1]}")
def test_a_proof_holds_fails_and_recovers(
    visitor: Visitor, account: Desk, request: pytest.FixtureRequest
) -> None:
    window = request.node.callspec.id
    chain = reverse("connection_proofs", args=[account.connection.public_id]) + "?asset=USDT"
    recorder = reverse("connection_recorder", args=[account.connection.public_id])
    found = look(visitor, window, "proof-1-holds", chain)
    found += look(visitor, window, "recorder-1", recorder)

    broken = break_it(account)
    interval = reverse("proof", args=[broken.pk])
    found += look(visitor, window, "proof-2-fails", chain)
    found += look(visitor, window, "proof-2-interval", interval)
    found += look(visitor, window, "proof-2-all", reverse("proofs"))
    found += look(visitor, window, "proof-2-overview", "/")
    found += look(visitor, window, "recorder-2", recorder)

    account.later(21 * DAY)
    account.sync()
    account.tell()
    found += look(visitor, window, "proof-3-recovered", chain)
    found += look(visitor, window, "proof-3-interval", interval)
    found += look(visitor, window, "recorder-3", recorder)
    assert found == []
    assert visitor.strange_hosts == []
