"""How far the ledger of a connection has been read, as far as a proof must know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import Connection
from portfolio.models import Coverage

OBSERVED = ("balances", "reference")
CLOCKS_DIFFER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One ledger stream: complete up to a moment, and spans read apart from that."""

    complete_at: datetime | None
    spans: tuple[tuple[datetime, datetime], ...]

    def covers(self, start: datetime | None, end: datetime) -> bool:
        """Whether no row dated within the interval can be missing."""
        last = end - CLOCKS_DIFFER
        if self.complete_at is not None and self.complete_at >= last:
            return True
        return start is not None and any(a <= start and last <= b for a, b in self.spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """All ledger streams of a connection that the exchange offers."""

    streams: tuple[Stream, ...]
    begins_later: bool
    """Whether the ledger's beginning is an assumption: the exchange may not list what was before."""

    def all_cover(self, start: datetime | None, end: datetime) -> bool:
        """Whether every stream has been read here."""
        return bool(self.streams) and all(stream.covers(start, end) for stream in self.streams)

    def any_covers(self, start: datetime | None, end: datetime) -> bool:
        """Whether at least one stream has been read here."""
        return any(stream.covers(start, end) for stream in self.streams)


def read_of(connection: Connection) -> Read:
    """How far the ledger has been read; one query."""
    rows = [
        row for row in Coverage.objects.of(connection).exclude(stream__in=OBSERVED) if not row.not_offered
    ]
    return Read(
        streams=tuple(
            Stream(
                complete_at=row.complete_at,
                spans=tuple((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in row.spans),
            )
            for row in rows
        ),
        begins_later=any(row.cursor.get("assumed_beginning") for row in rows),
    )
