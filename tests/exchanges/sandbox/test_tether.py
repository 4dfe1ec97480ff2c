"""Tether's shapes of 2015, its paging and its two answers to old endpoints."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.sandbox.tether import Tether
from exchanges.sandbox.world import World
from tests.exchanges.sandbox.asking import KEY, NOW, SECRET, Asker

BASE = "/api/v1"


def make(world: World, **switches: object) -> Asker:
    return Asker(Tether(world, key=KEY, secret=SECRET, **switches), "tether")  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    """Five transactions, an hour apart, ids 1 to 5."""
    made = World(now=lambda: NOW, empty=True)
    for number in range(1, 6):
        made.tether.add(
            "receive", "USDT", f"{number}00.5", id=str(number), at=NOW - timedelta(hours=9 - number)
        )
    return made


def test_a_transaction_looks_as_it_did_in_2015(world: World) -> None:
    row = make(world)(f"{BASE}/transactions/2.json").json()
    assert (row["id"], row["amount"], row["balance"], row["currency"]) == (2, "200.5", "301.0", "USD₮")
    assert (row["created_at"], row["status"]) == ("2026-08-13T13:00:00+08:00", "completed")
    assert "counterparty_address" in row


def test_the_balance_after_each_row_leads_to_the_balance(world: World) -> None:
    asker = make(world)
    newest = asker(f"{BASE}/transactions.json").json()[0]
    assert asker(f"{BASE}/balances.json").json() == [
        {"confirmed": newest["balance"], "pending": "0.0", "currency": "USD₮"}
    ]


def test_what_is_on_its_way_is_pending_and_not_in_the_balance_yet(world: World) -> None:
    world.tether.add("send", "USDT", "-70", id="6", at=NOW, settles=NOW + timedelta(minutes=9))
    asker = make(world)
    assert asker(f"{BASE}/balances.json").json()[0]["pending"] == "-70.0"
    row = asker(f"{BASE}/transactions/6.json").json()
    assert (row["status"], row["transaction_id"], row["balance"]) == ("pending", None, "1502.5")


@pytest.mark.parametrize(
    ("order", "first", "pages"),
    [("desc", 1, {1: [5, 4], 2: [3, 2], 3: [1], 4: []}), ("asc", 0, {0: [1, 2], 1: [3, 4], 2: [5], 3: []})],
)
def test_pages_run_either_way_from_either_number(
    world: World, order: str, first: int, pages: dict[int, list[int]]
) -> None:
    asker = make(world, page_size=2, order=order, first_page=first)
    for number, ids in pages.items():
        assert [row["id"] for row in asker(f"{BASE}/transactions/page/{number}").json()] == ids


@pytest.mark.parametrize(("past_end", "expected"), [("empty", []), ("last", [1]), ("404", None)])
def test_past_the_end_three_answers_are_possible(
    world: World, past_end: str, expected: list[int] | None
) -> None:
    answer = make(world, page_size=2, past_end=past_end)(f"{BASE}/transactions/page/9")
    assert answer.status_code == (404 if expected is None else 200)
    assert expected is None or [row["id"] for row in answer.json()] == expected


def test_a_conversion_is_two_rows_and_an_exchange_order() -> None:
    demo = World("demo", now=lambda: NOW)
    order = make(demo)(f"{BASE}/exchange_orders").json()[-1]
    sold = Decimal(order["original_amount"])
    rows = [
        row
        for row in demo.tether.rows()
        if row.kind == "convert" and row.amount in (-sold, Decimal(order["exchanged_amount"]))
    ]
    assert len(rows) == 2
    assert order["created_at"].endswith("Z")


def test_old_endpoints_can_be_gone(world: World) -> None:
    asker = make(world, old_endpoints=False)
    assert [asker(f"{BASE}/{path}").status_code for path in ("exchange_orders", "exchange_rates.json")] == [
        404,
        404,
    ]


def test_a_missing_right_is_forbidden(world: World) -> None:
    asker = make(world, rights=("read_balances",))
    assert asker(f"{BASE}/balances.json").status_code == 200
    assert asker(f"{BASE}/transactions.json").status_code == 403
