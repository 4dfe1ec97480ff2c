"""Derives ledger and snapshots of a connection again from its raw records, beside what stands, and compares.

1. Read every raw record once: which one tells each entry best? Memory holds one small tuple an entry, no bodies.
2. Read the best ones again, a chunk at a time, and compare what they tell with the rows that stand.
3. Lay all observations of balances end to end and compare the snapshots.
With `write` what differs is put right in the same way in which a sync writes: in short transactions, so that a kill
in between only means that the next rebuild goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import transaction

from accounts.models import Connection
from exchanges.connect import normaliser
from exchanges.records import Entry
from portfolio.models import BalanceSnapshot, Posting, Raw, Transaction
from portfolio.sync import balances, ledger, observations
from portfolio.sync.balances import Observation
from portfolio.sync.ledger import REWRITTEN, Key, Order, Told
from portfolio.sync.reading import BALANCES, OBSERVED, Reader

CHUNK = 500
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One row that is not what the raw records say."""

    what: str
    row: str
    stands: str
    derived: str

    def __str__(self) -> str:
        return f"{self.what} {self.row}: stands {self.stands}, derived {self.derived}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Best:
    """Which record tells an entry, and when any first told it."""

    order: Order
    raw_id: int
    first_seen: datetime


class Rebuild:
    """One comparison of one connection; the caller holds its lease and `alive` keeps it."""

    def __init__(self, connection: Connection, alive: Callable[[], None], *, write: bool = False) -> None:
        """With `write` every difference is put right as it is found."""
        self._connection = connection
        self._alive = alive
        self._write = write
        self._reader = Reader(normaliser(connection.exchange), observations.references(connection))

    def differences(self) -> Iterator[Difference]:
        """Every difference between what stands and what Raw says, ledger first."""
        best = yield from self._best()
        yield from self._ledger(best)
        yield from self._snapshots()

    def _best(self) -> Generator[Difference, None, dict[Key, _Best]]:
        """The best teller of each entry; a record that cannot be read any more is a difference itself."""
        best: dict[Key, _Best] = {}
        rows = Raw.objects.of(self._connection).exclude(stream__in=OBSERVED).order_by("pk")
        for number, row in enumerate(rows.iterator(chunk_size=CHUNK)):
            if number % CHUNK == 0:
                self._alive()
            try:
                entries = self._reader.read(observations.as_said(row)).entries
            except ValueError as error:
                name = f"{row.stream} {row.source_id}"
                yield Difference(what="raw record", row=name, stands="stored", derived=f"unreadable: {error}")
                continue
            for entry in entries:
                told = _told(row, entry, row.received_at)
                before = best.get(told.key)
                if before is None:
                    best[told.key] = _Best(order=told.order, raw_id=row.pk, first_seen=row.received_at)
                else:
                    order, raw_id = max((told.order, row.pk), (before.order, before.raw_id))
                    first = min(before.first_seen, row.received_at)
                    best[told.key] = _Best(order=order, raw_id=raw_id, first_seen=first)
        return best

    def _ledger(self, best: dict[Key, _Best]) -> Iterator[Difference]:
        """Rows that stand against what is derived, then what is derived and does not stand."""
        standing = Transaction.objects.of(self._connection).prefetch_related("postings").order_by("pk")
        for rows in self._pieces(standing.iterator(chunk_size=CHUNK)):
            wanted = {_key(row): best.pop(_key(row), None) for row in rows}
            derived = _derived(self._reader, {key: one for key, one in wanted.items() if one})
            found = [(row, _against(self._connection, row, derived.get(_key(row)))) for row in rows]
            self._put_right([row for row, one in found if one], derived)
            yield from (one for _, one in found if one)
        for keys in self._pieces(iter(sorted(best))):
            derived = _derived(self._reader, {key: best[key] for key in keys})
            if self._write:
                with transaction.atomic():
                    ledger.put(self._connection, list(derived.values()), {})
            for key in keys:
                yield Difference(what="transaction", row=" ".join(key), stands="missing", derived="present")

    def _snapshots(self) -> Iterator[Difference]:
        self._alive()
        derived = {(row.asset, row.first_seen): row for row in _chain(self._connection, self._reader)}
        earliest: dict[str, datetime] = {}
        for row in BalanceSnapshot.objects.of(self._connection).order_by("asset", "first_seen"):
            after = derived.pop((row.asset, row.first_seen), None)
            begins = earliest.setdefault(row.asset, row.first_seen) == row.first_seen
            # How long an asset that only the ledger knew was zero is looked up later: it depends on when.
            looked_up = begins and not row.total
            if after is not None and _same(row, after, but_last_seen=looked_up):
                continue
            if self._write and after is not None:
                after.pk = row.pk
                after.save()
            elif self._write:
                row.delete()
            yield _differing(row, after)
        for after in derived.values():
            if self._write:
                after.save()
            yield _differing(None, after)

    def _put_right(self, rows: Sequence[Transaction], derived: Mapping[Key, Told]) -> None:
        if not self._write or not rows:
            return
        with transaction.atomic():
            for row in rows:
                told = derived.get(_key(row))
                if told is None:
                    row.delete()
                    continue
                ledger.put(self._connection, [told], {told.key: row.pk})
                Transaction.objects.filter(pk=row.pk).update(first_seen=told.received_at)

    def _pieces(self, items: Iterator[Item]) -> Iterator[list[Item]]:
        while piece := list(islice(items, CHUNK)):
            self._alive()
            yield piece


