"""Is a Tokens.net account read completely where the exchange offers it, and followed where it does not?"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from exchanges import wire
from exchanges.connector import Progress
from exchanges.errors import (
    Closed,
    ExchangeError,
    ExchangeFault,
    Hostile,
    KeyRejected,
    MissingRight,
    NonceRejected,
    RateLimited,
)
from exchanges.line import Line
from exchanges.pace import Unpaced
from exchanges.sandbox.faults import Fault, Faults
from exchanges.sandbox.tokens_net import TokensNet
from exchanges.sandbox.world import Row, World
from exchanges.sandbox.world.tokens_net import trade_row
from exchanges.tokens_net.fetch import ALLOWED, TokensNetConnector
from exchanges.tokens_net.normalise import normalise
from exchanges.tokens_net.prices import PAIRS_PATH
from exchanges.tokens_net.sign import ticks
from tests.exchanges.clocks import START, VirtualClock
from tests.exchanges.shelf import Killed, Shelf


class Counter:
    """A nonce source that never goes back."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self, floor: int) -> int:
        self.last = max(self.last + 1, floor)
        return self.last


def over(answer: Callable[[httpx2.Request], httpx2.Response]) -> TokensNetConnector:
    """A connector to a server made of one function."""
    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    line = Line(base_url="https://tok.test.example", clock=VirtualClock(), pace=Unpaced(), client=client)
    return TokensNetConnector(line, key="k", secret="s", nonce=Counter(), facts={})


class Account:
    """One account in the sandbox, and what was kept of it."""

    def __init__(self, seed: str = "tokens", rows: int = 120, empty: bool = False, **switches: Any) -> None:
        self.clock = VirtualClock()
        self.world = World(seed, now=self.clock.now, moments={"tokens_net": rows}, empty=empty)
        self.app = TokensNet(self.world, key="k", secret="s", **switches)
        self.faulty = Faults(self.app, reset=httpx2.ReadError, sleep=self.clock.sleep, now=self.clock.now)
        self.shelf = Shelf(normalise)
        self.nonce = Counter()

    def connector(self, key: str = "k", secret: str = "s") -> TokensNetConnector:
        client = httpx2.Client(transport=httpx2.WSGITransport(app=self.faulty))
        line = Line(base_url="https://tok.test.example", clock=self.clock, pace=Unpaced(), client=client)
        return TokensNetConnector(line, key=key, secret=secret, nonce=self.nonce, facts={})

    def sync(self, **how: Any) -> list[str]:
        """Read, and say which paths were asked."""
        before = len(self.app.log)
        self.shelf.sync(self.connector(), **how)
        return [asked.path for asked in self.app.log[before:]]

    def differs(self) -> list[str]:
        """Trades and balances that were kept beside the truth; empty when both agree."""
        truth = {row.id: changes(row) for row in self.world.tokens_net.rows("trades")}
        kept = {
            entry.external_id: {posting.asset: posting.amount for posting in entry.postings}
            for entry in self.shelf.entries.values()
        }
        held = {asset: one.total for asset, one in self.world.tokens_net.balances().items() if one.total}
        said = {asset: total for asset, total in self.shelf.held.items() if total}
        rows = [
            f"{id}: {truth.get(id)} {kept.get(id)}" for id in truth | kept if truth.get(id) != kept.get(id)
        ]
        return rows + [str(one) for one in held.items() ^ said.items()]


def changes(row: Row) -> dict[str, Decimal]:
    """What a true trade did, its fee aside (whose currency nobody documents)."""
    return dict(row.changes[:2])


@pytest.mark.parametrize(
    "switches", [{}, {"errors_with_200": True}, {"lower_status": True}, {"page_size": 7}]
)
def test_a_first_read_brings_every_trade_and_balance(switches: dict[str, Any]) -> None:
    account = Account(**switches)

    account.sync()

    assert account.differs() == []


