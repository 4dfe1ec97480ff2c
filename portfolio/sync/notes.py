"""What a turn has to write down that nobody misses when it is lost: how far lists were read, what was seen again.

Kept in memory and written with the next rows, every few seconds, or when the turn ends; so a turn that finds nothing
new writes once. A kill in between only means that the same is read again: a cursor may be late, never early.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import models

from portfolio.models import BalanceSnapshot, Coverage, Raw, StreamRun

READ = (
    *("cursor", "spans", "latest", "open_rows", "not_offered", "full_began_at", "read_at"),
    "complete_at",
)
"""What a turn says of a list; what its owner wishes of it (`again_at`) is not the turn's to write."""
PROGRESS = (
    "state",
    "pages",
    "sent",
    "new",
    "changed",
    "quarantined",
    "reached",
    "error_code",
    "error",
    "advice",
)
Row = TypeVar("Row", bound=models.Model)


class Notes:
    """The notes of one turn."""

    def __init__(self) -> None:
        """There is nothing to write down yet."""
        self._read: dict[str, Coverage] = {}
        self._progress: dict[str, StreamRun] = {}
        self._raws: dict[int, Raw] = {}
        self._balances: dict[int, BalanceSnapshot] = {}

    def read(self, row: Coverage) -> None:
        """A list was read further."""
        self._read[row.stream] = row

    def progress(self, row: StreamRun) -> None:
        """The run came further."""
        self._progress[row.stream] = row

    def seen(self, raws: Iterable[Raw], balances: Iterable[BalanceSnapshot] = ()) -> None:
        """Stored observations were confirmed: `seen_at` and `last_seen` say when."""
        self._raws |= {row.pk: row for row in raws}
        self._balances |= {row.pk: row for row in balances}

    def write(self) -> None:
        """To be called inside a transaction in which the lease was shown alive: a few statements for all there is."""
        _put(Coverage.objects.all(), self._read.values(), "connection", READ)
        _put(StreamRun.objects.all(), self._progress.values(), "run", PROGRESS)
        for at, keys in _by_time((row.seen_at, row.pk) for row in self._raws.values()):
            Raw.objects.filter(pk__in=keys).update(seen_at=at)
        for at, keys in _by_time((row.last_seen, row.pk) for row in self._balances.values()):
            BalanceSnapshot.objects.filter(pk__in=keys).update(last_seen=at)
        for written in (self._read, self._progress, self._raws, self._balances):
            written.clear()


def _put(into: models.QuerySet[Row], rows: Iterable[Row], owner: str, update: Sequence[str]) -> None:
    """Insert or update, whichever it is, in one statement: by owner and stream, so without their keys."""
    names = (f"{owner}_id", "stream", *update)
    copies = [into.model(**{name: getattr(row, name) for name in names}) for row in rows]
    if copies:
        unique = (owner, "stream")
        into.bulk_create(copies, update_conflicts=True, unique_fields=unique, update_fields=update)


def _by_time(rows: Iterable[tuple[datetime, int]]) -> Iterable[tuple[datetime, list[int]]]:
    found: dict[datetime, list[int]] = {}
    for at, pk in rows:
        found.setdefault(at, []).append(pk)
    return found.items()
