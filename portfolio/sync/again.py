"""Reads a quarantined record once more with the rules of today, from what is stored: no exchange is asked."""

from __future__ import annotations

import uuid
from enum import StrEnum

from accounts.models import Connection, State
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connect import normaliser
from exchanges.connector import Clock
from portfolio.models import Quarantine, Run, RunState, Trigger
from portfolio.sync import observations
from portfolio.sync.hold import Hold, LeaseLost
from portfolio.sync.notes import Notes
from portfolio.sync.reading import OBSERVED, Reader
from portfolio.sync.store import Store


class Again(StrEnum):
    """What came of it, as a sentence for the user."""

    READ = "The record can be read now. It is in the ledger; its proofs and figures follow."
    UNREADABLE = "The record still cannot be read. It stays here as it was sent."
    BUSY = "The connection is being read just now. Try again when that has ended."
    PAUSED = "The connection is paused. Resume it first."
    NAMELESS = (
        "The record has no id, so it cannot be told from others. Read its list again instead: "
        "if the exchange still sends it, it is read with the rules of today."
    )
    PASSED = "Balances are read anew with every sync. This one is kept as a record of what was sent."


def read_again(row: Quarantine, clock: Clock = SYSTEM_CLOCK) -> Again:
    """Try to read it, with all other unread versions of the same record, oldest first."""
    connection = row.connection
    if row.stream in OBSERVED:
        return Again.PASSED
    if not row.source_id:
        return Again.NAMELESS
    if connection.state == State.PAUSED:
        return Again.PAUSED
    owner = f"again:{uuid.uuid4().hex[:12]}"
    if not connection.take_lease(owner, clock.now(), calls=False):
        return Again.BUSY
    try:
        return _read(connection, row, owner, clock)
    except LeaseLost:
        return Again.BUSY
    finally:
        connection.release(owner)


def _read(connection: Connection, row: Quarantine, owner: str, clock: Clock) -> Again:
    now = clock.now()
    reader = Reader(normaliser(connection.exchange), observations.references(connection))
    versions = Quarantine.objects.of(connection).filter(stream=row.stream, source_id=row.source_id)
    raws = [observations.quarantined(one) for one in versions.order_by("received_at", "pk")]
    try:
        for raw in raws:
            reader.read(raw)
    except ValueError:
        return Again.UNREADABLE
    # We hold the lease, so whatever still counts as running is dead.
    Run.objects.of(connection).running().update(
        state=RunState.INTERRUPTED, finished_at=now, error="The worker stopped."
    )
    run = Run.objects.create(
        connection=connection,
        trigger=Trigger.USER,
        worker=owner,
        started_at=now,
        heartbeat_at=now,
        story=[f"A record of {row.stream} ({row.source_id[:80]}) that could not be read before is read now."],
    )
    store = Store(connection, run, reader, Hold(connection, run, clock), clock, lambda: None, Notes())
    store.keep_again(row.stream, raws)
    Run.objects.filter(pk=run.pk).update(state=RunState.OK, finished_at=clock.now())
    return Again.READ