@pytest.mark.parametrize("page_size", [3, 50])
@pytest.mark.parametrize("rows", [0, 1, 60])
def test_short_reads_keep_up_while_the_account_grows(rows: int, page_size: int) -> None:
    account = Account(rows=rows, page_size=page_size)
    account.sync()

    for minutes in (3, 10, 45, 300, 2000):
        account.clock.advance(minutes * 60)
        account.sync()
        assert account.differs() == []


def test_a_busy_account_reads_its_three_days_again_only_once_an_hour() -> None:
    account = Account(page_size=2)
    account.clock.advance(86_400)
    account.sync()

    idle = sum("trades" in path for path in account.sync())
    account.clock.advance(3700)
    hourly = sum("trades" in path for path in account.sync())

    assert idle == 4
    assert hourly > 10


def test_an_account_with_nothing_new_costs_four_requests() -> None:
    account = Account()
    account.sync()

    asked = [path for path in account.sync() if not re.search("orders/get/.*-", path)]

    assert asked == [
        "/private/balance/all/",
        PAIRS_PATH,
        "/private/orders/get/all/",
        "/private/trades/all/1/",
    ]


@pytest.mark.parametrize("die_after", range(1, 18, 2))
def test_a_first_read_killed_after_any_page_goes_on_where_it_was(die_after: int) -> None:
    account = Account(page_size=9)
    with pytest.raises(Killed):
        account.sync(die_after=die_after)
    account.clock.advance(1800)

    account.sync()
    account.sync()

    assert account.differs() == []


def test_a_server_with_documented_calls_only_serves_balances_and_followed_orders() -> None:
    account = Account(documented_only=True, empty=True)
    account.world.tokens_net.add("deposit", "USDT", "9000", at=START - timedelta(days=1))
    account.world.tokens_net.add("deposit", "BTC", "1", at=START - timedelta(days=1))
    place(account)

    first = account.sync()
    account.clock.advance(3600)
    second = account.sync()

    assert {"/private/balance/all/", "/private/trades/all/1/"} <= set(first)
    assert not {"/private/balance/all/", "/private/trades/all/1/"} & set(second)
    assert len(account.shelf.entries) == 2
    assert account.differs() == []


def place(account: Account, outcome: str = "Filled") -> str:
    """A sell of one bitcoin in two halves, the first an hour before now, the second twenty minutes after."""
    fills = tuple(
        trade_row(
            "btcusdt", "sell", Decimal("0.5"), Decimal(9000), id=id, at=START + timedelta(minutes=minutes)
        )
        for id, minutes in (("900001", -60), ("900003", 20))
    )
    order = account.world.tokens_net.add_order(
        "btcusdt", "sell", "1", "9000", fills=fills, at=START - timedelta(hours=2),
        ends=START + timedelta(minutes=30), outcome=outcome,
    )  # fmt: skip
    return order.id


def test_the_orders_own_side_wins_over_the_side_of_the_list_of_trades() -> None:
    account = Account(empty=True)
    account.world.tokens_net.add("deposit", "BTC", "1", at=START - timedelta(days=1))
    place(account)
    account.sync()
    account.clock.advance(3600)
    account.sync()

    assert {entry.rank for entry in account.shelf.entries.values()} == {2}
    assert account.differs() == []


def test_an_order_cancelled_half_way_keeps_its_trades() -> None:
    account = Account(empty=True, documented_only=True)
    account.world.tokens_net.add("deposit", "BTC", "1", at=START - timedelta(days=1))
    place(account, outcome="Canceled")
    account.sync()
    account.clock.advance(3600)

    account.sync()

    assert {entry.external_id for entry in account.shelf.entries.values()} == {"900001", "900003"}
    assert account.shelf.cursors["orders"]["open"] == {}


def test_an_order_that_has_not_moved_is_not_asked_for_again() -> None:
    account = Account(empty=True)
    account.world.tokens_net.add("deposit", "BTC", "1", at=START - timedelta(days=1))
    order = place(account)

    first, second = account.sync(), account.sync()
    account.clock.advance(3600)
    third = account.sync()

    asked = [f"/private/orders/get/{order}/" in paths for paths in (first, second, third)]
    assert asked == [True, False, True]
    assert account.differs() == []


