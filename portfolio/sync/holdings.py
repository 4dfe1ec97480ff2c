"""What is held, and lists that are looked up, as a turn sees them: kept where they say something new, else seen again.

What is said of balances goes on to the chain of snapshots. Decides nothing about transactions: the store does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from accounts.models import Connection
from exchanges import records
from exchanges.records import Meaning
from portfolio.models import BalanceSnapshot, Coverage, Run
from portfolio.sync import balances, observations
from portfolio.sync.heard import Count, Heard, Seen, refused
from portfolio.sync.notes import Notes
from portfolio.sync.reading import BALANCES, REFERENCE, Reader


class Holdings:
    """The observations of one connection during one run."""

    def __init__(self, connection: Connection, run: Run, reader: Reader, notes: Notes) -> None:
        """Nothing was seen yet."""
        self._connection = connection
        self._run = run
        self._reader = reader
        self._notes = notes
        self._chain: balances.Chain | None = None

    def look(self, coverage: Coverage, raws: Sequence[records.Raw], at: datetime, heard: Heard) -> Seen:
        """Observations, those that can be read, held against those that are stored; nothing is written."""
        readable: list[records.Raw] = []
        meanings: list[Meaning] = []
        for raw in raws:
            try:
                meanings.append(self._reader.read(raw))
                readable.append(raw)
            except ValueError as error:
                heard.refused.append(refused(raw, str(error)))
        looked = observations.look(coverage, readable, at, self._run)
        seen = Seen(looked=looked, meanings=meanings)
        if not looked.is_news:
            self._see(coverage.stream, seen)
        return seen

    def keep(self, coverage: Coverage, seen: Seen, count: Count) -> Sequence[BalanceSnapshot]:
        """Store what changed, inside a transaction; returns the snapshots that were added."""
        stream, looks = coverage.stream, seen.looked.looks
        if seen.looked.is_news:
            observations.keep(coverage, seen.looked)
            self._see(stream, seen)
        count.new += sum(look.is_new for look in looks)
        count.changed += sum(look.has_changed for look in looks)
        if stream == REFERENCE:
            self._reader.learn(look.said for look in looks if look.is_news)
        self._notes.read(coverage)
        return balances.add(self._chain) if stream == BALANCES and self._chain is not None else ()

    def first(self) -> list[balances.Observation]:
        """The first observation of each scope of the balances."""
        return observations.first(self._connection, self._reader)

    def settle(
        self, assets: Iterable[str], first: Sequence[balances.Observation]
    ) -> Sequence[BalanceSnapshot]:
        """Let assets be zero from the first observation that does not name them, inside a transaction."""
        self._chain = None
        return balances.settle(self._connection, assets, first)

    def _see(self, stream: str, seen: Seen) -> None:
        """Note what was seen again; balances go on to the chain of snapshots."""
        looks = seen.looked.looks
        self._notes.seen(look.row for look in looks if not look.is_news)
        if stream != BALANCES:
            return
        self._chain = self._chain or balances.Chain(balances.newest_of(self._connection))
        for look, meaning in zip(looks, seen.meanings, strict=True):
            self._chain.take(self._connection, observations.observation(look.row, meaning))
        self._notes.seen((), [row for row in self._chain.confirmed if row.pk])
        self._chain.confirmed.clear()
