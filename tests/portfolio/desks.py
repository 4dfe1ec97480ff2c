"""A desk: one user's connection in the store, and the sandbox exchange behind it as the truth."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2

from accounts.keys import store_key
from accounts.models import Connection, User
from exchanges.catalog import ExchangeName
from exchanges.sandbox.world import Status
from portfolio import sync, tasks
from portfolio.models import BalanceSnapshot, Posting, Proof, Transaction, Trigger
from portfolio.sync import SyncResult
from tests.conftest import make_connection
from tests.exchanges.stands import KEY, SECRET, Stand, stand


@dataclass
class Desk:
    """One connection and its exchange."""

    connection: Connection
    at: Stand

    def client(self) -> httpx2.Client:
        """To the sandbox in this process, faults included."""
        return httpx2.Client(transport=httpx2.WSGITransport(app=self.at.faults))

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
    at = stand(exchange, world=world, **switches)
    connection = make_connection(user, ExchangeName(exchange), next_sync_at=at.clock.now())
    store_key(connection, KEY, SECRET)
    return Desk(connection=connection, at=at)


COMPLETED = Status.COMPLETED