def test_every_try_has_a_nonce_of_seventeen_digits_above_the_one_before() -> None:
    account = Account()
    account.faulty.plan(Fault.RESET_AFTER, times=2, match="trades")
    account.sync()

    drawn = [int(asked.nonce) for asked in account.app.log if asked.nonce]

    assert drawn == sorted(set(drawn))
    assert {len(str(nonce)) for nonce in drawn} == {17}


def test_a_key_used_by_a_program_ahead_of_ours_is_caught_up_with() -> None:
    account = Account()
    ahead = account.connector()
    account.nonce.last = ticks(START + timedelta(hours=20))
    list(ahead.balances(Progress()))
    account.nonce.last = 0

    account.sync()

    assert account.differs() == []


def test_only_listed_paths_are_asked_with_get_and_without_a_query() -> None:
    account = Account(documented_only=True)
    account.sync()

    for asked in account.app.log:
        assert (asked.method, asked.query) == ("GET", {}) or not asked.query
        assert any(re.fullmatch(one, asked.path) for one in (*ALLOWED, PAIRS_PATH))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (100, ExchangeError), (110, ExchangeError), (111, NonceRejected), (120, KeyRejected), (121, KeyRejected),
        (122, MissingRight), (123, KeyRejected), (124, KeyRejected), (429, RateLimited), (503, ExchangeFault),
        (999, ExchangeError),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400])
def test_every_code_means_the_same_with_http_200_and_with_an_error_status(
    code: int, kind: type[ExchangeError], status: int
) -> None:
    body = {"timestamp": 1234567890, "status": "error", "errorCode": code, "reason": "API says no"}

    with pytest.raises(kind) as raised:
        over(lambda request: httpx2.Response(status, json=body)).check()

    assert raised.value.said == "API says no"
    assert str(raised.value)


@pytest.mark.parametrize(("key", "secret"), [("other", "s"), ("k", "other")])
def test_a_wrong_key_or_secret_is_refused_with_its_own_advice(key: str, secret: str) -> None:
    with pytest.raises(KeyRejected, match="key" if key != "k" else "secret"):
        Account().connector(key=key, secret=secret).check()


def test_a_check_warns_that_every_key_can_trade() -> None:
    report = Account(documented_only=True).connector().check()

    assert "can trade" in report.warnings[0]


