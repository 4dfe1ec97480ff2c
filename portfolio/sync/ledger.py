"""Writes down what records mean: transactions and their postings, a few queries for any number of them.

Of several records that speak of one entry the winner stands (`reading.order_of`); writing twice changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from accounts.models import Connection
from exchanges.records import Entry, Status
from portfolio.models import Posting, Transaction
from portfolio.sync.reading import NEVER, assets_text, order_of

Key = tuple[str, str, str]
Order = tuple[int, bool, datetime, datetime, int]
REWRITTEN = (
    *("raw", "kind", "status", "occurred_at", "description", "raw_kind", "raw_status", "revised_at"),
    *("rank", "assumption", "balance_after", "network_id", "assets"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry as one stored record tells it."""

    entry: Entry
    raw_id: int
    current_at: datetime
    received_at: datetime

    @property
    def key(self) -> Key:
        """What identifies the entry within its connection."""
        return self.entry.stream, self.entry.external_id, self.entry.leg

    @property
    def order(self) -> Order:
        """Its place among all that speak of the entry."""
        return order_of(self.entry, self.current_at, self.raw_id)


@dataclass(slots=True, kw_only=True)
class Touched:
    """What writing changed: since when, and which assets."""

    since: datetime | None = None
    assets: set[str] = field(default_factory=set)
    newest: datetime | None = None
    completed: bool = False
    """Whether a row that was known as open has completed."""

    def at(self, moment: datetime) -> None:
        """Something dated `moment` changed."""
        self.since = min(self.since or moment, moment)
        self.newest = max(self.newest or moment, moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    pk: int
    order: Order
    status: str
    occurred_at: datetime


def write(connection: Connection, told: Iterable[Told], touched: Touched) -> None:
    """Let each entry stand as its winner tells it; to be called inside a transaction."""
    best: dict[Key, Told] = {}
    for one in told:
        rival = best.setdefault(one.key, one)
        if one.order > rival.order:
            # It was first seen when anything first told it.
            best[one.key] = replace(one, received_at=rival.received_at)
    if not best:
        return
    standing = _standing(connection, best)
    winners = [one for key, one in best.items() if key not in standing or one.order > standing[key].order]
    if winners:
        put(connection, winners, {key: one.pk for key, one in standing.items()})
    for one in winners:
        touched.at(one.entry.occurred_at)
        touched.assets.update(posting.asset for posting in one.entry.postings)
        before = standing.get(one.key)
        if before is not None:
            touched.at(before.occurred_at)
            touched.completed |= before.status == Status.PENDING != one.entry.status


def put(connection: Connection, winners: Sequence[Told], standing: dict[Key, int]) -> None:
    """Write the winners over what stands (key -> its pk), postings included."""
    rows = Transaction.objects.bulk_create(
        [transaction(connection, one) for one in winners],
        update_conflicts=True,
        unique_fields=["connection", "stream", "external_id", "leg"],
        update_fields=REWRITTEN,
    )
    known = set(standing.values())
    before: dict[int, list[Posting]] = defaultdict(list)
    if known:
        for posting in Posting.objects.filter(transaction__in=[row.pk for row in rows if row.pk in known]):
            before[posting.transaction_id].append(posting)
    fresh: list[Posting] = []
    stale: list[int] = []
    for row, one in zip(rows, winners, strict=True):
        after = postings(connection, row.pk, one.entry)
        if row.pk in before and shape(before[row.pk]) == shape(after):
            continue
        stale += [posting.pk for posting in before.get(row.pk, ())]
        fresh += after
    if stale:
        Posting.objects.filter(pk__in=stale).delete()
    Posting.objects.bulk_create(fresh)


def transaction(connection: Connection, told: Told) -> Transaction:
    """The row of one entry."""
    entry = told.entry
    return Transaction(
        connection=connection,
        raw_id=told.raw_id,
        stream=entry.stream,
        external_id=entry.external_id,
        leg=entry.leg,
        kind=entry.kind.value,
        status=entry.status.value,
        occurred_at=entry.occurred_at,
        description=entry.description,
        raw_kind=entry.raw_kind,
        raw_status=entry.raw_status,
        revised_at=entry.revised_at,
        rank=entry.rank,
        assumption=entry.assumption.value,
        balance_after=entry.balance_after,
        network_id=entry.network_id,
        assets=assets_text([posting.asset for posting in entry.postings]),
        first_seen=told.received_at,
    )


def postings(connection: Connection, transaction_id: int, entry: Entry) -> list[Posting]:
    """The rows of an entry's amounts; `counts` says whether they are part of the ledger balance."""
    return [
        Posting(
            transaction_id=transaction_id,
            connection=connection,
            asset=posting.asset,
            amount=posting.amount,
            role=posting.role.value,
            kind=entry.kind.value,
            occurred_at=entry.occurred_at,
            counts=entry.status is Status.COMPLETED,
        )
        for posting in entry.postings
    ]


def shape(rows: Iterable[Posting]) -> list[tuple[object, ...]]:
    """What two sets of postings are compared by."""
    return sorted((p.asset, p.role, p.amount, p.kind, p.occurred_at, p.counts) for p in rows)


def _standing(connection: Connection, keys: Iterable[Key]) -> dict[Key, _Standing]:
    by_stream: dict[str, set[str]] = defaultdict(set)
    wanted = set(keys)
    for stream, external_id, _ in wanted:
        by_stream[stream].add(external_id)
    found: dict[Key, _Standing] = {}
    for stream, external_ids in by_stream.items():
        rows = Transaction.objects.of(connection).filter(stream=stream, external_id__in=external_ids)
        for (
            pk,
            external_id,
            leg,
            rank,
            status,
            revised_at,
            occurred_at,
            raw_id,
            current_at,
        ) in rows.values_list(
            *("pk", "external_id", "leg", "rank", "status", "revised_at", "occurred_at", "raw_id"),
            "raw__current_at",
        ):
            key = (stream, external_id, leg)
            if key in wanted:
                order = (rank, status != Status.PENDING, revised_at or NEVER, current_at, raw_id)
                found[key] = _Standing(pk=pk, order=order, status=status, occurred_at=occurred_at)
    return found
