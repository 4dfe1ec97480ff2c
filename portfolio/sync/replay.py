"""Writes the ledger, the balances and the open rows of a connection from its raw records, as a sync would have.

To be called where the tables know nothing of the connection yet, with its coverage but for what is derived. Memory
holds the numbers of the records and what is open, no bodies.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Connection
from exchanges.connect import normaliser
from exchanges.records import Meaning
from portfolio.models import BalanceSnapshot, Coverage, Posting, Raw, Run, RunState
from portfolio.models.chunks import ROWS
from portfolio.sync import balances, ledger, observations
from portfolio.sync.account import FIRST_LOOK
from portfolio.sync.balances import Observation
from portfolio.sync.reading import BALANCES, EVERYTHING, OBSERVED, Reader, scope_of

Looked = Mapping[tuple[str, datetime], datetime]
"""Assets that were nothing when balances were first read, and from when to when that stood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A stored record that this version cannot read."""

    stream: str
    source_id: str
    reason: str


def looked(connection: Connection) -> Looked:
    """The first snapshot of each asset that began with nothing."""
    begun: set[str] = set()
    found: dict[tuple[str, datetime], datetime] = {}
    rows = BalanceSnapshot.objects.of(connection).order_by("asset", "first_seen")
    for asset, total, first, last in rows.values_list("asset", "total", "first_seen", "last_seen").iterator():
        if asset not in begun and not total:
            found[asset, first] = last
        begun.add(asset)
    return found


def replay(connection: Connection, alive: Callable[[], None], known: Looked) -> list[Unreadable]:
    """Write all of it; `alive` keeps the lease, `known` is what stands. Returns what could not be read."""
    return _Replay(connection, alive, known).run()


class _Replay:
    """One replay; used once."""

    def __init__(self, connection: Connection, alive: Callable[[], None], known: Looked) -> None:
        self._connection = connection
        self._alive = alive
        self._known = known
        self._reader = Reader(normaliser(connection.exchange), observations.references(connection))
        self._once_open: dict[str, set[str]] = defaultdict(set)
        self._unread: list[Unreadable] = []

    def run(self) -> list[Unreadable]:
        self._ledger()
        self._snapshots()
        self._coverage()
        return self._unread

    def _ledger(self) -> None:
        raws = Raw.objects.of(self._connection).exclude(stream__in=OBSERVED)
        for rows in self._pieces(raws):
            told: list[ledger.Told] = []
            for row, meaning in self._read(rows):
                self._once_open[row.stream].update(meaning.open_until)
                told += [
                    ledger.Told(
                        entry=entry, raw_id=row.pk, current_at=row.current_at, received_at=row.received_at
                    )
                    for entry in meaning.entries
                ]
            with transaction.atomic():
                ledger.write(self._connection, told, ledger.Touched())

    def _snapshots(self) -> None:
        silent: dict[int, set[str]] = defaultdict(set)
        for asset, seen in self._silent():
            silent[seen.raw_id].add(asset)
        chain = balances.Chain()
        for seen in self._observed():
            chain.take(self._connection, seen)
            for asset in silent[seen.raw_id] - chain.newest.keys():
                chain.begin(self._zero(asset, seen))
        with transaction.atomic():
            BalanceSnapshot.objects.bulk_create(chain.added, batch_size=ROWS)

    def _silent(self) -> list[tuple[str, Observation]]:
        """Assets of the ledger that were nothing when balances were first read, each with what shows it."""
        first: dict[str, Observation] = {}
        earliest: dict[str, datetime] = {}
        for seen in self._observed():
            first.setdefault(seen.scope, seen)
            for balance in seen.balances:
                if balance.total or balance.available or balance.pending:
                    earliest.setdefault(balance.asset, seen.at)
        assets = set(Posting.objects.of(self._connection).values_list("asset", flat=True).distinct())
        silences = balances.first_silences(assets, list(first.values()), earliest)
        return [(asset, seen) for asset, seen in silences if self._is_written(asset, seen, earliest)]

    def _is_written(self, asset: str, seen: Observation, earliest: Mapping[str, datetime]) -> bool:
        """Whether a sync has written that zero down: at the end of a run, and within the first look only by chance."""
        if (asset, seen.at) in self._known:
            return True
        soon = min(earliest.values(), default=seen.at) + FIRST_LOOK
        if asset in earliest and earliest[asset] < soon:
            return False
        last = Run.objects.of(self._connection).order_by("-pk").first()
        return last is None or last.state in (RunState.OK, RunState.PARTIAL)

    def _zero(self, asset: str, seen: Observation) -> BalanceSnapshot:
        """Where an exchange is asked for one balance at a time, the zero was confirmed by answers for others too."""
        until = None if seen.scope == EVERYTHING else self._known.get((asset, seen.at))
        return balances.snapshot(self._connection, seen, balances.zero(asset), until)

    def _observed(self) -> Iterator[Observation]:
        """All observations of balances that can be read, in the order in which they were made."""
        for rows in self._pieces(Raw.objects.of(self._connection).filter(stream=BALANCES)):
            for row in rows:
                try:
                    yield observations.observation(row, self._reader.read(observations.as_said(row)))
                except ValueError:
                    continue

    def _coverage(self) -> None:
        """Open rows and the newest observations, which follow from the records; the rest stays as it is."""
        opened = {stream: self._still_open(stream, ids) for stream, ids in self._once_open.items() if ids}
        latest = self._latest()
        standing = {row.stream: row for row in Coverage.objects.of(self._connection)}
        for stream in sorted({*standing, *latest, *(one for one, rows in opened.items() if rows)}):
            row = standing.get(stream) or Coverage(connection=self._connection, stream=stream)
            said = {"open_rows": opened.get(stream, {}), "latest": latest.get(stream, {})}
            if any(getattr(row, name) != value for name, value in said.items()) or not row.pk:
                row.open_rows, row.latest = said["open_rows"], said["latest"]
                row.save()

    def _still_open(self, stream: str, ids: set[str]) -> dict[str, Any]:
        """Those of the rows that were open once whose newest version still is; with the times of those."""
        found: dict[str, Any] = {}
        wanted = sorted(ids)
        for start in range(0, len(wanted), ROWS):
            self._alive()
            rows = Raw.objects.of(self._connection).filter(
                stream=stream, source_id__in=wanted[start : start + ROWS]
            )
            newest = {row.source_id: row for row in rows.in_order()}
            for row, meaning in self._read(list(newest.values())):
                at = min((entry.occurred_at for entry in meaning.entries), default=row.received_at)
                found |= {source_id: at.isoformat() for source_id in meaning.open_until}
        return found

    def _latest(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        rows = Raw.objects.of(self._connection).filter(stream__in=OBSERVED).order_by("pk")
        for pk, stream, source_id in rows.values_list("pk", "stream", "source_id").iterator():
            observations.end_others(stream, found[stream], scope_of(source_id))
            found[stream][scope_of(source_id)] = pk
        return found

    def _read(self, rows: list[Raw]) -> Iterator[tuple[Raw, Meaning]]:
        for row in rows:
            try:
                yield row, self._reader.read(observations.as_said(row))
            except ValueError as error:
                self._unread.append(Unreadable(stream=row.stream, source_id=row.source_id, reason=str(error)))

    def _pieces(self, raws: Any) -> Iterator[list[Raw]]:
        """Some at a time, in the order of arrival; found by number, so that each is looked for once."""
        pks = array("q", raws.order_by("pk").values_list("pk", flat=True).iterator())
        for start in range(0, len(pks), ROWS):
            self._alive()
            yield list(Raw.objects.filter(pk__in=pks[start : start + ROWS]).order_by("pk"))
