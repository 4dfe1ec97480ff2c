"""Is a Tether account read completely, whichever way its pages run, and with few requests afterwards?"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from exchanges.connector import OpenRow, Progress
from exchanges.errors import ClockSkewed, ExchangeFault, Hostile, KeyRejected, MissingRight, RateLimited
from exchanges.line import Line
from exchanges.pace import Unpaced
from exchanges.sandbox.faults import Fault, Faults
from exchanges.sandbox.tether import Tether
from exchanges.sandbox.world import Status as Said
from exchanges.sandbox.world import World
from exchanges.tether.fetch import ALLOWED, TetherConnector
from exchanges.tether.normalise import normalise
from exchanges.tether.prices import TetherPrices
from exchanges.tether.sign import Form, signature
from tests.exchanges.clocks import START, VirtualClock
from tests.exchanges.shelf import Killed, Shelf

WORDS = {
    Said.PENDING: "pending",
    Said.PROCESSING: "pending",
    Said.COMPLETED: "completed",
    Said.CANCELLED: "failed",
}


def over(answer: Callable[[httpx2.Request], httpx2.Response]) -> TetherConnector:
    """A connector to a server made of one function."""
    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    line = Line(base_url="https://tether.test.example", clock=VirtualClock(), pace=Unpaced(), client=client)
    return TetherConnector(line, key="k", secret="s", nonce=lambda floor: floor, facts={})


class Account:
    """One account in the sandbox, and what was kept of it."""

    def __init__(self, seed: str = "tether", rows: int = 60, **switches: Any) -> None:
        self.clock = VirtualClock()
        self.world = World(seed, now=self.clock.now, moments={"tether": rows})
        self.app = Tether(self.world, key="k", secret="s", **switches)
        self.faulty = Faults(self.app, reset=httpx2.ReadError, sleep=self.clock.sleep, now=self.clock.now)
        self.shelf = Shelf(normalise)

    def connector(self, secret: str = "s", **facts: Any) -> TetherConnector:
        client = httpx2.Client(transport=httpx2.WSGITransport(app=self.faulty))
        line = Line(base_url="https://tether.test.example", clock=self.clock, pace=Unpaced(), client=client)
        return TetherConnector(line, key="k", secret=secret, nonce=lambda floor: floor, facts=facts)

    def sync(self, **how: Any) -> list[str]:
        """Read, and say which paths were asked."""
        before = len(self.app.log)
        self.shelf.sync(self.connector(), **how)
        return [asked.path for asked in self.app.log[before:]]

    def differs(self) -> list[str]:
        """What was kept beside the truth; empty when both agree."""
        truth = {
            row.id: (row.asset, row.amount, row.fee, WORDS[row.status(self.clock.now())])
            for row in self.world.tether.rows("transactions")
        }
        kept = {
            entry.external_id: (
                entry.postings[0].asset,
                sum(posting.amount for posting in entry.postings),
                -entry.postings[1].amount if len(entry.postings) > 1 else 0,
                entry.status,
            )
            for entry in self.shelf.entries.values()
        }
        return sorted(str(one) for one in truth.items() ^ kept.items())


ORDERS = [
    {"order": order, "first_page": first, "past_end": end, "recent": recent}
    for order in ("desc", "asc")
    for first in (0, 1)
    for end in ("empty", "404", "last")
    for recent in (None, 7, 1000)
]


@pytest.mark.parametrize("switches", ORDERS, ids=lambda one: "-".join(str(v) for v in one.values()))
def test_a_first_read_brings_every_row_whichever_way_pages_run(switches: dict[str, Any]) -> None:
    account = Account(page_size=11, **switches)

    account.sync()

    assert account.differs() == []
    assert account.shelf.held == {
        asset: one.total for asset, one in account.world.tether.balances().items() if one.total
    }


@pytest.mark.parametrize("rows", [0, 1, 9, 40])
@pytest.mark.parametrize("switches", ORDERS[::2], ids=lambda one: "-".join(str(v) for v in one.values()))
def test_short_reads_keep_up_while_the_account_grows(switches: dict[str, Any], rows: int) -> None:
    account = Account(rows=rows, page_size=8, **switches)
    account.sync()

    for minutes in (3, 10, 45, 300, 2000):
        account.clock.advance(minutes * 60)
        account.sync()
        assert account.differs() == []


def test_an_account_with_nothing_new_costs_one_request_for_its_transactions() -> None:
    account = Account()
    account.sync()

    asked = account.sync()

    assert asked == [
        "/api/v1/balances.json",
        "/api/v1/transactions.json",
        "/api/v1/exchange_orders.json",
    ]


def test_where_pages_run_from_old_to_new_one_request_for_the_last_page_is_enough() -> None:
    account = Account(order="asc", page_size=7, first_page=1)
    account.app.recent = 7
    account.sync()

    asked = [path for path in account.sync() if "page" in path or "transactions" in path]

    assert len(asked) <= 2


def test_rows_sent_twice_do_not_make_a_page_seem_longer_than_pages_are() -> None:
    account = Account(order="asc", first_page=1, page_size=4, recent=4, rows=6)
    account.faulty.plan(Fault.DUPLICATE_ROWS, match="/page/1")
    account.sync()

    for _ in range(9):
        account.world.tether.add("receive", "USDT", "1")
    account.sync()

    assert account.differs() == []


def test_a_page_zero_that_fails_by_chance_is_asked_for_again() -> None:
    account = Account(order="asc", first_page=0, page_size=4, recent=4, rows=9)
    account.faulty.plan(Fault.NAN, match="/page/0")

    with pytest.raises(Hostile):
        account.sync()
    account.sync()

    assert account.differs() == []


def test_a_server_that_always_stumbles_over_page_zero_has_none() -> None:
    account = Account(order="asc", first_page=1, page_size=4, recent=4, rows=9)
    account.faulty.plan(Fault.SERVER_ERROR, times=9, match="/page/0")

    for _ in range(2):
        with pytest.raises(ExchangeFault):
            account.sync()
    account.sync()

    assert account.differs() == []


def test_a_row_listed_late_is_found_where_pages_run_from_old_to_new() -> None:
    account = Account(order="asc", first_page=1, page_size=4, recent=4, rows=9)
    now = account.clock.now()
    account.world.tether.add("receive", "USDT", "7", visible=now + timedelta(hours=30))
    for _ in range(6):
        account.world.tether.add("receive", "USDT", "1")
    account.sync()
    account.clock.advance(40 * 3600)

    account.sync()

    assert account.differs() == []


@pytest.mark.parametrize("die_after", range(1, 14))
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_first_read_killed_after_any_page_goes_on_where_it_was(die_after: int, order: str) -> None:
    account = Account(page_size=7, order=order)
    with pytest.raises(Killed):
        account.sync(die_after=die_after)
    account.clock.advance(1800)

    account.sync()
    account.sync()

    assert account.differs() == []


@pytest.mark.parametrize("order", ["desc", "asc"])
@pytest.mark.parametrize("first_page", [0, 1])
@pytest.mark.parametrize("rows", [0, 1, 11])
@pytest.mark.parametrize("dies", [(2,), (3,), (4, 5), (5, 3, 6), (7,), (8, 2)])
def test_a_walk_killed_while_the_account_grows_leaves_no_gap(
    order: str, first_page: int, rows: int, dies: tuple[int, ...]
) -> None:
    account = Account(rows=rows, page_size=3, order=order, first_page=first_page, past_end="last")
    for die_after in dies:
        with contextlib.suppress(Killed):
            account.sync(die_after=die_after)
        account.clock.advance(7200)

    account.sync()
    account.sync()

    assert account.differs() == []


def test_a_busy_account_reads_its_three_days_again_only_once_an_hour() -> None:
    account = Account(rows=40, page_size=3)
    account.clock.advance(86_400)
    account.sync()

    idle = len(account.sync())
    account.clock.advance(3700)
    hourly = len(account.sync())

    assert idle <= 7
    assert hourly > 20


def test_a_killed_walk_does_not_ask_the_pages_again_that_it_has() -> None:
    account = Account(page_size=7)
    with pytest.raises(Killed):
        account.sync(die_after=8)

    asked = account.sync()

    assert "/api/v1/transactions/page/2" not in asked


def test_an_open_row_older_than_the_overlap_is_followed_by_its_id_until_it_is_final() -> None:
    account = Account(rows=40)
    slow = account.world.tether.add(
        "send", "USDT", "-5", id="1", at=START - timedelta(days=900), settles=START + timedelta(hours=2)
    )
    account.sync()
    account.clock.advance(7300)

    asked = account.sync()

    assert f"/api/v1/transactions/{slow.id}.json" in asked
    assert account.differs() == []


def test_many_open_rows_take_turns() -> None:
    account = Account(rows=40)
    account.sync()
    rows = tuple(OpenRow(source_id=f"{number:03}", occurred_at=START) for number in range(120))
    cursor = account.shelf.cursors["transactions"]

    for _ in range(3):
        cursor = list(account.connector().read("transactions", Progress(cursor=cursor, open_rows=rows)))[
            -1
        ].cursor

    asked = [asked.path for asked in account.app.log if re.search("transactions/[0-9]{3}.json", asked.path)]
    assert len(asked) == 150
    assert len(set(asked)) == 120


@pytest.mark.parametrize("form", Form)
def test_the_newest_signing_form_that_works_is_found_and_remembered(form: Form) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        sent, date = request.headers["Authorization"], request.headers["Date"]
        good = sent == f"APIAuth k:{signature(form, 's', request.url.path, date)}"
        return httpx2.Response(200 if good else 401, json=[] if good else None)

    report = over(answer).check()

    assert report.facts == {"form": form.value}


def test_a_read_uses_the_remembered_form_and_never_tries_another() -> None:
    account = Account(forms="A")

    with pytest.raises(KeyRejected):
        list(account.connector().balances(Progress()))

    assert len(account.app.log) == 1
    assert list(account.connector(form="A").balances(Progress()))


def test_a_wrong_secret_is_refused_after_three_forms() -> None:
    account = Account()

    with pytest.raises(KeyRejected):
        account.connector(secret="wrong").check()

    assert [asked.status for asked in account.app.log] == [401, 401, 401]


@pytest.mark.parametrize("right", ["read_balances", "read_transactions"])
def test_a_missing_right_is_named(right: str) -> None:
    rights = {"read_balances", "read_transactions"} - {right}

    with pytest.raises(MissingRight, match=f"lacks the right {right}"):
        Account(rights=rights).connector().check()


def test_a_clock_more_than_a_quarter_of_an_hour_off_is_told_from_a_wrong_key() -> None:
    account = Account()
    account.faulty.clock = timedelta(hours=2)
    account.faulty.plan(Fault.WRONG_CLOCK, times=9)

    with pytest.raises(ClockSkewed, match="clock"):
        account.connector().check()


@pytest.mark.parametrize(
    "switches", [{"documented_only": True}, {"rights": ("read_balances", "read_transactions")}]
)
def test_exchange_orders_that_are_not_offered_are_remembered_and_no_failure(switches: dict[str, Any]) -> None:
    account = Account(**switches)

    first, second = account.sync(), account.sync()

    assert any("exchange_orders" in path for path in first)
    assert not any("exchange_orders" in path for path in second)
    assert any("exchange_orders" in path for path in account.sync(full=True))
    assert account.differs() == []


def test_exchange_orders_are_kept_but_move_nothing_twice() -> None:
    account = Account()
    account.sync()

    kept = [raw for raw in account.shelf.raws.values() if raw.stream == "exchange_orders"]

    assert kept
    assert {entry.stream for entry in account.shelf.entries.values()} == {"transactions"}


def test_only_listed_paths_are_asked_with_get_and_without_a_query() -> None:
    account = Account()
    account.sync()

    for asked in account.app.log:
        assert asked.method == "GET"
        assert not asked.query
        assert any(re.fullmatch(one, asked.path) for one in ALLOWED)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.SERVER_ERROR,
        Fault.MAINTENANCE,
        Fault.HTML,
        Fault.CUT_BODY,
        Fault.RESET_BEFORE,
        Fault.RESET_AFTER,
        Fault.RATE_LIMITED_SECONDS,
        Fault.DUPLICATE_ROWS,
        Fault.REORDERED_ROWS,
    ],
)
def test_a_fault_that_passes_costs_nothing(fault: Fault) -> None:
    account = Account(page_size=9)
    account.faulty.plan(fault, times=2, match="transactions")

    account.sync()
    account.clock.advance(3600)
    account.sync()

    assert account.differs() == []


def test_a_limit_that_stays_ends_the_read_and_keeps_what_was_read() -> None:
    account = Account(page_size=9)
    account.faulty.plan(Fault.RATE_LIMITED, times=50, match="page/3")

    with pytest.raises(RateLimited):
        account.sync()

    assert len(account.shelf.entries) >= 18


@pytest.mark.parametrize("fault", [Fault.EMPTY_PAGE, Fault.STALE, Fault.LATE_ROWS])
def test_an_answer_that_hides_rows_is_mended_by_a_full_walk(fault: Fault) -> None:
    account = Account(page_size=9)
    account.faulty.plan(fault, times=3, match="transactions")
    account.sync()

    account.sync(full=True)

    assert account.differs() == []


def test_a_balance_row_that_cannot_be_read_does_not_cost_the_others() -> None:
    rows = [{"currency": "USD₮", "confirmed": "5"}, {"currency": "EUR₮", "confirmed": "much"}]

    (page,) = over(lambda request: httpx2.Response(200, json=rows)).balances(Progress())

    assert [raw.source_id for raw in page.raws] == ["USD₮"]
    assert [one.reason for one in page.unreadable] == ["an amount is not a plain number"]
    assert not page.complete


@pytest.mark.parametrize("body", ["{}", "null", '"none"', '{"a": [], "b": []}', "3"])
def test_an_answer_without_a_list_is_never_taken_for_an_empty_one(body: str) -> None:
    connector = over(lambda request: httpx2.Response(200, text=body))

    with pytest.raises(Hostile):
        list(connector.read("transactions", Progress()))


@pytest.mark.parametrize("wrap", ["transactions", "data", "whatever"])
def test_a_list_inside_an_object_is_found(wrap: str) -> None:
    row = {"id": 7, "amount": 5, "currency": "BTC", "tx_type": "receive", "created_at": 1432565307}

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"total": 1, wrap: [row] if "page" not in request.url.path else []})

    pages = list(over(answer).read("transactions", Progress()))

    assert [raw.source_id for page in pages for raw in page.raws] == ["7"]


def test_an_error_inside_an_answer_with_status_200_is_an_error() -> None:
    body = {"code": 403, "error": "Missing permission"}

    with pytest.raises(MissingRight) as raised:
        list(over(lambda request: httpx2.Response(200, json=body)).balances(Progress()))

    assert raised.value.said == "Missing permission"


def test_rates_are_read_where_they_answer_and_are_no_failure_where_not() -> None:
    account = Account()

    quotes = {(one.base, one.counter): one.price for one in account.connector().prices.quotes({"XAUT"})}

    assert quotes["XAUT", "USDT"] == account.world.prices.pair("XAUT", "USDT", account.clock.now())
    account.app.old_endpoints = False
    assert list(account.connector().prices.quotes({"USDT"})) == []


def test_without_a_key_rates_that_are_refused_are_simply_not_there() -> None:
    account = Account()
    client = httpx2.Client(transport=httpx2.WSGITransport(app=account.app))
    line = Line(base_url="https://tether.test.example", clock=account.clock, pace=Unpaced(), client=client)
    prices = TetherPrices(line)

    assert [list(prices.quotes({"USDT"})), list(prices.quotes({"USDT"}))] == [[], []]
    assert len(account.app.log) == 1


def listing(rows: int, paged: int) -> TetherConnector:
    """A server whose whole list has so many rows, of which the first page shows some."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        shown = {"transactions.json": rows, "1": paged}.get(request.url.path.rpartition("/")[2], 0)
        return httpx2.Response(200, json=[{"id": number, "amount": "1"} for number in range(shown)])

    return over(answer)


def test_a_list_that_is_too_long_for_one_answer_is_read_in_pages() -> None:
    pages = list(listing(10_001, 3).read("transactions", Progress()))
    assert [raw.source_id for page in pages for raw in page.raws] == ["0", "1", "2"]
    assert pages[-1].covered
    assert pages[-1].cursor["until"]


def test_a_list_that_is_too_long_and_has_no_pages_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(Hostile, match="rows"):
        list(listing(10_001, 0).read("transactions", Progress()))
