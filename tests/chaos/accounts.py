"""Accounts at sandbox exchanges that keep growing and failing, and what each store must say in the end: the truth.

Two users have an account at each exchange; ids are counted alike for both, so they collide.
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from exchanges.sandbox.faults import Fault, Faults
from exchanges.sandbox.server import exchanges
from exchanges.sandbox.web import Exchange
from exchanges.sandbox.world import Row, Status, World
from exchanges.sandbox.world.ledger import EXACT
from exchanges.sandbox.world.tokens_net import trade_row

LISTED = {"btse": ("wallet", "fills"), "tether": ("transactions",), "tokens_net": ("trades",)}
RATES = {
    Fault.RATE_LIMITED_SECONDS: 1,
    Fault.SERVER_ERROR: 2,
    Fault.RESET_BEFORE: 2,
    Fault.RESET_AFTER: 2,
    Fault.CUT_BODY: 1,
    Fault.HTML: 1,
    Fault.DUPLICATE_ROWS: 3,
}
HOSTILE = "mallory"
"""Whose exchange drips, beside those whose exchanges are well."""
DRIPS, DRIP = 10, 0.7
Moves = dict[str, dict[str, Decimal]]


@dataclass(frozen=True, kw_only=True)
class Account:
    """One user's account at one exchange."""

    exchange: str
    user: str
    key: str
    secret: str
    world: World

    def ids(self) -> set[str]:
        """Of every row that the exchange lists."""
        return {row.id for row in self._rows()}

    def unsettled(self) -> set[str]:
        """Of the rows that are not final yet."""
        now = self.world.now()
        return {row.id for row in self._rows() if row.status(now) in (Status.PENDING, Status.PROCESSING)}

    def moves(self) -> Moves:
        """What each completed row did to the balances, as far as the exchange tells it."""
        now, found = self.world.now(), defaultdict[str, dict[str, Decimal]](dict)
        for row in self._rows():
            if row.status(now) is Status.COMPLETED:
                for asset, change in row.changes[:2] if self.exchange == "tokens_net" else row.changes:
                    found[row.id][asset] = EXACT.add(found[row.id].get(asset, Decimal(0)), change)
        return without_zeros(found)

    def held(self) -> dict[str, Decimal]:
        """What is held."""
        balances = self.world.ledger(self.exchange).balances()
        return {asset: one.total for asset, one in balances.items() if one.total}

    def _rows(self) -> list[Row]:
        return self.world.ledger(self.exchange).rows(*LISTED[self.exchange])


@dataclass
class Listener:
    """Notes the nonces of all requests in the order in which they arrive, before anything can go wrong."""

    app: WSGIApplication
    nonces: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    requests: int = 0
    methods: set[str] = field(default_factory=set)
    hostile: str = ""
    """The key whose answers only drip."""
    dripped: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        key = environ.get("HTTP_REQUEST_API") or environ.get("HTTP_KEY") or ""
        nonce = environ.get("HTTP_REQUEST_NONCE") or environ.get("HTTP_NONCE")
        with self._lock:
            self.requests += 1
            self.methods.add(environ["REQUEST_METHOD"])
            if key and nonce:
                self.nonces[key].append(int(nonce))
        answer = self.app(environ, start_response)
        if not key or key != self.hostile:
            return answer
        self.dripped += 1
        return drip(b"".join(answer))

    def violations(self) -> int:
        """How many nonces were not above all before them."""
        with self._lock:
            runs = [list(one) for one in self.nonces.values()]
        return sum(later <= earlier for one in runs for earlier, later in pairwise(one))


def drip(body: bytes) -> Iterator[bytes]:
    """The same answer, a little at a time: slow enough to fill a turn with a few calls, too quick to count as silence."""
    piece = len(body) // DRIPS + 1
    for start in range(0, len(body), piece):
        time.sleep(DRIP)
        yield body[start : start + piece]


