"""Writes a user's own rows down as an account of its own: what was entered (raw), what it means, the balances that follow.

Nothing here is proved and nothing is asked: the user's word is all there is. Safe to run twice; only what differs is
written, and what was undone stays as a record that counts no more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from operator import itemgetter

from django.db import transaction
from django.db.models import F

from accounts.models import Connection
from exchanges.connector import Clock
from exchanges.records import Entry, Kind, Posting, Status
from portfolio.models import BalanceSnapshot, ManualEntry, ManualKind, Raw, Transaction
from portfolio.models import Posting as PostingRow
from portfolio.models.chunks import ROWS, delete, upsert
from portfolio.models.own_accounts import label_of, same
from portfolio.sync import owner as owners
from portfolio.sync.ledger import Key, Told, put

STREAM = "own"
KINDS: Mapping[str, Kind] = {
    ManualKind.BUY: Kind.DEPOSIT,
    ManualKind.SELL: Kind.WITHDRAWAL,
    ManualKind.INCOME: Kind.INCOME,
    ManualKind.SPEND: Kind.WITHDRAWAL,
    ManualKind.TRANSFER: Kind.TRANSFER_OUT,
}
"""What was paid or got for it lies outside of what is known, so a purchase is money brought, a sale money taken out."""
INWARD = frozenset({ManualKind.BUY, ManualKind.INCOME})
MOMENT = timedelta(microseconds=1)
UNIQUE = ("connection", "asset", "first_seen")
WRITTEN = ("raw_id", "total", "available", "last_seen", "newest")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """One row as it stands in one account."""

    entry: Entry
    body: str
    digest: str

    @property
    def key(self) -> Key:
        """What identifies it within its account."""
        return self.entry.stream, self.entry.external_id, self.entry.leg

    @property
    def source_id(self) -> str:
        """What its raw record is known by."""
        return f"{self.entry.external_id} {self.entry.leg}".strip()


def behind() -> list[int]:
    """The own accounts whose rows are not written down yet."""
    return list(
        Connection.objects.own()
        .filter(figures_since__isnull=False)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def write(connection: Connection, clock: Clock) -> bool:
    """Bring ledger and balances of an own account up to the rows of its user; False where another worker is at it."""
    owner = owners.new()
    if owners.is_gone(connection.lease_owner):
        connection.release(connection.lease_owner)
    if not connection.take_lease(owner, clock.now()):
        return False
    try:
        return all(connection.keep_lease(owner, clock.now()) for _ in _steps(connection, clock.now()))
    finally:
        connection.release(owner)


def _steps(connection: Connection, now: datetime) -> Iterator[None]:
    """The work in pieces; before each the account must still be ours."""
    said = {one.key: one for one in _said(connection)}
    standing = _standing(connection)
    news = [one for key, one in said.items() if standing.get(key, (0, ""))[1] != one.digest]
    for start in range(0, len(news), ROWS):
        yield
        with transaction.atomic():
            _write(connection, news[start : start + ROWS], standing, now)
    yield
    _balance(connection, now)


def replay(connection: Connection, seen: datetime) -> list[_Said]:
    """Write ledger and balances where the tables know nothing of the account yet; the rows that no record tells.

    `seen` is until when the last balances held, which no row says.
    """
    records: dict[tuple[str, str], int] = {}
    received: dict[str, datetime] = {}
    raws = Raw.objects.of(connection).order_by("received_at", "pk")
    for pk, source_id, digest, at in raws.values_list("pk", "source_id", "digest", "received_at").iterator():
        records[source_id, digest] = pk
        received.setdefault(source_id, at)
    said = list(_said(connection))
    told = [
        Told(
            entry=one.entry,
            raw_id=records[one.source_id, one.digest],
            current_at=seen,
            received_at=received[one.source_id],
        )
        for one in said
        if (one.source_id, one.digest) in records
    ]
    for start in range(0, len(told), ROWS):
        put(connection, told[start : start + ROWS], {})
    _balance(connection, seen)
    return [one for one in said if (one.source_id, one.digest) not in records]


def confirmed(connection: Connection) -> datetime | None:
    """Until when the last balances hold: what most of them say, so that one that differs is seen."""
    newest = BalanceSnapshot.objects.of(connection).filter(newest=True, last_seen__gt=F("first_seen"))
    said = Counter(newest.values_list("last_seen", flat=True))
    return max(said, key=lambda moment: (said[moment], moment), default=None)


def confirm(now: datetime) -> None:
    """What users say of their own accounts holds until they say otherwise."""
    mine = BalanceSnapshot.objects.filter(connection__in=Connection.objects.own(), newest=True)
    mine.filter(last_seen__lt=now).update(last_seen=now)


def _said(connection: Connection) -> Iterator[_Said]:
    """All rows of the user that move something in this account."""
    me = same(connection.label)
    mine = ManualEntry.objects.for_user(connection.user)
    names = (
        mine.order_by()
        .values_list("account", flat=True)
        .distinct()
        .union(mine.order_by().values_list("to_account", flat=True).distinct())
    )
    names_of_me = [name for name in names if same(name) == me]
    rows = mine.filter(account__in=names_of_me) | mine.filter(
        kind=ManualKind.TRANSFER, to_account__in=names_of_me
    )
    for row in rows.order_by("occurred_at", "pk").iterator():
        into = row.kind == ManualKind.TRANSFER and same(row.to_account) == me
        out_of = same(row.account) == me
        if not (into and out_of):
            yield _said_of(row, connection, into=into)


def _said_of(row: ManualEntry, connection: Connection, *, into: bool) -> _Said:
    kind = Kind.TRANSFER_IN if into else KINDS[row.kind]
    amount = row.quantity if into or row.kind in INWARD else -row.quantity
    named = label_of(row.account)
    entry = Entry(
        stream=STREAM,
        external_id=row.identity,
        leg="" if named == connection.label else named,
        kind=kind,
        status=Status.COMPLETED if row.undone_at is None else Status.CANCELLED,
        occurred_at=row.occurred_at,
        description=row.note or f"{row.get_kind_display()}, entered by you",
        postings=(Posting(asset=row.asset, amount=amount),),
        raw_kind=row.kind,
    )
    body = json.dumps(_record(row), ensure_ascii=False, sort_keys=True)
    return _Said(entry=entry, body=body, digest=sha256(body.encode()).hexdigest())


def _record(row: ManualEntry) -> dict[str, str | None]:
    """The row as it was entered, every digit kept."""
    return {
        "id": row.source_id,
        "time": row.occurred_at.isoformat(),
        "account": row.account,
        "to_account": row.to_account,
        "kind": row.kind,
        "asset": row.asset,
        "quantity": str(row.quantity),
        "value_usd": None if row.value_usd is None else str(row.value_usd),
        "fee_usd": str(row.fee_usd),
        "note": row.note,
        "entered_at": row.created_at.isoformat(),
        "undone_at": None if row.undone_at is None else row.undone_at.isoformat(),
    }


def _standing(connection: Connection) -> dict[Key, tuple[int, str]]:
    rows = Transaction.objects.of(connection).values_list("stream", "external_id", "leg", "pk", "raw__digest")
    return {(stream, name, leg): (pk, digest) for stream, name, leg, pk, digest in rows.iterator()}


def _write(
    connection: Connection, news: Sequence[_Said], standing: Mapping[Key, tuple[int, str]], now: datetime
) -> None:
    rows = [
        Raw(
            connection=connection,
            stream=STREAM,
            source_id=one.source_id,
            digest=one.digest,
            body=one.body,
            received_at=now,
            current_at=now,
            seen_at=now,
        )
        for one in news
    ]
    raws = Raw.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "stream", "source_id", "digest"],
        update_fields=["current_at", "seen_at"],
    )
    told = [
        Told(entry=one.entry, raw_id=raw.pk, current_at=now, received_at=now)
        for one, raw in zip(news, raws, strict=True)
    ]
    put(connection, told, {one.key: standing[one.key][0] for one in told if one.key in standing})


def _balance(connection: Connection, now: datetime) -> None:
    """A balance after each moment at which something moved; the last one holds until now."""
    there = {(row.asset, row.first_seen): row for row in BalanceSnapshot.objects.of(connection)}
    wanted = {(row.asset, row.first_seen): row for row in _balances(connection, now)}
    news = [row for key, row in wanted.items() if key not in there or _differ(row, there[key])]
    upsert(
        BalanceSnapshot.objects.all(),
        news,
        unique=UNIQUE,
        update=[name.removesuffix("_id") for name in WRITTEN],
    )
    delete(
        BalanceSnapshot.objects.of(connection), [row.pk for key, row in there.items() if key not in wanted]
    )


def _balances(connection: Connection, now: datetime) -> Iterator[BalanceSnapshot]:
    postings = PostingRow.objects.of(connection).counted()
    # Not by primary key: written once more, rows of one moment have others.
    counted = postings.order_by("asset", "occurred_at", "transaction__external_id", "transaction__leg")
    moved = counted.values_list("asset", "occurred_at", "amount", "transaction__raw")
    for asset, rows in groupby(moved.iterator(), key=itemgetter(0)):
        yield from _chain(connection, asset, [row[1:] for row in rows], now)


def _chain(
    connection: Connection, asset: str, moved: Sequence[tuple[datetime, Decimal, int]], now: datetime
) -> Iterator[BalanceSnapshot]:
    total = Decimal(0)
    ends = [at - MOMENT for at, _, _ in moved[1:]] + [None]
    for (at, amount, raw), end in zip(moved, ends, strict=True):
        total += amount
        if end is not None and end < at:
            continue
        yield BalanceSnapshot(
            connection=connection,
            raw_id=raw,
            asset=asset,
            total=total,
            available=total,
            pending=Decimal(0),
            first_seen=at,
            last_seen=max(at, end or now),
            newest=end is None,
        )


def _differ(one: BalanceSnapshot, other: BalanceSnapshot) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in WRITTEN)
