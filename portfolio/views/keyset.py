"""Pages of the ledger by place instead of by number: no COUNT, no OFFSET, one index range per connection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db.models import Q, prefetch_related_objects

from accounts.models import Connection
from portfolio.models import Transaction
from portfolio.models.ledger import TransactionQuerySet

PLACE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z)_(\d{1,18})", re.ASCII)
ARMS = 100
"""How many connections one statement asks at once; databases limit the arms of a union."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page ends: the next one begins just before it."""

    at: datetime
    pk: int

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The place that an address names; None for anything else."""
        match = PLACE.fullmatch(text[:80])
        if match is None:
            return None
        try:
            return cls(at=datetime.fromisoformat(match[1]), pk=int(match[2]))
        except ValueError:
            return None

    @classmethod
    def of(cls, row: Transaction) -> Self:
        """The place of a row."""
        return cls(at=row.occurred_at, pk=row.pk)

    def __str__(self) -> str:
        return f"{self.at.strftime('%Y-%m-%dT%H:%M:%S.%f')}Z_{self.pk}"


def read_moment(text: str) -> datetime | None:
    """The moment that an address names, where a moment alone is a place; None for anything else."""
    try:
        found = datetime.fromisoformat(text[:40].replace(" ", "+"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def newest(
    queries: Sequence[TransactionQuerySet],
    count: int,
    before: Place | None = None,
    *,
    connections: Iterable[Connection] = (),
) -> list[Transaction]:
    """The newest `count` rows of all queries, each of which is about one connection, with what a row shows.

    1. each connection's newest rows, by its own index, the newest among them; 2. their postings; 3. their
    connections, unless they are handed in.
    """
    if len(queries) == 1:
        rows = list(_behind(queries[0], before).newest_first()[:count])
        return _with_parts(rows, connections)
    arms = [
        Transaction.objects.filter(
            pk__in=_behind(query, before).newest_first().values("pk")[:count]
        ).order_by()
        for query in queries
    ]
    found: list[Transaction] = []
    for start in range(0, len(arms), ARMS):
        first, *others = arms[start : start + ARMS]
        union = first.union(*others, all=True) if others else first
        found += union.order_by("-occurred_at", "-pk")[:count]
    rows = sorted(found, key=lambda row: (row.occurred_at, row.pk), reverse=True)[:count]
    return _with_parts(rows, connections)


def _with_parts(rows: list[Transaction], connections: Iterable[Connection]) -> list[Transaction]:
    known = {connection.pk: connection for connection in connections}
    for row in rows:
        if row.connection_id in known:
            row.connection = known[row.connection_id]
    prefetch_related_objects(rows, "connection", "postings")
    return rows


def _behind(query: TransactionQuerySet, before: Place | None) -> TransactionQuerySet:
    if before is None:
        return query
    older = Q(occurred_at__lt=before.at) | Q(occurred_at=before.at, pk__lt=before.pk)
    return query.filter(older, occurred_at__lte=before.at)
