"""One stand per exchange: the sandbox as the other side, its world as the truth, and a connector to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2

from exchanges.connect import connect, normaliser
from exchanges.connector import Connector
from exchanges.pace import Unpaced
from exchanges.sandbox.btse import Btse
from exchanges.sandbox.faults import Faults
from exchanges.sandbox.tether import Tether
from exchanges.sandbox.tokens_net import TokensNet
from exchanges.sandbox.web import Exchange
from exchanges.sandbox.world import Status, World
from exchanges.sandbox.world.ledger import Changes, Ledger, Row
from tests.exchanges.clocks import VirtualClock
from tests.exchanges.shelf import Moves, Shelf, add, without_zeros

KEY, SECRET = "key-of-a-test", "secret-of-a-test"


class Nonces:
    """Rising for ever, as the store would give them."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self, floor: int) -> int:
        self.last = max(self.last + 1, floor)
        return self.last


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What differs from exchange to exchange."""

    name: str
    app: Callable[..., Exchange]
    streams: tuple[str, ...]
    """The world's streams that the exchange lists."""
    paths: tuple[str, ...]
    """Patterns of all paths that may ever be asked."""
    list_path: str
    """A part of the path of its main list, for faults."""
    grow: Callable[[World], object]
    """Something happens in the account."""
    told: Callable[[Row], Changes] = lambda row: row.changes
    """What of a row's changes the exchange tells."""


KINDS: dict[str, Kind] = {}
KINDS["btse"] = Kind(
    name="btse",
    app=Btse,
    streams=("wallet", "fills"),
    paths=(
        r"/spot/api/v3\.2/user/(wallet|wallet_history|wallet/address|trade_history)",
        r"/spot/api/v3\.2/(time|market_summary|ohlcv|availableCurrenc(ies|yNetworks)|exchangeRate)",
        r"/public-api/wallet/v1/assets/exchangeRate",
    ),
    list_path="wallet_history",
    grow=lambda world: world.btse.add("Deposit", "USDT", "12.5", id="grown"),
)

KINDS["tether"] = Kind(
    name="tether",
    app=Tether,
    streams=("transactions",),
    paths=(
        r"/api/v1/balances\.json",
        r"/api/v1/transactions(/[0-9]+)?\.json",
        r"/api/v1/transactions/page/[0-9]+",
        r"/api/v1/exchange_orders(\.json)?",
    ),
    list_path="transactions",
    grow=lambda world: world.tether.add("receive", "USDT", "12.5"),
)
KINDS["tokens_net"] = Kind(
    name="tokens_net",
    app=TokensNet,
    streams=("trades",),
    paths=(
        r"/private/balance/[a-z0-9]+/",
        r"/private/orders/get/[a-z0-9-]+/",
        r"/private/trades/all/[0-9]+/",
        r"/public/trading-pairs/get/all/",
    ),
    list_path="trades/all",
    grow=lambda world: world.tokens_net.add_trade("btcusdt", "sell", "0.001", "9000"),
    told=lambda row: row.changes[:2],  # a fee is listed, but not in what currency it was taken
)


@dataclass
class Stand:
    """One exchange with one account."""

    kind: Kind
    world: World
    clock: VirtualClock
    app: Exchange
    faults: Faults
    nonces: Nonces = field(default_factory=Nonces)

    @property
    def ledger(self) -> Ledger:
        """The truth."""
        found: Ledger = self.world.ledger(self.kind.name)
        return found

    def connector(self, key: str = KEY, secret: str = SECRET) -> Connector:
        """A fresh one, as every task has."""
        return connect(
            self.kind.name,
            base_url="https://exchange.test",
            key=key,
            secret=secret,
            nonce=self.nonces,
            clock=self.clock,
            client=httpx2.Client(transport=httpx2.WSGITransport(app=self.faults)),
            pace=Unpaced(),
        )

    def shelf(self) -> Shelf:
        """An empty store."""
        return Shelf(normalise=normaliser(self.kind.name))

    def truth(self) -> Moves:
        """What every completed row that is listed did to the balances."""
        moves: Moves = {}
        for row in self.ledger.rows(*self.kind.streams):
            if row.status(self.clock.now()) is Status.COMPLETED:
                changes = moves.setdefault(row.id, {})
                for asset, change in self.kind.told(row):
                    changes[asset] = add(changes.get(asset, Decimal(0)), change)
        return without_zeros(moves)

    def ids(self) -> set[str]:
        """Of every row that is listed."""
        return {row.id for row in self.ledger.rows(*self.kind.streams)}

    def totals(self) -> dict[str, Decimal]:
        """What is held."""
        return {asset: held.total for asset, held in self.ledger.balances().items() if held.total}

    def assert_only_read(self) -> None:
        """Nothing but GET, and nothing off the list."""
        asked = {(call.method, call.path) for call in self.app.log}
        patterns = [re.compile(p) for p in self.kind.paths]
        strange = [c for c in asked if c[0] != "GET" or not any(p.fullmatch(c[1]) for p in patterns)]
        assert not strange

    def assert_equal(self, shelf: Shelf) -> None:
        """The store says exactly what the world says."""
        assert shelf.quarantine == []
        assert shelf.reasons == []
        assert shelf.held == self.totals()
        assert shelf.ids() == self.ids()
        assert shelf.moves() == self.truth()


def stand(name: str, seed: str = "contract", world: dict[str, Any] | None = None, **switches: Any) -> Stand:
    """A stand with the sandbox's own clock at standstill; without limits of pace unless asked for."""
    kind, clock = KINDS[name], VirtualClock()
    made = World(seed, now=clock.now, **{"years": 0.6, **(world or {})})
    app = kind.app(made, key=KEY, secret=SECRET, **{"pace": None, **switches})
    faults = Faults(app, seed=seed, reset=httpx2.ReadError, sleep=clock.sleep, now=clock.now)
    return Stand(kind=kind, world=made, clock=clock, app=app, faults=faults)


def every(names: Iterable[str] = KINDS) -> list[str]:
    """The names of all stands, for parameters."""
    return sorted(names)


DAY = timedelta(days=1)