class Accounts:
    """All accounts, their exchanges as applications, and what makes them grow."""

    def __init__(self, seed: str, users: Iterable[str]) -> None:
        """Each user's life is another, also where ids are the same."""
        self._dice = random.Random(seed)
        self._worlds = {name: small_world(f"{seed}-{name}") for name in users}
        first, *others = self._worlds
        apps = exchanges(self._worlds[first])
        self.all = [account(first, name, self._worlds[first], apps[name], number=0) for name in LISTED]
        for number, user in enumerate(others, start=1):
            self.all += [account(user, name, self._worlds[user], apps[name], number) for name in LISTED]
        self._faults = {name: Faults(app, seed=seed) for name, app in apps.items()}
        self.listeners = {name: Listener(faulty) for name, faulty in self._faults.items()}
        self._grown = 0
        world = small_world(f"{seed}-{HOSTILE}")
        self.hostile = account(HOSTILE, "btse", world, apps["btse"], number=len(self._worlds))
        self.listeners["btse"].hostile = self.hostile.key

    def trouble(self, *, on: bool) -> None:
        """Let exchanges fail now and then, or let all be well."""
        for faulty in self._faults.values():
            faulty.rates = dict(RATES) if on else {}

    @property
    def faults(self) -> int:
        """How many requests met a fault."""
        return sum(len(faulty.happened) for faulty in self._faults.values())

    def grow(self) -> None:
        """Something happens in one of the accounts."""
        one = self._dice.choice(self.all)
        self._grown += 1
        ways: dict[str, Callable[[World], object]] = {
            "btse": self._at_btse,
            "tether": self._at_tether,
            "tokens_net": self._at_tokens_net,
        }
        ways[one.exchange](one.world)

    def _at_btse(self, world: World) -> None:
        if self._dice.random() < 0.3:
            world.btse.add_fill("BTC-USDT", "BUY", "0.001", "9000.5")
            return
        settles, outcome = self._course(world)
        world.btse.add("Deposit", "USDT", self._amount(), settles=settles, outcome=outcome)

    def _at_tether(self, world: World) -> None:
        settles, outcome = self._course(world)
        now = world.now().replace(microsecond=0)
        settles = settles.replace(microsecond=0) if settles else now
        world.tether.add("receive", "USDT", self._amount(), at=now, settles=settles, outcome=outcome)

    def _at_tokens_net(self, world: World) -> None:
        now = world.now().replace(microsecond=0)
        if self._dice.random() < 0.5:
            world.tokens_net.add_trade("btcusdt", "sell", "0.001", "9000", at=now)
            return
        fill = trade_row("ethusdt", "buy", Decimal("0.5"), Decimal("150.25"), id=f"7{self._grown:06}", at=now)
        world.tokens_net.add_order(
            "ethusdt", "buy", "1", "150.25", fills=(fill,), at=now, ends=now + timedelta(seconds=5),
            outcome="Canceled",
        )  # fmt: skip

    def _course(self, world: World) -> tuple[datetime | None, Status]:
        if self._dice.random() < 0.5:
            return None, Status.COMPLETED
        settles = world.now() + timedelta(seconds=self._dice.randrange(1, 8))
        return settles, self._dice.choice((Status.COMPLETED, Status.CANCELLED))

    def _amount(self) -> str:
        return str(Decimal(self._dice.randrange(1, 10**20)).scaleb(-18))


def small_world(seed: str) -> World:
    """A past of three months, and nothing new but what is added."""
    moments = {"btse": 150, "tether": 80, "tokens_net": 60}
    return World(seed, years=0.25, moments=moments, live=False)  # type: ignore[arg-type]


def account(user: str, exchange: str, world: World, app: Exchange, number: int) -> Account:
    """One more key, handed out by the exchange."""
    key, secret = f"key-{number}-{exchange}", f"secret-{number}-{exchange}"
    app.admit(key, secret, world=world)
    return Account(exchange=exchange, user=user, key=key, secret=secret, world=world)


def without_zeros(moves: Moves) -> Moves:
    """What really moved."""
    kept = {key: {asset: amount for asset, amount in one.items() if amount} for key, one in moves.items()}
    return {key: one for key, one in kept.items() if one}
