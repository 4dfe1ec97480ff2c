"""What is asked of BTSE, in which order, and what comes of it when BTSE behaves oddly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from exchanges import wire
from exchanges.btse import paths
from exchanges.btse.fetch import BtseConnector
from exchanges.btse.history import press
from exchanges.btse.markets import between
from exchanges.btse.rows import Reader, Rows
from exchanges.btse.windows import Ask
from exchanges.connector import Progress
from exchanges.errors import ClockSkewed, MissingRight, NonceRejected, RateLimited
from exchanges.line import Line
from exchanges.pace import Unpaced
from exchanges.sandbox.faults import Fault
from tests.exchanges.clocks import VirtualClock
from tests.exchanges.stands import Stand, stand

WINDOWS = [
    {"windows": "clamp"},
    {"windows": "honour", "default_count": 10},
    {"numeric_status": True, "wallet_name": "@SPOT"},
    {"header_families": ("btse",)},
    {"header_families": ("request",)},
    {"missing_right": 403},
    {"reach": timedelta(days=120)},
]


def btse(**switches: Any) -> Stand:
    """A BTSE with half a year of history."""
    return stand("btse", **switches)


@pytest.mark.parametrize("switches", WINDOWS, ids=str)
def test_every_way_in_which_btse_may_behave_gives_the_same_truth(switches: dict[str, Any]) -> None:
    at = btse(**switches)
    shelf = at.shelf()
    shelf.sync(at.connector())
    if "reach" not in switches:
        at.assert_equal(shelf)
    assert shelf.ids() <= at.ids()
    assert shelf.held == at.totals()


def test_a_key_that_only_reads_is_checked_with_three_calls_and_no_warning() -> None:
    at = btse()
    report = at.connector().check()
    assert report.warnings == ()
    assert [call.path.rsplit("/", 1)[1] for call in at.app.log] == [
        "wallet",
        "availableCurrencyNetworks",
        "address",
    ]


@pytest.mark.parametrize("rights", [("Read", "Wallet"), ("Read", "Wallet", "Withdraw")])
def test_a_key_that_may_more_is_accepted_with_a_warning(rights: tuple[str, ...]) -> None:
    (warning,) = btse(rights=rights).connector().check().warnings
    assert "Wallet" in warning


@pytest.mark.parametrize(
    "fault", [Fault.SERVER_ERROR, Fault.RATE_LIMITED, Fault.RESET_AFTER, Fault.HTML, Fault.NAN]
)
def test_the_question_about_too_wide_a_key_never_fails_the_check(fault: Fault) -> None:
    at = btse()
    at.faults.plan(fault, times=9, match="address")
    at.connector().check()


@pytest.mark.parametrize("missing", [401, 403])
def test_a_key_without_read_is_told_what_it_lacks(missing: int) -> None:
    with pytest.raises(MissingRight):
        btse(rights=("Trading",), missing_right=missing).connector().check()


def test_a_wrong_clock_is_named_as_the_cause() -> None:
    at = btse()
    at.faults.clock = timedelta(hours=2)
    at.faults.plan(Fault.WRONG_CLOCK, times=50)
    with pytest.raises(ClockSkewed, match="7200 seconds"):
        at.connector().check()


def test_a_nonce_that_is_behind_is_drawn_again() -> None:
    at = btse()
    at.nonces.last = 0
    connector = at.connector()
    connector.check()
    at.nonces.last -= 5_000  # as after a restored backup
    with pytest.raises(NonceRejected):
        for _ in range(3):
            list(connector.balances(Progress()))
            at.nonces.last -= 50_000


def test_windows_end_at_the_exchanges_own_time() -> None:
    at = btse()
    at.faults.clock = timedelta(seconds=20)
    at.faults.plan(Fault.WRONG_CLOCK, times=9999)
    connector = at.connector()
    page = next(iter(connector.read("wallet_history", Progress())))
    asked = next(call for call in at.app.log if call.path.endswith("wallet_history"))
    ahead = int(asked.query["endTime"]) - at.clock.now().timestamp() * 1000
    assert 19_000 < ahead < 21_000
    assert connector.skew() == pytest.approx(20, abs=1)
    assert page.cursor


def test_who_is_told_to_wait_where_the_clock_is_asked_does_not_go_on() -> None:
    at = btse()
    at.faults.plan(Fault.RATE_LIMITED_SECONDS, times=1, match="/time")

    with pytest.raises(RateLimited):
        next(iter(at.connector().read("wallet_history", Progress())))

    assert not any(call.path.endswith("wallet_history") for call in at.app.log)


def test_zero_balances_are_sent_but_not_kept() -> None:
    (page,) = btse().connector().balances(Progress())
    (raw,) = page.raws
    assert page.sent > len(wire.parse(raw.body) or [])  # type: ignore[arg-type]
    assert '"total":0,' not in raw.body


def test_endpoints_that_are_not_documented_are_remembered_as_missing() -> None:
    at = btse(documented_only=True)
    shelf = at.shelf()
    shelf.sync(at.connector())
    assert shelf.not_offered == {"trades"}
    asked = len(at.app.log)
    shelf.sync(at.connector())
    late = [call.path for call in at.app.log[asked:]]
    assert not any("market_summary" in path or "trade_history" in path for path in late)
    at.app.documented_only = False
    shelf.sync(at.connector(), full=True)
    at.assert_equal(shelf)


def test_the_currencies_of_an_action_are_told_in_our_names() -> None:
    at = btse()
    connector = at.connector()
    assert isinstance(connector, BtseConnector)
    assert {"BTC", "USDT"} <= set(connector.currencies("WITHDRAW"))
    at.assert_only_read()


def test_reading_is_lazy_one_request_a_page() -> None:
    at = btse(windows="clamp")
    pages = iter(at.connector().read("wallet_history", Progress()))
    next(pages)
    before = len(at.app.log)
    next(pages)
    assert len(at.app.log) == before + 1


def test_an_idle_read_costs_one_call_for_the_history_and_one_a_market() -> None:
    at = btse()
    shelf = at.shelf()
    shelf.sync(at.connector())
    before = len(at.app.log)
    at.clock.advance(300)
    shelf.sync(at.connector())
    assert len(at.app.log) - before <= 4 + len(shelf.cursors["trades"]["walks"])  # type: ignore[arg-type]


def test_only_spot_markets_between_assets_that_were_held_are_asked() -> None:
    rows = wire.parse(
        b'[{"symbol":"BTC-USDT","base":"BTC","quote":"USDT"},{"symbol":"ETH-USDT","base":"ETH","quote":"USDT"},'
        b'{"symbol":"BTC-PERP","base":"BTC","quote":"USDT","futures":true},{"symbol":7},"x",null]'
    )
    assert between(rows, frozenset({"BTC", "USDT"})) == ["BTC-USDT"]


def test_more_rows_in_one_millisecond_than_an_answer_holds_are_read_by_currency() -> None:
    at = stand("btse", world={"empty": True})
    moment = at.clock.now() - timedelta(days=1)
    for n in range(900):
        at.world.btse.add("Deposit", "USDT" if n % 2 else "BTC", "1", at=moment, id=f"tie{n}")
    shelf = at.shelf()
    shelf.sync(at.connector())
    at.assert_equal(shelf)


@pytest.mark.parametrize("currency", ["\ud800", "x" * 100_000, "a\0", ""])
def test_a_crowded_moment_is_not_asked_again_for_currencies_that_cannot_be_written(currency: str) -> None:
    raw = wire.record("wallet_history", "1", {"orderId": "1", "currency": currency})
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.params["currency"])
        return httpx2.Response(200, json=[])

    line = Line(
        base_url="https://exchange.test",
        clock=VirtualClock(),
        pace=Unpaced(),
        client=httpx2.Client(transport=httpx2.MockTransport(answer)),
    )
    ask = Ask(low=5, high=5, start=5, end=5)
    reader = Reader("wallet_history", ("orderId",))
    press(line.transport(allowed=[paths.HISTORY]), ask, Rows(raws=[raw]), reader, ["BTC"])
    assert asked == ["BTC"]
