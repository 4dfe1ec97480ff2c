"""A desk: one user's connection in the store, and the sandbox exchange behind it as the truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2

from accounts.keys import store_key
from accounts.models import Connection, User
from exchanges.catalog import ExchangeName
from portfolio import sync, tasks
from portfolio.models import BalanceSnapshot, Posting, Proof, Raw, Transaction, Trigger
from portfolio.rebuild import rebuild
from portfolio.sync import SyncResult
from tests.conftest import make_connection
from tests.exchanges.stands import KEY, SECRET, Stand, stand

SHORT: dict[str, Any] = {"years": 0.15, "moments": {"btse": 90, "tether": 60, "tokens_net": 60}}
"""Eight weeks of life: several pages of each list, and not more to write than a test needs."""


class Crash(BaseException):
    """The process dies here: nothing of ours may catch this."""


class Wire:
    """The way to the exchange: counts requests, and lets a test step in at one of them or spoil an answer."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.count = 0
        self.hooks: dict[int, Callable[[], object]] = {}
        self.spoilt: dict[bytes, bytes] = {}

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        self.count += 1
        self.hooks.pop(self.count, lambda: None)()
        heard: list[Any] = []
        body = b"".join(self.app(environ, lambda *told: heard.append(told)))
        for before, after in self.spoilt.items():
            body = body.replace(before, after, 1)
        headers = [(name, value) for name, value in heard[0][1] if name.lower() != "content-length"]
        start_response(heard[0][0], [*headers, ("Content-Length", str(len(body)))])
        return [body]


@dataclass
class Desk:
    """One connection and its exchange."""

    connection: Connection
    at: Stand
    wire: Wire

    def client(self) -> httpx2.Client:
        """To the sandbox in this process, faults included."""
        return httpx2.Client(transport=httpx2.WSGITransport(app=self.wire))

    def sync(self, trigger: Trigger = Trigger.COMMAND, **options: Any) -> SyncResult:
        """One turn."""
        with self.client() as client:
            done = sync.run(
                self.connection.pk, trigger=trigger, clock=self.at.clock, client=client, **options
            )
        assert done is not None
        return done

    def tell(self) -> None:
        """Proofs and figures, as the task does after a turn."""
        tasks.tell(self.connection.pk, self.at.clock)

    def verdicts(self) -> dict[str, set[str]]:
        """Of each asset, what its intervals came to."""
        found: dict[str, set[str]] = defaultdict(set)
        for row in Proof.objects.of(self.connection):
            found[row.asset].add(row.verdict)
        return found

    def ahead(self, seconds: float) -> datetime:
        """A moment to come."""
        return self.at.clock.now() + timedelta(seconds=seconds)

    def during_request(self, number: int, step: Callable[[], object]) -> None:
        """Something happens while the `number`th request from now is under way."""
        self.wire.hooks[self.wire.count + number] = step

    def spoil(self, before: str, after: str) -> None:
        """From now on answers that hold `before` say `after` in its first place instead."""
        self.wire.spoilt[before.encode()] = after.encode()

    def sync_killed_at_request(self, number: int) -> bool:
        """A turn whose process dies at its `number`th request; True where it ended before."""

        def die() -> None:
            raise Crash

        self.during_request(number, die)
        ended = self.sync_until_crash()
        self.wire.hooks.clear()
        return ended

    def sync_until_crash(self) -> bool:
        """A turn that a crash may end; whether it came to its own end."""
        try:
            self.sync()
        except Crash:
            return False
        return True

    def paths(self, part: str) -> int:
        """How often a path that holds `part` was asked."""
        return sum(part in asked.path for asked in self.at.app.log)

    def late_row(self) -> str:
        """A row that appears now and is dated long ago; its id."""
        long_ago = self.at.clock.now().replace(microsecond=0) - timedelta(days=30)
        if self.connection.exchange == "btse":
            return str(self.at.world.btse.add("Deposit", "USDT", "7", id="77", at=long_ago).id)
        if self.connection.exchange == "tether":
            return str(self.at.world.tether.add("receive", "USDT", "7", id="77", at=long_ago).id)
        return str(
            self.at.world.tokens_net.add_trade("btcusdt", "buy", "0.001", "7", id="77", at=long_ago).id
        )

    def picture(self) -> list[object]:
        """All that was derived, and how many raw records there are."""
        rows = Transaction.objects.of(self.connection).order_by("pk").values_list("pk", "status", "raw")
        postings = Posting.objects.of(self.connection).order_by("pk").values_list("pk", "asset", "amount")
        balances = BalanceSnapshot.objects.of(self.connection).order_by("pk").values_list("pk", "total")
        return [list(rows), list(postings), list(balances), Raw.objects.of(self.connection).count()]

    def assert_rebuilds(self) -> None:
        """What stands is what the raw records say."""
        done = rebuild(self.connection, write=False, tell=lambda _: self.tell(), clock=self.at.clock)
        assert done.first is None, f"{done.first} {done.differing}"

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.at.clock.advance(seconds)

    def fresh(self) -> Connection:
        """The connection as it is stored now."""
        return Connection.objects.get(pk=self.connection.pk)

    def held(self) -> dict[str, Decimal]:
        """What the newest snapshots say is held."""
        rows = BalanceSnapshot.objects.of(self.connection).newest()
        return {row.asset: row.total for row in rows if row.total}

    def ledger(self) -> dict[str, dict[str, str]]:
        """Every transaction with its status and what it moves, as comparable text."""
        rows: dict[str, dict[str, str]] = {}
        for row in Transaction.objects.of(self.connection):
            rows.setdefault(row.external_id, {})[row.leg] = row.status
        return rows

    def moves(self) -> dict[str, dict[str, Decimal]]:
        """What every completed transaction did to the balances."""
        moves: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for posting in Posting.objects.of(self.connection).counted().select_related("transaction"):
            moves[posting.transaction.external_id][posting.asset] += posting.amount
        kept = {key: {a: v for a, v in one.items() if v} for key, one in moves.items()}
        return {key: one for key, one in kept.items() if one}

    def assert_true(self) -> None:
        """The store says exactly what the world says."""
        assert self.held() == self.at.totals()
        assert {row.external_id for row in Transaction.objects.of(self.connection)} == self.at.ids()
        assert self.moves() == self.at.truth()


def desk(user: User, exchange: str = "btse", world: dict[str, Any] | None = None, **switches: Any) -> Desk:
    """A connection of `user` with a key to a fresh sandbox."""
    at = stand(exchange, world=SHORT | (world or {}), **switches)
    connection = make_connection(user, ExchangeName(exchange), next_sync_at=at.clock.now())
    store_key(connection, KEY, SECRET)
    return Desk(connection=connection, at=at, wire=Wire(at.faults))
