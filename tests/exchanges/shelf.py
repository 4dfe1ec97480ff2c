"""A store in memory, small enough to be seen through: what a connector sends, kept as the product keeps it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Context, Decimal
from itertools import islice

from exchanges.connector import Connector, Cursor, Normaliser, OpenRow, Page, Progress
from exchanges.records import Entry, Meaning, Raw, Status, Unreadable

EXACT = Context(prec=60)
Moves = dict[str, dict[str, Decimal]]


class Killed(Exception):
    """The process died before the next page was stored."""


def add(total: Decimal, amount: Decimal) -> Decimal:
    """Without rounding."""
    return EXACT.add(total, amount)


@dataclass
class Shelf:
    """Everything that is known of one account."""

    normalise: Normaliser
    raws: dict[tuple[str, str, str], Raw] = field(default_factory=dict)
    quarantine: list[Unreadable] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    not_offered: set[str] = field(default_factory=set)
    held: dict[str, Decimal] = field(default_factory=dict)
    entries: dict[tuple[str, str, str], Entry] = field(default_factory=dict)
    waiting: dict[tuple[str, str], OpenRow] = field(default_factory=dict)
    reference: dict[str, Raw] = field(default_factory=dict)
    pages: int = 0

    def progress(self, stream: str, *, full: bool = False) -> Progress:
        """From where the stream is read on."""
        times = [e.occurred_at for e in self.entries.values() if e.stream == "wallet_history"]
        assets = {p.asset for e in self.entries.values() for p in e.postings} | set(self.held)
        return Progress(
            cursor=self.cursors.get(stream, {}),
            open_rows=tuple(row for (of, _), row in self.waiting.items() if of == stream),
            full=full,
            since=min(times, default=None),
            assets=frozenset(assets),
        )

    def sync(self, connector: Connector, *, full: bool = False, die_after: int | None = None) -> int:
        """Balances, then every stream, page by page; returns the number of pages; dies where it is told to."""
        before = self.pages
        for page in islice(self._pages(connector, full), die_after):
            self.store(page)
        if die_after is not None and self.pages - before == die_after:
            raise Killed
        return self.pages - before

    def _pages(self, connector: Connector, full: bool) -> Iterator[Page]:
        yield from connector.balances(self.progress("balances"))
        for stream in connector.streams:
            yield from connector.read(stream, self.progress(stream, full=full))

    def store(self, page: Page) -> None:
        """One page with its cursor, at once."""
        self.pages += 1
        assert len(page.raws) <= page.sent or page.stream == "trades"
        self.cursors[page.stream] = page.cursor
        if page.not_offered:
            self.not_offered.add(page.stream)
        self.quarantine += page.unreadable
        if page.stream == "balances" and page.complete:
            self.held.clear()
        for raw in page.raws:
            self.raws[raw.stream, raw.source_id, raw.digest] = raw
            self._post(raw)

    def _post(self, raw: Raw) -> None:
        if raw.stream == "reference":
            self.reference[raw.source_id] = raw
        try:
            meaning: Meaning = self.normalise(raw, tuple(self.reference.values()))
        except ValueError as error:
            self.reasons.append(str(error))
            return
        for balance in meaning.balances:
            self.held[balance.asset] = balance.total
        for entry in meaning.entries:
            self._keep(entry)
        self.waiting.pop((raw.stream, raw.source_id), None)
        for source_id in meaning.open_until:
            when = meaning.entries[0].occurred_at if meaning.entries else None
            if when:
                self.waiting[raw.stream, source_id] = OpenRow(source_id=source_id, occurred_at=when)

    def _keep(self, entry: Entry) -> None:
        key = (entry.stream, entry.external_id, entry.leg)
        known = self.entries.get(key)
        if known is None or (entry.rank, entry.is_final) >= (known.rank, known.is_final):
            self.entries[key] = entry

    def moves(self) -> Moves:
        """What each completed transaction did to each asset, by the exchange's own id."""
        moves: Moves = defaultdict(dict)
        for entry in self.entries.values():
            if entry.status is Status.COMPLETED:
                changes = moves[entry.external_id]
                for posting in entry.postings:
                    changes[posting.asset] = add(changes.get(posting.asset, Decimal(0)), posting.amount)
        return without_zeros(moves)

    def ids(self) -> set[str]:
        """Of every transaction known, whatever became of it."""
        return {entry.external_id for entry in self.entries.values()}


def without_zeros(moves: Moves) -> Moves:
    """Comparable: an asset that did not move is not named."""
    return {name: {a: x for a, x in changes.items() if x} for name, changes in moves.items()}