def _against(connection: Connection, row: Transaction, told: Told | None) -> Difference | None:
    """The first thing in which a row is not what its record tells."""
    name = " ".join(_key(row))
    if told is None:
        return Difference(what="transaction", row=name, stands="present", derived="missing")
    after = ledger.transaction(connection, told)
    for field in ("raw_id", *REWRITTEN[1:], "first_seen"):
        stands, derived = getattr(row, field), getattr(after, field)
        if stands != derived:
            text = f"{field} {derived}"
            return Difference(what="transaction", row=name, stands=f"{field} {stands}", derived=text)
    before, now = (
        ledger.shape(row.postings.all()),
        ledger.shape(ledger.postings(connection, row.pk, told.entry)),
    )
    if before == now:
        return None
    return Difference(what="postings of", row=name, stands=_amounts(before), derived=_amounts(now))


def _amounts(shape: list[tuple[object, ...]]) -> str:
    return ", ".join(f"{amount} {asset} {role}" for asset, role, amount, *_ in shape) or "none"


def _derived(reader: Reader, best: Mapping[Key, _Best]) -> dict[Key, Told]:
    """What the best records tell of these entries."""
    bodies = Raw.objects.in_bulk([one.raw_id for one in best.values()])
    found: dict[Key, Told] = {}
    for key, one in best.items():
        row = bodies[one.raw_id]
        for entry in reader.read(observations.as_said(row)).entries:
            told = _told(row, entry, one.first_seen)
            if told.key == key:
                found[key] = told
    return found


def _chain(connection: Connection, reader: Reader) -> list[BalanceSnapshot]:
    """All snapshots that the observations make, with the zeros of assets that only the ledger knows."""
    chain, first = balances.Chain(), dict[str, Observation]()
    rows = Raw.objects.of(connection).filter(stream=BALANCES).order_by("received_at", "pk")
    for row in rows.iterator(chunk_size=CHUNK):
        try:
            seen = observations.observation(row, reader.read(observations.as_said(row)))
        except ValueError:
            continue
        first.setdefault(seen.scope, seen)
        chain.take(connection, seen)
    earliest: dict[str, datetime] = {}
    for added in chain.added:
        earliest.setdefault(added.asset, added.first_seen)
    assets = set(Posting.objects.of(connection).values_list("asset", flat=True).distinct())
    silent = balances.first_silences(assets, list(first.values()), earliest)
    zeros = [balances.snapshot(connection, seen, balances.zero(asset)) for asset, seen in silent]
    return [*chain.added, *zeros]


def _differing(row: BalanceSnapshot | None, after: BalanceSnapshot | None) -> Difference:
    one = row or after
    assert one is not None
    return Difference(
        what="balance",
        row=f"{one.asset} {one.first_seen.isoformat()}",
        stands=_said(row),
        derived=_said(after),
    )


def _said(row: BalanceSnapshot | None) -> str:
    return "missing" if row is None else f"{row.total} until {row.last_seen.isoformat()}"


def _same(row: BalanceSnapshot, after: BalanceSnapshot, *, but_last_seen: bool) -> bool:
    names = ("raw_id", "total", "available", "pending", *(() if but_last_seen else ("last_seen",)))
    return all(getattr(row, name) == getattr(after, name) for name in names)


def _told(row: Raw, entry: Entry, received_at: datetime) -> Told:
    return Told(entry=entry, raw_id=row.pk, current_at=row.current_at, received_at=received_at)


def _key(row: Transaction) -> Key:
    return row.stream, row.external_id, row.leg
