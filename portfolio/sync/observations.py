"""Keeps observations (what is held, reference lists): one stored record per change, seen again otherwise.

The time of an observation is the exchange's and rises from one to the next, so that the chain of snapshots and the
ledger are told by one clock. An observation of everything ends those of single scopes, and the reverse: what is
stored last is what was said last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import Connection
from exchanges import records
from exchanges.records import Meaning
from portfolio.models import Coverage, Quarantine, Raw, Run
from portfolio.sync.balances import Observation
from portfolio.sync.reading import (
    BALANCES,
    EVERYTHING,
    OBSERVED,
    REFERENCE,
    Reader,
    observation_id,
    scope_of,
    seen_first,
)

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One observation as it was kept."""

    said: records.Raw
    row: Raw
    is_new: bool = False
    has_changed: bool = False


def keep(coverage: Coverage, raws: Sequence[records.Raw], now: datetime, run: Run) -> list[Look]:
    """Store what changed, confirm the rest; `coverage.latest` follows and is saved by the caller."""
    rows = {row.pk: row for row in Raw.objects.filter(pk__in=coverage.latest.values())}
    at = max([now, *(row.seen_at + TICK for row in rows.values())])
    looks: list[Look] = []
    for raw in raws:
        _end_others(coverage, raw.source_id)
        row = rows.get(coverage.latest.get(raw.source_id, 0))
        if row is not None and row.digest == raw.digest:
            row.seen_at = at
            looks.append(Look(said=raw, row=row))
        else:
            fresh = raw_row(raw, run, at, observation_id(raw.source_id, at))
            fresh.save()
            rows[fresh.pk] = fresh
            coverage.latest[raw.source_id] = fresh.pk
            looks.append(Look(said=raw, row=fresh, is_new=row is None, has_changed=row is not None))
        at += TICK
    again = [look.row for look in looks if not look.is_new and not look.has_changed]
    if again:
        Raw.objects.bulk_update(again, ["seen_at"])
    return looks


def raw_row(raw: records.Raw, run: Run, at: datetime, source_id: str = "") -> Raw:
    """The row of a record that is the newest of its id from `at` on."""
    return Raw(
        connection_id=run.connection_id,
        stream=raw.stream,
        source_id=source_id or raw.source_id,
        digest=raw.digest,
        body=raw.body,
        received_at=at,
        current_at=at,
        seen_at=at,
        run=run,
    )


def as_said(row: Raw) -> records.Raw:
    """A stored record as the connector handed it over: without the time in the id of an observation."""
    source_id = scope_of(row.source_id) if row.stream in OBSERVED else row.source_id
    return records.Raw(stream=row.stream, source_id=source_id, body=row.body, digest=row.digest)


def quarantined(row: Quarantine) -> records.Raw:
    """A record that could not be read, as the connector handed it over."""
    return records.Raw(stream=row.stream, source_id=row.source_id, body=row.body, digest=row.digest)


def observation(row: Raw, meaning: Meaning) -> Observation:
    """A stored observation of balances, with its meaning."""
    return Observation(
        raw_id=row.pk,
        scope=scope_of(row.source_id),
        at=seen_first(row.source_id),
        until=row.seen_at,
        balances=meaning.balances,
    )


def first(connection: Connection, reader: Reader) -> list[Observation]:
    """The first observation of each scope of the balances, with what it says."""
    rows = Raw.objects.of(connection).filter(stream=BALANCES)
    heads: dict[str, int] = {}
    for pk, source_id in rows.order_by("received_at", "pk").values_list("pk", "source_id"):
        heads.setdefault(scope_of(source_id), pk)
    return [observation(row, reader.read(as_said(row))) for row in rows.filter(pk__in=heads.values())]


def references(connection: Connection) -> list[records.Raw]:
    """All reference lists of a connection in the order of arrival."""
    return [as_said(row) for row in Raw.objects.of(connection).filter(stream=REFERENCE).in_order()]


def _end_others(coverage: Coverage, scope: str) -> None:
    if coverage.stream == BALANCES:
        for other in [one for one in coverage.latest if (one == EVERYTHING) != (scope == EVERYTHING)]:
            del coverage.latest[other]
