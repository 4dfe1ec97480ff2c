"""Keeps one page of what an exchange said: raw records, their meaning, and the cursor, together or not at all.

A page longer than a chunk (SQLite) is written in several transactions; the cursor moves with the last one, so that
a kill in between only means that the page is read again. Every transaction first proves that the lease is still
ours, and holds its row: two writers never interleave. So what is stored can be looked at before the transaction,
and a page that brings nothing new needs none: how far it was read is noted, and written a little later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

from django.db import connection as database
from django.db import transaction

from accounts.models import Connection
from exchanges import records
from exchanges.connector import Clock, OpenRow, Page
from exchanges.records import Unreadable
from portfolio.models import BalanceSnapshot, Coverage, Quarantine, Raw, Run, StreamRun
from portfolio.sync import ledger
from portfolio.sync.account import Account
from portfolio.sync.heard import Arrival, Count, Heard, chunked, refused
from portfolio.sync.hold import BEAT, Hold
from portfolio.sync.holdings import Holdings
from portfolio.sync.notes import Notes
from portfolio.sync.observations import TICK, raw_row, unread_row
from portfolio.sync.reading import OBSERVED, Reader
from portfolio.sync.spans import merged

PAUSE = 0.02
"""Seconds between two chunks on SQLite, in which others may write."""
SKEW_SEEN, SKEW_BELIEVED = 2.0, 86_400.0
"""A `Date` counts whole seconds; and none may push us into another day."""


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
        notes: Notes,
    ) -> None:
        """`skew` is what the connector last saw: the exchange's clock minus ours, in seconds."""
        self.connection = connection
        self.run = run
        self.notes = notes
        self.touched = ledger.Touched()
        self.account = Account(connection, lambda: self._changes)
        self._changes = 0
        self._marked: date | None = None
        self._reader = reader
        self._hold = hold
        self._clock = clock
        self._skew = skew
        self._holdings = Holdings(connection, run, reader, notes)
        self._coverage = {row.stream: row for row in Coverage.objects.of(connection)}
        self._written_at = clock.monotonic()

    def coverage(self, stream: str) -> Coverage:
        """From where a stream is read; an unsaved row where nothing was read yet."""
        if stream not in self._coverage:
            self._coverage[stream] = Coverage(connection=self.connection, stream=stream)
        return self._coverage[stream]

    def begin(self, stream: str) -> Coverage:
        """The same, noted: that a list was begun and not read to its end must be known to proofs."""
        row = self.coverage(stream)
        if not row.pk:
            self.notes.read(row)
        return row

    def exchange_now(self) -> datetime:
        """The time by the exchange's clock; ours where the two agree, or where the difference is absurd."""
        skew = self._skew() or 0.0
        return self._clock.now() + timedelta(seconds=skew if SKEW_SEEN <= abs(skew) <= SKEW_BELIEVED else 0.0)

    def put(self, page: Page, progress: StreamRun, *, full_began: bool = False) -> Count:
        """Keep a page; with it move the cursor and count it in `progress`."""
        count = Count(sent=max(page.sent, len(page.raws) + len(page.unreadable)))
        chunks = list(chunked(page.raws))
        for number, raws in enumerate(chunks, start=1):
            is_last = number == len(chunks)
            heard = self._heard(raws, count)
            heard.refused += page.unreadable if is_last else ()
            if heard.is_news:
                with transaction.atomic():
                    self._hold.keep()
                    self._write(heard, count)
                    if is_last:
                        self._move(page, progress, count, full_began=full_began)
                    self.write_notes()
                if not is_last and database.vendor == "sqlite":
                    self._clock.sleep(PAUSE)
            elif is_last:
                self._move(page, progress, count, full_began=full_began)
                self.write_soon()
        return count

    def finish(self, stream: str, complete_at: datetime) -> None:
        """Note that a stream was read to its end: nothing older than `complete_at` is missing."""
        row = self.coverage(stream)
        row.complete_at = row.read_at = complete_at
        self.notes.read(row)
        self.write_soon()

    def write_notes(self) -> None:
        """Write down what was noted; inside a transaction in which the lease was shown alive."""
        self.notes.write()
        self._written_at = self._clock.monotonic()

    def write_soon(self) -> None:
        """Write the notes down where that was not done for a while, so that pages can show how far a run has come."""
        if self._clock.monotonic() - self._written_at >= BEAT:
            self.write_now()

    def write_now(self) -> None:
        """Write the notes down."""
        with transaction.atomic():
            self._hold.keep()
            self.write_notes()

    def keep_again(self, stream: str, raws: Sequence[records.Raw]) -> None:
        """Keep rows of a ledger that were in quarantine; cursor and coverage stay as they are."""
        count = Count()
        arrivals = list(self._arrivals(stream, raws, count))
        with transaction.atomic():
            self._hold.keep()
            self._keep(stream, arrivals, count)
            self._mark_figures()
            self.write_notes()

    def settle(self) -> None:
        """Let assets that only the ledger knows be zero since the first observation."""
        assets = self.account.unsettled()
        first = self._holdings.first() if assets else []
        if first:
            with transaction.atomic():
                self._hold.keep()
                self.write_notes()
                self._note(self._holdings.settle(assets, first))
                self._mark_figures()

    def open_rows(self, stream: str) -> tuple[OpenRow, ...]:
        """Rows of a stream that must be read again until they are final."""
        rows = {row.source_id: row for row in self.account.pending(stream)}
        for source_id, at in self.coverage(stream).open_rows.items():
            rows.setdefault(
                source_id, OpenRow(source_id=source_id, occurred_at=datetime.fromisoformat(str(at)))
            )
        return tuple(rows.values())

    def _heard(self, raws: Sequence[records.Raw], count: Count) -> Heard:
        """What records are, held against what is stored; nothing is written."""
        heard = Heard()
        for stream in dict.fromkeys(raw.stream for raw in raws):
            told = [raw for raw in raws if raw.stream == stream]
            if stream in OBSERVED:
                coverage, at = self.coverage(stream), self.exchange_now()
                heard.seen[stream] = self._holdings.look(coverage, told, at, heard)
            elif arrivals := list(self._arrivals(stream, told, count)):
                heard.arrivals[stream] = arrivals
        return heard

    def _write(self, heard: Heard, count: Count) -> None:
        for stream, seen in heard.seen.items():
            self._note(self._holdings.keep(self.coverage(stream), seen, count))
        for stream, arrivals in heard.arrivals.items():
            self._keep(stream, arrivals, count)
        self._quarantine(heard.refused, count)
        self._mark_figures()

    def _keep(self, stream: str, arrived: Sequence[Arrival], count: Count) -> None:
        """Rows of a ledger: each version once, and what the new ones mean."""
        arrivals: list[Arrival] = []
        for arrival in arrived:
            try:
                arrival.meaning = self._reader.read(arrival.said)
                arrivals.append(arrival)
            except ValueError as error:
                self._quarantine([refused(arrival.said, str(error))], count)
        if not arrivals:
            return
        self._changes += 1
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

    def _arrivals(self, stream: str, raws: Sequence[records.Raw], count: Count) -> Iterator[Arrival]:
        """The rows that are not already the newest version of their id, in the order in which they were sent."""
        now = self._clock.now()
        rows = Raw.objects.of(self.connection).filter(
            stream=stream, source_id__in={raw.source_id for raw in raws}
        )
        known: dict[str, dict[str, Raw]] = defaultdict(dict)
        for row in rows.only("pk", "source_id", "digest", "received_at", "current_at"):
            known[row.source_id][row.digest] = row
        arrived: dict[tuple[str, str], Arrival] = {}
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
            arrived[raw.source_id, raw.digest] = Arrival(said=raw, row=row)
        yield from arrived.values()

    def _mark_open(self, stream: str, arrivals: Sequence[Arrival]) -> None:
        coverage = self.coverage(stream)
        before = dict(coverage.open_rows)
        for one in arrivals:
            coverage.open_rows.pop(one.said.source_id, None)
            at = min((entry.occurred_at for entry in one.meaning.entries), default=one.row.received_at)
            coverage.open_rows |= {source_id: at.isoformat() for source_id in one.meaning.open_until}
        if coverage.open_rows != before:
            self.notes.read(coverage)

    def _note(self, added: Sequence[BalanceSnapshot]) -> None:
        self._changes += bool(added)
        for row in added:
            self.touched.since = min(self.touched.since or row.first_seen, row.first_seen)

    def _quarantine(self, rows: Sequence[Unreadable], count: Count) -> None:
        """Rows that could not be read, each once; the reason of the first time stands."""
        count.quarantined += len(rows)
        if rows:
            now = self._clock.now()
            Quarantine.objects.bulk_create(
                [unread_row(row, self.run, now) for row in rows], ignore_conflicts=True
            )

    def _mark_figures(self) -> None:
        """With what changed, note from which day on proofs and figures must be told again."""
        since = self.touched.since
        if since is None or (self._marked is not None and self._marked <= since.date()):
            return
        self._marked = since.date()
        Connection.objects.filter(pk=self.connection.pk).fall_behind(self._marked)

    def _move(self, page: Page, progress: StreamRun, count: Count, *, full_began: bool) -> None:
        """The cursor, which spans are now completely read, and how far the run has come."""
        row = self.coverage(page.stream)
        row.cursor = dict(page.cursor)
        row.spans = merged(row.spans, page.covered)
        row.not_offered = page.not_offered
        row.read_at = self.exchange_now()
        if full_began:
            row.full_began_at = self._clock.now()
        self.notes.read(row)
        progress.pages += 1
        progress.sent += count.sent
        progress.new += count.new
        progress.changed += count.changed
        progress.quarantined += count.quarantined
        starts = [span.start for span in page.covered]
        if starts:
            progress.reached = min([*starts, *([progress.reached] if progress.reached else [])])
        self.notes.progress(progress)
