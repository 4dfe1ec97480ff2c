"""What is known of an account while its streams are read: since when, with which assets, which rows are open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Min

from accounts.models import Connection
from exchanges.connector import OpenRow
from portfolio.models import BalanceSnapshot, Posting, Transaction

FIRST_LOOK = timedelta(minutes=1)
"""The first reading of balances may take several calls; what it names is seen within this."""


class Account:
    """One account; what is stored of it is asked again only after rows were written."""

    def __init__(self, connection: Connection, changes: Callable[[], int]) -> None:
        """`changes` counts how often rows were written."""
        self._connection = connection
        self._changes = changes
        self._as_of = -1
        self._begins: datetime | None = None
        self._moved: set[str] = set()
        self._seen: dict[str, datetime] = {}
        self._open: list[tuple[str, str, datetime]] = []

    @property
    def begins(self) -> datetime | None:
        """The time of its oldest known row."""
        self._look()
        return self._begins

    @property
    def assets(self) -> frozenset[str]:
        """All that it is known to have held or moved."""
        self._look()
        return frozenset(self._moved | self._seen.keys())

    def pending(self, stream: str) -> tuple[OpenRow, ...]:
        """Rows of a stream that the exchange may still change."""
        self._look()
        return tuple(
            OpenRow(source_id=source_id, occurred_at=at)
            for name, source_id, at in self._open
            if name == stream
        )

    def unsettled(self) -> set[str]:
        """Assets of the ledger that may have been zero when balances were first read."""
        self._look()
        if not self._seen:
            return set(self._moved)
        soon = min(self._seen.values()) + FIRST_LOOK
        return {asset for asset in self._moved if asset not in self._seen or self._seen[asset] > soon}

    def _look(self) -> None:
        if self._as_of == self._changes():
            return
        self._as_of = self._changes()
        rows = Transaction.objects.of(self._connection)
        self._begins = rows.aggregate(at=Min("occurred_at"))["at"]
        self._open = list(rows.open().values_list("raw__stream", "raw__source_id", "occurred_at"))
        self._moved = Posting.objects.assets_of(self._connection)
        seen = BalanceSnapshot.objects.of(self._connection).values("asset").annotate(at=Min("first_seen"))
        self._seen = dict(seen.values_list("asset", "at"))
