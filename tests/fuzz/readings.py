"""How the product comes to hear an answer: the readings named in the corpus, over the real connectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx2

from exchanges.btse.fetch import BtseConnector
from exchanges.btse.prices import BtsePrices
from exchanges.catalog import ExchangeName
from exchanges.connect import connect
from exchanges.connector import Connector, Cursor, OpenRow, Page, Progress, PublicSource
from exchanges.line import Line
from exchanges.pace import Unpaced
from exchanges.records import Candle, Quote
from exchanges.tether.prices import TetherPrices
from exchanges.tokens_net.normalise import Pair
from exchanges.tokens_net.prices import TokensNetPrices
from exchanges.transport import CallRecord
from tests.exchanges.clocks import START, VirtualClock
from tests.exchanges.stands import KEY, SECRET, Nonces
from tests.fuzz.examples import Example
from tests.fuzz.exchange import HostileExchange

ASSETS = frozenset({"BTC", "USD", "USDT", "DTR"})
SINCE = START - timedelta(days=5)
PAIR = Pair(name="btcusdt", base="btc", counter="usdt")


@dataclass
class Heard:
    """What a reading brought before it ended."""

    pages: list[Page] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    candles: list[Candle] = field(default_factory=list)
    others: list[Any] = field(default_factory=list)


class _Switch(httpx2.BaseTransport):
    """One client serves all examples, one after the other: to make one costs more than to use it."""

    now: HostileExchange

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.now.handle_request(request)


_switch = _Switch()


@cache
def _client() -> httpx2.Client:
    return httpx2.Client(transport=_switch, trust_env=False)


@dataclass
class Reading:
    """One product, one exchange, one example."""

    exchange: HostileExchange
    clock: VirtualClock = field(default_factory=VirtualClock)
    heard: Heard = field(default_factory=Heard)
    taken: Callable[[Page], None] = lambda page: None
    """What is done with each page before the next is asked for."""
    accepted: bool = False
    """Whether the example's answer got past the transport."""

    def __post_init__(self) -> None:
        self.example = self.exchange.example
        self._line: dict[str, Any] = {
            "base_url": "https://exchange.test",
            "clock": self.clock,
            "client": _client(),
            "pace": Unpaced(),
            "meter": self._met,
        }

    def _met(self, call: CallRecord) -> None:
        accepted = call.outcome == "ok" and self.example.target.fits(call.path)
        self.accepted = self.accepted or accepted

    def connector(self) -> Connector:
        """Of a signed account."""
        _switch.now = self.exchange
        return connect(self.example.exchange, key=KEY, secret=SECRET, nonce=Nonces(), **self._line)

    def public(self) -> PublicSource:
        """Without a key."""
        _switch.now = self.exchange
        return PRICES[self.example.exchange](Line(**self._line))

    def run(self) -> None:
        """All that the example's endpoint is asked for; raises whatever the product raises."""
        what = self.example.target.reading
        if what == "check":
            self.heard.others.append(self.connector().check())
        elif what == "balances":
            self._take(self.connector().balances(Progress(assets=ASSETS, full=self.example.deep)))
        elif what in ("quotes", "candles"):
            self._prices(what)
        elif what in PUBLIC:
            self._listed(what)
        else:
            self._ledger(what)

    def _prices(self, what: str) -> None:
        source = self.public()
        if what == "quotes":
            self.heard.quotes.extend(source.quotes(["BTC"]))
        else:
            end = START.date()
            days = 400 if self.example.deep else 10
            self.heard.candles.extend(source.candles("BTC", end - timedelta(days=days), end))

    def _listed(self, what: str) -> None:
        source = self.public()
        if isinstance(source, TokensNetPrices):
            self.heard.others.append(PUBLIC[what](source))
        else:
            connector = self.connector()
            assert isinstance(connector, BtseConnector)
            self.heard.others.append(connector.currencies("WITHDRAW"))

    def _ledger(self, what: str) -> None:
        stream = "transactions" if what == "open transactions" else what
        cursor = {} if self.example.deep else read_before(self.example.exchange, stream)
        progress = Progress(
            cursor=cursor,
            open_rows=OPEN.get(what, ()),
            full=self.example.deep and len(self.example.steps) % 2 == 0,
            since=SINCE,
            assets=ASSETS,
        )
        self._take(self.connector().read(stream, progress))

    def _take(self, pages: Iterator[Page]) -> None:
        for page in pages:
            self.heard.pages.append(page)
            self.taken(page)
        self.exchange.clocked()


PRICES: dict[str, Callable[[Line], PublicSource]] = {
    "btse": BtsePrices,
    "tether": TetherPrices,
    "tokens_net": TokensNetPrices,
}
PUBLIC: dict[str, Callable[[TokensNetPrices], Any]] = {
    "order book": lambda source: source.order_book(PAIR),
    "public trades": lambda source: source.trades(PAIR),
    "voting": lambda source: source.voting(),
    "currency names": lambda source: source.currencies(),
    "currencies": lambda source: source.pairs(),
}
OPEN = {
    "open transactions": (OpenRow(source_id="77", occurred_at=datetime(2026, 8, 1, tzinfo=UTC)),),
    "orders": (
        OpenRow(
            source_id="01234567-89ab-cdef-0123-456789abcdef", occurred_at=datetime(2026, 8, 1, tzinfo=UTC)
        ),
    ),
}


@cache
def read_before(exchange: str, stream: str) -> Cursor:
    """The cursor that an honest first reading leaves behind."""
    target = "balances" if exchange == ExchangeName.TETHER else "wallet"
    target = "voting" if exchange == ExchangeName.TOKENS_NET else target
    reading = Reading(HostileExchange(Example(exchange, target, 0, (), deep=False)))
    progress = Progress(since=SINCE, assets=ASSETS)
    cursor: Cursor = {}
    for page in reading.connector().read(stream, progress):
        cursor = page.cursor if page.stream == stream else cursor
    return cursor
