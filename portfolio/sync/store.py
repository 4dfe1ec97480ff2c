"""Keeps one page of what an exchange said: raw records, their meaning, and the cursor, together or not at all.

A page longer than a chunk (SQLite) is written in several transactions; the cursor moves with the last one, so that
a kill in between only means that the page is read again. Every transaction first proves that the lease is still
ours, and holds its row: two writers never interleave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import connection as database
from django.db import transaction
from django.db.models import DateField, F, Value
from django.db.models.functions import Coalesce, Least

from accounts.models import Connection
from exchanges import records
from exchanges.connector import Clock, OpenRow, Page
from exchanges.records import Meaning, Unreadable
from portfolio.models import BalanceSnapshot, Coverage, Quarantine, Raw, Run, StreamRun, Transaction
from portfolio.sync import balances, ledger, observations
from portfolio.sync.hold import Hold
from portfolio.sync.observations import TICK, raw_row
from portfolio.sync.reading import BALANCES, OBSERVED, REFERENCE, Reader
from portfolio.sync.spans import merged

CHUNK_SQLITE = 500
CHUNK = 5_000
PAUSE = 0.02
"""Seconds between two chunks on SQLite, in which others may write."""
SKEW_SEEN, SKEW_BELIEVED = 2.0, 86_400.0
"""A `Date` counts whole seconds; and none may push us into another day."""


@dataclass(slots=True, kw_only=True)
class Count:
    """What a page came to."""

    sent: int = 0
    new: int = 0
    changed: int = 0
    quarantined: int = 0


@dataclass(slots=True, kw_only=True)
class _Arrival:
    """A record that is new, or the newest version again."""

    said: records.Raw
    row: Raw
    meaning: Meaning = field(default_factory=Meaning)


class Store:
    """The store of one connection during one run."""

    def __init__(
        self,
        connection: Connection,
        run: Run,
        reader: Reader,
        hold: Hold,
        clock: Clock,
        skew: Callable[[], float | None],
    ) -> None:
        """`skew` is what the connector last saw: the exchange's clock minus ours, in seconds."""
        self.connection = connection
        self.run = run
        self.touched = ledger.Touched()
        self._marked: date | None = None
        self._reader = reader
        self._hold = hold
        self._clock = clock
        self._skew = skew
        self._coverage = {row.stream: row for row in Coverage.objects.of(connection)}

    def coverage(self, stream: str) -> Coverage:
        """From where a stream is read; an unsaved row where nothing was read yet."""
        if stream not in self._coverage:
            self._coverage[stream] = Coverage(connection=self.connection, stream=stream)
        return self._coverage[stream]

    def begin(self, stream: str) -> Coverage:
        """The same, stored: nobody else may have begun meanwhile, which only the lease can tell."""
        row = self.coverage(stream)
        if not row.pk:
            with transaction.atomic():
                self._hold.keep()
                row.save()
        return row

    def exchange_now(self) -> datetime:
        """The time by the exchange's clock; ours where the two agree, or where the difference is absurd."""
        skew = self._skew() or 0.0
        return self._clock.now() + timedelta(seconds=skew if SKEW_SEEN <= abs(skew) <= SKEW_BELIEVED else 0.0)

    def put(self, page: Page, progress: StreamRun, *, full_began: bool = False) -> Count:
        """Keep a page; with it move the cursor and count it in `progress`."""
        count = Count(sent=max(page.sent, len(page.raws) + len(page.unreadable)))
        chunks = list(_chunks(page.raws))
        for number, raws in enumerate(chunks, start=1):
            last = number == len(chunks)
            with transaction.atomic():
                self._hold.keep()
                for stream in dict.fromkeys(raw.stream for raw in raws):
                    told = [raw for raw in raws if raw.stream == stream]
                    if stream in OBSERVED:
                        self._observe(stream, told, count)
                    else:
                        self._keep(stream, told, count)
                self._mark_figures()
                if last:
                    self._quarantine(page.unreadable, count)
                    self._move(page, full_began=full_began)
                    self._count(page, progress, count)
            if not last and database.vendor == "sqlite":
                self._clock.sleep(PAUSE)
        return count

    def finish(self, stream: str, complete_at: datetime) -> None:
        """Note that a stream was read to its end: nothing older than `complete_at` is missing."""
        with transaction.atomic():
            self._hold.keep()
            row = self.coverage(stream)
            row.complete_at = row.read_at = complete_at
            row.save()

    def keep_again(self, stream: str, raws: Sequence[records.Raw]) -> None:
        """Keep rows of a ledger that were in quarantine; cursor and coverage stay as they are."""
        with transaction.atomic():
            self._hold.keep()
            self._keep(stream, raws, Count())
            self._mark_figures()

    def settle(self, assets: set[str]) -> None:
        """Let assets that only the ledger knows be zero since the first observation."""
        first = observations.first(self.connection, self._reader) if assets else []
        if first:
            with transaction.atomic():
                self._hold.keep()
                self._note(balances.settle(self.connection, assets, first))
                self._mark_figures()

    def open_rows(self, stream: str) -> tuple[OpenRow, ...]:
        """Rows of a stream that must be read again until they are final."""
        found = {
            source_id: datetime.fromisoformat(str(at))
            for source_id, at in self.coverage(stream).open_rows.items()
        }
        pending = Transaction.objects.of(self.connection).open().filter(raw__stream=stream)
        found |= dict(pending.values_list("raw__source_id", "occurred_at"))
        return tuple(OpenRow(source_id=source_id, occurred_at=at) for source_id, at in found.items())

    def _keep(self, stream: str, raws: Sequence[records.Raw], count: Count) -> None:
        """Rows of a ledger: each version once, and what the new ones mean."""
        arrivals: list[_Arrival] = []
        for arrival in self._arrivals(stream, raws, count):
            try:
                arrival.meaning = self._reader.read(arrival.said)
                arrivals.append(arrival)
            except ValueError as error:
                self._quarantine([_refused(arrival.said, str(error))], count)
        if not arrivals:
            return
        again = [one.row for one in arrivals if one.row.pk]
        Raw.objects.bulk_create([one.row for one in arrivals if not one.row.pk])
        if again:
            Raw.objects.bulk_update(again, ["current_at"])
        ids = {one.said.source_id for one in arrivals} - {""}
        Quarantine.objects.of(self.connection).filter(stream=stream, source_id__in=ids).delete()
        ledger.write(
            self.connection,
            (
                ledger.Told(
                    entry=entry,
                    raw_id=one.row.pk,
                    current_at=one.row.current_at,
                    received_at=one.row.received_at,
                )
                for one in arrivals
                for entry in one.meaning.entries
            ),
            self.touched,
        )
        self._mark_open(stream, arrivals)

    def _arrivals(self, stream: str, raws: Sequence[records.Raw], count: Count) -> Iterator[_Arrival]:
        """The rows that are not already the newest version of their id, in the order in which they were sent."""
        now = self._clock.now()
        rows = Raw.objects.of(self.connection).filter(
            stream=stream, source_id__in={raw.source_id for raw in raws}
        )
        known: dict[str, dict[str, Raw]] = defaultdict(dict)
        for row in rows.only("pk", "source_id", "digest", "received_at", "current_at"):
            known[row.source_id][row.digest] = row
        arrived: dict[tuple[str, str], _Arrival] = {}
        for raw in raws:
            versions = known[raw.source_id]
            newest = max(versions.values(), key=lambda row: (row.current_at, row.pk or 0), default=None)
            if newest is not None and newest.digest == raw.digest:
                continue
            at = now if newest is None else max(now, newest.current_at + TICK)
            count.new += newest is None
            count.changed += newest is not None
            row = versions.setdefault(raw.digest, raw_row(raw, self.run, at))
            row.current_at = at
            arrived.pop((raw.source_id, raw.digest), None)
            arrived[raw.source_id, raw.digest] = _Arrival(said=raw, row=row)
        yield from arrived.values()

    def _mark_open(self, stream: str, arrivals: Sequence[_Arrival]) -> None:
        coverage = self.coverage(stream)
        before = dict(coverage.open_rows)
        for one in arrivals:
            coverage.open_rows.pop(one.said.source_id, None)
            at = min((entry.occurred_at for entry in one.meaning.entries), default=one.row.received_at)
            coverage.open_rows |= {source_id: at.isoformat() for source_id in one.meaning.open_until}
        if coverage.open_rows != before:
            coverage.save()

    def _observe(self, stream: str, raws: Sequence[records.Raw], count: Count) -> None:
        """Observations: stored when they changed, else seen again; balances become snapshots."""
        readable: list[records.Raw] = []
        meanings: list[Meaning] = []
        for raw in raws:
            try:
                meanings.append(self._reader.read(raw))
                readable.append(raw)
            except ValueError as error:
                self._quarantine([_refused(raw, str(error))], count)
        coverage = self.coverage(stream)
        looks = observations.keep(coverage, readable, self.exchange_now(), self.run)
        count.new += sum(look.is_new for look in looks)
        count.changed += sum(look.has_changed for look in looks)
        if stream == REFERENCE:
            self._reader.learn(look.said for look in looks if look.is_new or look.has_changed)
        elif stream == BALANCES:
            pairs = zip(looks, meanings, strict=True)
            seen = [observations.observation(look.row, meaning) for look, meaning in pairs]
            self._note(balances.record(self.connection, seen))
        coverage.save()

    def _note(self, added: Sequence[BalanceSnapshot]) -> None:
        for row in added:
            self.touched.since = min(self.touched.since or row.first_seen, row.first_seen)

    def _quarantine(self, rows: Sequence[Unreadable], count: Count) -> None:
        """Rows that could not be read, each once; the reason of the first time stands."""
        count.quarantined += len(rows)
        if rows:
            Quarantine.objects.bulk_create(
                [
                    Quarantine(
                        connection=self.connection,
                        stream=row.stream,
                        source_id=row.source_id[:240],
                        digest=row.digest,
                        body=row.body,
                        reason=row.reason[:400] or "not readable",
                        received_at=self._clock.now(),
                        run=self.run,
                    )
                    for row in rows
                ],
                ignore_conflicts=True,
            )

    def _mark_figures(self) -> None:
        """With what changed, note from which day on proofs and figures must be told again."""
        since = self.touched.since
        if since is None or (self._marked is not None and self._marked <= since.date()):
            return
        self._marked = since.date()
        day = Value(self._marked, output_field=DateField())
        mine = Connection.objects.filter(pk=self.connection.pk)
        mine.update(
            figures_since=Least(Coalesce("figures_since", day), day),
            figures_mark=F("figures_mark") + 1,
        )

    def _move(self, page: Page, *, full_began: bool) -> None:
        """The cursor, and which spans are now completely read."""
        row = self.coverage(page.stream)
        row.cursor = dict(page.cursor)
        row.spans = merged(row.spans, page.covered)
        row.not_offered = page.not_offered
        row.read_at = self.exchange_now()
        if full_began:
            row.full_began_at = self._clock.now()
        row.save()

    def _count(self, page: Page, progress: StreamRun, count: Count) -> None:
        progress.pages += 1
        progress.sent += count.sent
        progress.new += count.new
        progress.changed += count.changed
        progress.quarantined += count.quarantined
        starts = [span.start for span in page.covered]
        if starts:
            progress.reached = min([*starts, *([progress.reached] if progress.reached else [])])
        progress.save()


def _refused(raw: records.Raw, reason: str) -> Unreadable:
    return Unreadable(
        stream=raw.stream, source_id=raw.source_id, body=raw.body, digest=raw.digest, reason=reason
    )


def _chunks(raws: Sequence[records.Raw]) -> Iterator[Sequence[records.Raw]]:
    size = CHUNK_SQLITE if database.vendor == "sqlite" else CHUNK
    if not raws:
        yield ()
    for start in range(0, len(raws), size):
        yield raws[start : start + size]