def test_an_address_that_no_longer_exists_means_that_the_exchange_has_closed() -> None:
    def gone(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no such host") from socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(Closed):
        over(gone).check()


@pytest.mark.parametrize(
    "fault",
    [
        Fault.SERVER_ERROR, Fault.MAINTENANCE, Fault.HTML, Fault.CUT_BODY, Fault.RESET_BEFORE, Fault.RESET_AFTER,
        Fault.RATE_LIMITED_SECONDS, Fault.DUPLICATE_ROWS, Fault.REORDERED_ROWS,
    ],
)  # fmt: skip
def test_a_fault_that_passes_costs_nothing(fault: Fault) -> None:
    account = Account(page_size=9)
    account.faulty.plan(fault, times=2, match="private")

    account.sync()
    account.clock.advance(3600)
    account.sync()

    assert account.differs() == []


@pytest.mark.parametrize("fault", [Fault.EMPTY_PAGE, Fault.STALE, Fault.LATE_ROWS])
def test_an_answer_that_hides_rows_is_mended_by_a_full_walk(fault: Fault) -> None:
    account = Account(page_size=9)
    account.faulty.plan(fault, times=1, match="trades")
    account.sync()

    account.sync(full=True)

    assert account.differs() == []


def test_valuations_that_move_with_prices_make_no_new_record_of_a_balance() -> None:
    account = Account(empty=True)
    account.world.tokens_net.add("deposit", "BTC", "1", at=START - timedelta(days=1))
    account.sync()
    account.clock.advance(86_400)
    account.sync()

    assert sum(raw.stream == "balances" for raw in account.shelf.raws.values()) == 1


@pytest.mark.parametrize("body", ["{}", "null", '{"status": "ok"}', '{"status": "ok", "balances": 3}'])
def test_an_answer_without_balances_is_never_taken_for_an_empty_account(body: str) -> None:
    with pytest.raises(Hostile):
        list(over(lambda request: httpx2.Response(200, text=body)).balances(Progress()))


def test_a_balance_row_that_cannot_be_read_does_not_cost_the_others() -> None:
    rows = {"BTC": {"total": "1", "available": "1"}, "LTC": {"total": "NaN"}}

    (page,) = over(lambda request: httpx2.Response(200, json={"balances": rows})).balances(Progress())

    assert [raw.source_id for raw in page.raws] == ["BTC"]
    assert len(page.unreadable) == 1
    assert not page.complete


def answering(answers: dict[str, Any]) -> TokensNetConnector:
    """A server with these answers and no others."""
    pairs = {"btcusdt": {"baseCurrency": "btc", "counterCurrency": "usdt"}}
    known = {PAIRS_PATH: pairs} | answers

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = known.get(request.url.path)
        return httpx2.Response(404) if found is None else httpx2.Response(200, json=found)

    return over(answer)


@pytest.mark.parametrize("source_id", ["no path", "01234567-0000"])
def test_an_order_that_cannot_be_asked_for_is_kept_as_it_was_listed(source_id: str) -> None:
    row = {"id": source_id, "amount": "2", "remainingAmount": "1", "currencyPair": "btcusdt"}
    connector = answering({"/private/orders/get/all/": {"openOrders": [row]}})
    pages = list(connector.read("orders", Progress(cursor={"read": True})))
    assert [raw.source_id for page in pages for raw in page.raws if raw.stream == "orders"] == [source_id]


TRADE = {
    "id": 1,
    "datetime": 1786500000,
    "type": "buy",
    "amount": "1",
    "price": "1",
    "currencyPair": "btcusdt",
}


def test_trades_are_kept_from_the_page_that_shows_that_there_are_several() -> None:
    empty: dict[str, Any] = {"trades": [], "pages": 1}
    told = iter([{"trades": [{**TRADE, "id": 2}], "pages": 1}, {"trades": [TRADE], "pages": 2}, empty])
    pairs = {"btcusdt": {"baseCurrency": "btc", "counterCurrency": "usdt"}}
    connector = over(
        lambda request: httpx2.Response(200, json=pairs if request.url.path == PAIRS_PATH else next(told))
    )
    *_, last = connector.read("trades", Progress())

    again = connector.read("trades", Progress(cursor=last.cursor))  # the same page is empty when asked again

    assert "1" in {raw.source_id for page in again for raw in page.raws}


def test_a_number_of_pages_that_cannot_be_true_hides_no_trade() -> None:
    connector = answering({"/private/trades/all/1/": {"trades": [TRADE], "pages": 10**9}})
    first = [page for page in connector.read("trades", Progress()) if page.stream == "trades"]
    cursor = {**first[-1].cursor, "order": "up"}
    again = [page for page in connector.read("trades", Progress(cursor=cursor)) if page.stream == "trades"]
    assert again[0].sent == 1


@pytest.mark.parametrize("rows", [{"BTC": {"total": "1"}, "btc": {"total": "2"}}, {"BTC": {"total": "1"}, "ETH": {"total": "2", "currency": "XRP"}}])  # fmt: skip
def test_a_balance_that_contradicts_its_name_or_another_does_not_cost_the_others(
    rows: dict[str, Any],
) -> None:
    (page,) = answering({"/private/balance/all/": {"balances": rows}}).balances(Progress())
    assert ([raw.source_id for raw in page.raws], len(page.unreadable), page.complete) == (["BTC"], 1, False)


def test_a_balance_of_another_currency_than_was_asked_for_is_not_believed() -> None:
    raw = wire.record("balances", "BTC", {"currency": "ETH", "total": "1"})
    with pytest.raises(ValueError, match="another currency"):
        normalise(raw)
