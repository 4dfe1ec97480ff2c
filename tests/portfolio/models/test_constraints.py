"""Every rule that the database keeps, broken once: what must not be stored is refused, whoever writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.models import Connection, User
from portfolio.models import (
    BalanceSnapshot,
    Coverage,
    Posting,
    Proof,
    Quarantine,
    Raw,
    Run,
    StreamRun,
    Transaction,
)
from tests.conftest import make_connection

pytestmark = pytest.mark.django_db
NOW = timezone.now()


class Rows:
    """Makes one row of each kind; what a test names differs from a sound one."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.counted = 0

    def raw(self, **other: object) -> Raw:
        self.counted += 1
        fields = {"stream": "s", "source_id": f"{self.counted}", "digest": "d", "body": "{}"} | other
        return Raw.objects.create(connection=self.connection, **fields)

    def quarantine(self, **other: object) -> Quarantine:
        fields = {"stream": "s", "source_id": "1", "digest": "d", "body": "{}", "reason": "r"} | other
        return Quarantine.objects.create(connection=self.connection, **fields)

    def transaction(self, **other: object) -> Transaction:
        fields = {"stream": "s", "external_id": "1", "kind": "deposit", "status": "completed"} | other
        return Transaction.objects.create(
            connection=self.connection, raw=self.raw(), occurred_at=NOW, **fields
        )

    def posting(self, **other: object) -> Posting:
        fields = {"asset": "BTC", "amount": Decimal(1), "role": "principal", "kind": "deposit"} | other
        return Posting.objects.create(
            connection=self.connection, transaction=self.transaction(), occurred_at=NOW, counts=True, **fields
        )

    def balance(self, **other: object) -> BalanceSnapshot:
        amounts = dict.fromkeys(("total", "available", "pending"), Decimal(0))
        fields = {"asset": "BTC", "first_seen": NOW, "last_seen": NOW} | amounts | other
        return BalanceSnapshot.objects.create(connection=self.connection, raw=self.raw(), **fields)

    def proof(self, **other: object) -> Proof:
        amounts = dict.fromkeys(("opening", "postings", "closing", "residual"), Decimal(0))
        fields = {"asset": "BTC", "end": NOW, "verdict": "proved"} | amounts | other
        return Proof.objects.create(connection=self.connection, **fields)

    def run(self, **other: object) -> Run:
        return Run.objects.create(connection=self.connection, **other)

    def stream(self, **other: object) -> StreamRun:
        run = Run.objects.filter(connection=self.connection).first() or self.run()
        return StreamRun.objects.create(run=run, **({"stream": "s"} | other))

    def coverage(self, **other: object) -> Coverage:
        return Coverage.objects.create(connection=self.connection, **({"stream": "s"} | other))


@pytest.fixture
def rows(alice: User) -> Rows:
    """Rows of Alice's connection."""
    return Rows(make_connection(alice))


Make = Callable[[Rows], models.Model]
BROKEN: dict[str, Make] = {
    "a raw record without a body": lambda rows: rows.raw(body=""),
    "a quarantined row without a reason": lambda rows: rows.quarantine(reason=""),
    "a transaction of unknown kind": lambda rows: rows.transaction(kind="gift"),
    "a transaction of unknown status": lambda rows: rows.transaction(status="maybe"),
    "a transaction without an id": lambda rows: rows.transaction(external_id=""),
    "a posting of unknown role": lambda rows: rows.posting(role="tip"),
    "a posting without an asset": lambda rows: rows.posting(asset=""),
    "a balance last seen before it was first": lambda rows: rows.balance(
        last_seen=NOW - timedelta(seconds=1)
    ),
    "a proof with an unknown verdict": lambda rows: rows.proof(verdict="perhaps"),
    "a proof that ends before it starts": lambda rows: rows.proof(start=NOW + timedelta(seconds=1)),
    "a run of unknown state": lambda rows: rows.run(state="odd"),
    "a running run with an end": lambda rows: rows.run(finished_at=NOW),
}
TWICE: dict[str, Make] = {
    "one version of a raw record": lambda rows: rows.raw(source_id="same"),
    "one quarantined row": lambda rows: rows.quarantine(),
    "one leg of a transaction": lambda rows: rows.transaction(),
    "one balance at one moment": lambda rows: rows.balance(),
    "one proof of one interval": lambda rows: rows.proof(),
    "a running run of one connection": lambda rows: rows.run(),
    "one stream of one run": lambda rows: rows.stream(),
    "the coverage of one stream": lambda rows: rows.coverage(),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_a_rule_is_refused(rows: Rows, what: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        BROKEN[what](rows)


@pytest.mark.parametrize("what", TWICE)
def test_what_must_be_once_is_refused_the_second_time(rows: Rows, what: str) -> None:
    TWICE[what](rows)

    with pytest.raises(IntegrityError), transaction.atomic():
        TWICE[what](rows)


@pytest.mark.parametrize("what", TWICE)
def test_another_connection_may_hold_the_same(rows: Rows, bob: User, what: str) -> None:
    TWICE[what](rows)

    TWICE[what](Rows(make_connection(bob)))
