"""What is known of an account before its streams are read: since when, with which assets."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Min

from accounts.models import Connection
from portfolio.models import BalanceSnapshot, Posting, Transaction

FIRST_LOOK = timedelta(minutes=1)
"""The first reading of balances may take several calls; what it names is seen within this."""


def begins(connection: Connection) -> datetime | None:
    """The time of its oldest known row."""
    first: datetime | None = Transaction.objects.of(connection).aggregate(at=Min("occurred_at"))["at"]
    return first


def assets(connection: Connection) -> set[str]:
    """All that it is known to have held or moved."""
    snapshots = BalanceSnapshot.objects.of(connection).values_list("asset", flat=True).distinct()
    return _moved(connection) | set(snapshots)


def unsettled(connection: Connection) -> set[str]:
    """Assets of the ledger that may have been zero when balances were first read."""
    rows = BalanceSnapshot.objects.of(connection).values("asset").annotate(at=Min("first_seen"))
    known = dict(rows.values_list("asset", "at"))
    if not known:
        return _moved(connection)
    soon = min(known.values()) + FIRST_LOOK
    return {asset for asset in _moved(connection) if asset not in known or known[asset] > soon}


def _moved(connection: Connection) -> set[str]:
    return set(Posting.objects.of(connection).values_list("asset", flat=True).distinct())
