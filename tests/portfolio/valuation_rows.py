"""Short ways to write balances and ledger rows down in tests of values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from accounts.models import Connection
from exchanges.records import Kind, Role, Status
from portfolio.models import BalanceSnapshot, Coverage, Posting, Raw, Transaction

_ids = count(1)


def at(day: str, hour: int = 12, minute: int = 0) -> datetime:
    """A moment of "2026-03-01"."""
    return datetime.fromisoformat(day).replace(hour=hour, minute=minute, tzinfo=UTC)


def make_raw(connection: Connection, stream: str = "balances") -> Raw:
    """Some record."""
    name = f"r{next(_ids)}"
    return Raw.objects.create(connection=connection, stream=stream, source_id=name, digest=name, body="{}")


def make_balance(
    connection: Connection,
    asset: str,
    total: str,
    *,
    seen: datetime,
    until: datetime | None = None,
    available: str | None = None,
    pending: str = "0",
) -> BalanceSnapshot:
    """A balance seen from `seen` until `until`; older ones of the asset stop being the newest."""
    older = BalanceSnapshot.objects.of(connection).filter(asset=asset, first_seen__lt=seen)
    older.update(newest=False)
    return BalanceSnapshot.objects.create(
        connection=connection,
        raw=make_raw(connection),
        asset=asset,
        total=Decimal(total),
        available=Decimal(available if available is not None else total),
        pending=Decimal(pending),
        first_seen=seen,
        last_seen=until or seen,
    )


def make_entry(
    connection: Connection,
    kind: Kind,
    when: datetime,
    *amounts: str,
    status: Status = Status.COMPLETED,
) -> Transaction:
    """A transaction with postings like "1 BTC" or "-0.1 BTC fee"."""
    raw = make_raw(connection, "ledger")
    entry = Transaction.objects.create(
        connection=connection,
        raw=raw,
        stream="ledger",
        external_id=raw.source_id,
        kind=kind,
        status=status,
        occurred_at=when,
        assets=f" {' '.join({words.split()[1]: None for words in amounts})} ",
    )
    for words in amounts:
        amount, asset, *role = words.split()
        Posting.objects.create(
            transaction=entry,
            connection=connection,
            asset=asset,
            amount=Decimal(amount),
            role=Role(role[0]) if role else Role.PRINCIPAL,
            kind=kind,
            occurred_at=when,
            counts=status is Status.COMPLETED,
        )
    return entry


def make_complete(connection: Connection, when: datetime) -> None:
    """Note that the ledger has been read to its beginning."""
    Coverage.objects.create(
        connection=connection, stream="ledger", read_at=when, complete_at=when - timedelta(seconds=1)
    )
