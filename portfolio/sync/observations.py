"""Keeps observations (what is held, reference lists): one stored record per change, seen again otherwise.

The time of an observation is the exchange's and rises from one to the next, so that the chain of snapshots and the
ledger are told by one clock. An observation of everything ends those of single scopes, and the reverse: what is
stored last is what was said last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

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

    @property
    def is_news(self) -> bool:
        """Whether it says something that the one before did not."""
        return self.is_new or self.has_changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Observations held against those that are stored: what each is, and the newest of each scope from now on."""

    looks: tuple[Look, ...]
    newest: dict[str, Raw]

    @property
    def is_news(self) -> bool:
        """Whether anything is to be stored, or all was only seen again."""
        return any(look.is_news for look in self.looks)


def look(coverage: Coverage, raws: Sequence[records.Raw], now: datetime, run: Run) -> Looked:
    """Hold them against what is stored: a record that says the same is seen again. Writes nothing."""
    rows = Raw.objects.in_bulk(list(coverage.latest.values()))
    newest = {scope: rows[pk] for scope, pk in coverage.latest.items() if pk in rows}
    at = max([now, *(row.seen_at + TICK for row in rows.values())])
    looks: list[Look] = []
    for raw in raws:
        end_others(coverage.stream, newest, raw.source_id)
        row = newest.get(raw.source_id)
        if row is not None and row.digest == raw.digest:
            row.seen_at = at
            looks.append(Look(said=raw, row=row))
        else:
            newest[raw.source_id] = raw_row(raw, run, at, observation_id(raw.source_id, at))
            known = {"is_new": row is None, "has_changed": row is not None}
            looks.append(Look(said=raw, row=newest[raw.source_id], **known))
        at += TICK
    return Looked(looks=tuple(looks), newest=newest)


def keep(coverage: Coverage, looked: Looked) -> None:
    """Store what is new, inside a transaction; `coverage.latest` follows and is noted by the caller."""
    Raw.objects.bulk_create([one.row for one in looked.looks if one.is_news])
    coverage.latest = {scope: row.pk for scope, row in looked.newest.items()}


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


def unread_row(row: records.Unreadable, run: Run, at: datetime) -> Quarantine:
    """The row of a record that could not be read."""
    return Quarantine(
        connection_id=run.connection_id,
        stream=row.stream,
        source_id=row.source_id[:240],
        digest=row.digest,
        body=row.body,
        reason=row.reason[:400] or "not readable",
        received_at=at,
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


def end_others(stream: str, latest: dict[str, Any], scope: str) -> None:
    """Forget the newest observations that one of this scope ends: all of the other kind."""
    if stream == BALANCES:
        for other in [one for one in latest if (one == EVERYTHING) != (scope == EVERYTHING)]:
            del latest[other]
