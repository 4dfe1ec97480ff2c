"""What htmx and the drawing script do to a page: spans, sorting, older rows, the sheet, hidden amounts, hostile text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from accounts.models import User
from portfolio.models import BalanceSnapshot
from tests.browser.conftest import Visitor
from tests.conftest import make_connection
from tests.portfolio.factory import make_history, make_rate, make_snapshot, make_transaction
from tests.portfolio.views.test_pages import PAYLOADS, hostile

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DRAWN = "#worth-chart .scatterlayer .trace"


@pytest.fixture
def held(alice: User) -> BalanceSnapshot:
    """One connection with a month of history and 60 transactions."""
    now = datetime.now(UTC)
    connection = make_connection(alice, label="Main", synced_at=now)
    make_rate("BTC", at=now)
    make_history(connection, until=now.date())
    for number in range(60):
        make_transaction(connection, occurred_at=now - timedelta(hours=number))
    return make_snapshot(connection, first_seen=now, last_seen=now)


def test_a_chart_is_drawn_on_load_and_again_for_another_span(visitor: Visitor, held: BalanceSnapshot) -> None:
    page = visitor.open("/")
    expect(page.locator(DRAWN)).not_to_have_count(0)

    page.get_by_role("link", name="1M", exact=True).click()

    expect(page).to_have_url(f"{visitor.address}/?span=1M")
    expect(page.locator(DRAWN)).not_to_have_count(0)
    assert visitor.complaints == []


def test_a_figure_opens_in_the_sheet_and_leads_on(visitor: Visitor, held: BalanceSnapshot) -> None:
    page = visitor.open("/")

    page.locator(".headline a").click()
    expect(page.locator("dialog#sheet")).to_be_visible()
    page.locator("dialog#sheet td a").first.click()
    expect(page.locator("dialog#sheet")).to_contain_text(held.raw.digest)
    page.keyboard.press("Escape")

    expect(page.locator("dialog#sheet")).to_be_hidden()
    assert visitor.complaints == []


def test_older_rows_are_added_below(visitor: Visitor, held: BalanceSnapshot) -> None:
    page = visitor.open("/ledger/")
    expect(page.locator("table.ledger tbody tr")).to_have_count(51)

    page.get_by_role("link", name="Older rows").click()

    expect(page.locator("table.ledger tbody tr")).to_have_count(60)


def test_a_filter_narrows_without_a_new_page(visitor: Visitor, held: BalanceSnapshot) -> None:
    page = visitor.open("/ledger/")

    page.get_by_label("Kind").select_option("trade")

    expect(page.locator("#results")).to_contain_text("Nothing matches")
    expect(page).to_have_url(
        f"{visitor.address}/ledger/?connection=&asset=&kind=trade&role=&status=&since=&until=&text="
    )


def test_hidden_amounts_cannot_be_read_off_the_screen(visitor: Visitor, held: BalanceSnapshot) -> None:
    page = visitor.open("/")

    page.get_by_role("button", name="Hide amounts").click()
    page.get_by_role("button", name="Show amounts").wait_for()
    page.wait_for_load_state("networkidle")

    colours = page.locator(".private").evaluate_all("all => all.map(one => getComputedStyle(one).color)")
    assert set(colours) == {"rgba(0, 0, 0, 0)"}
    expect(page.locator(DRAWN)).not_to_have_count(0)
    expect(page.locator("#worth-chart .ytick text")).to_have_count(0)
    visitor.shoot("hidden-amounts")


@pytest.mark.parametrize("visitor", [(390, "light")], indirect=True)
def test_hostile_text_does_nothing_in_a_browser(visitor: Visitor, alice: User) -> None:
    addresses: list[str] = []
    for number, payload in enumerate(PAYLOADS[:4]):
        addresses += hostile(alice, f"{payload}{number}")[1]

    for address in addresses:
        visitor.open(address)

    assert visitor.complaints == []
    assert visitor.strange_hosts == []
