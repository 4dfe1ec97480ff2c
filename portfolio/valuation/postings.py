"""Reads postings as daily rows need them: summed as far as nothing can tell them apart, so that memory follows the days.

Those of one asset that lie between the same two cuts (midnights, confirmations of a balance, now), and are of the same
kind, role and other assets, are one `Moved` that counts them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import groupby
from sys import intern
from typing import Any

from django.db.models import QuerySet

from accounts.models import Connection
from exchanges.records import Kind, Role
from portfolio.models import Posting
from portfolio.valuation.history import Moved, Seen

TOGETHER = timedelta(minutes=2)
"""So far apart the two rows of one conversion may be dated."""
AT_ONCE = 2_000
IN, OUT, ASIDE = 0, 1, 2
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)
Snapshots = Mapping[str, Sequence[Seen]]


class Postings:
    """The counted postings of one connection as of `now`; `since` and `until` limit where its conversions are looked for."""

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        self._connection, self._now = connection, now
        self._since, self._until = since, until

    def recent(self, seen: Snapshots) -> dict[str, tuple[Moved, ...]]:
        """Those of all assets since then."""
        # By the transactions' own index: postings have none that begins with the time.
        rows = Posting.objects.counted().filter(
            transaction__connection=self._connection, transaction__occurred_at__gte=self._since
        )
        return dict(self._summed(rows, seen))

    def of(self, asset: str, seen: Sequence[Seen]) -> tuple[Moved, ...]:
        """All of one asset."""
        rows = Posting.objects.of(self._connection).counted().filter(asset=asset)
        return dict(self._summed(rows, {asset: seen})).get(asset, ())

    def within(self, asset: str) -> tuple[Moved, ...]:
        """Those of one asset between the two limits."""
        return dict(self._summed(self._between(asset), {})).get(asset, ())

    def partners(self, asset: str) -> set[tuple[str, date]]:
        """What was exchanged for an asset between the two limits, and on which day; perhaps more than that."""
        found: set[tuple[str, date]] = set()
        rows = self._between(asset).values_list("occurred_at", "kind", "transaction__assets")
        for at, kind, moved in rows.iterator(chunk_size=AT_ONCE):
            against = others(moved, asset)
            found.update((other, at.date()) for other in against)
            if not against and kind == Kind.CONVERSION:
                found |= self._halves.near(at)
        return found

    def _between(self, asset: str) -> QuerySet[Posting]:
        rows = Posting.objects.of(self._connection).counted().filter(asset=asset)
        return rows.filter(occurred_at__gte=self._since, occurred_at__lt=self._until)

    def _summed(self, rows: QuerySet[Posting], seen: Snapshots) -> Iterator[tuple[str, tuple[Moved, ...]]]:
        values = rows.order_by("asset", "occurred_at", "pk").values_list(
            "asset", "occurred_at", "amount", "kind", "role", "transaction__assets"
        )
        for asset, group in groupby(values.iterator(chunk_size=AT_ONCE), key=lambda row: row[0]):
            cuts = sorted({self._now, *(moment for s in seen.get(asset, ()) for moment in (s.first, s.last))})
            yield asset, tuple(_folded(self._named(group), cuts))

    def _named(self, rows: Iterable[Any]) -> Iterator[tuple[datetime, Decimal, str, str, frozenset[str]]]:
        """Each row with the other assets that it was moved against."""
        for asset, at, amount, kind, role, moved in rows:
            against = others(moved, asset)
            if not against and kind == Kind.CONVERSION:
                against = self._halves.against(asset, at, amount)
            yield at, amount, kind, role, against

    @cached_property
    def _halves(self) -> _Halves:
        return _Halves(self._connection, self._since, self._until)


@lru_cache(maxsize=4096)
def others(moved: str, asset: str) -> frozenset[str]:
    """The assets of a transaction besides this one."""
    return frozenset(moved.split()) - {asset}


def _folded(
    rows: Iterable[tuple[datetime, Decimal, str, str, frozenset[str]]], cuts: Sequence[datetime]
) -> Iterator[Moved]:
    """Ascending rows, summed within each stretch between cuts; a cut belongs to the stretch that it ends."""
    sums: dict[tuple[str, str, frozenset[str]], tuple[Decimal, int]] = {}
    begin = end = datetime.min.replace(tzinfo=UTC)
    for at, amount, kind, role, against in rows:
        if at > end:
            yield from _moved(begin, sums)
            sums, begin, end = {}, at, _end(at, cuts)
        key = (kind, role, against)
        before = sums.get(key)
        sums[key] = (before[0] + amount, before[1] + 1) if before else (amount, 1)
    yield from _moved(begin, sums)


def _moved(
    at: datetime, sums: Mapping[tuple[str, str, frozenset[str]], tuple[Decimal, int]]
) -> Iterator[Moved]:
    for (kind, role, against), (amount, count) in sums.items():
        yield Moved(at=at, amount=amount, kind=intern(kind), role=intern(role), against=against, count=count)


def _end(at: datetime, cuts: Sequence[datetime]) -> datetime:
    """The last moment that nothing parts from `at`."""
    last = datetime.combine(at.date(), time.max, UTC)
    place = bisect_left(cuts, at)
    return min(last, cuts[place]) if place < len(cuts) else last


class _Halves:
    """Conversions that an exchange tells as two rows, one asset out and another one in, at about the same time.

    Kept as bare numbers, because some exchanges tell every exchange so.
    """

    def __init__(self, connection: Connection, since: datetime | None, until: datetime | None) -> None:
        rows = Posting.objects.of(connection).counted().filter(kind=Kind.CONVERSION)
        if since is not None:
            rows = rows.filter(transaction__occurred_at__gte=since - TOGETHER)
        if until is not None:
            rows = rows.filter(transaction__occurred_at__lte=until + TOGETHER)
        told = rows.order_by("occurred_at").values_list(
            "occurred_at", "asset", "amount", "role", "transaction__assets"
        )
        self._times, self._assets, self._ways = array("q"), list[str](), bytearray()
        for at, asset, amount, role, moved in told.iterator(chunk_size=AT_ONCE):
            if not others(moved, asset):
                self._times.append(_instants(at))
                self._assets.append(intern(asset))
                self._ways.append(_way(amount) if role == Role.PRINCIPAL else ASIDE)

    def against(self, asset: str, at: datetime, amount: Decimal) -> frozenset[str]:
        """The assets of the other side of such a row."""
        other = IN if amount < 0 else OUT
        return frozenset(
            self._assets[n] for n in self._places(at) if self._assets[n] != asset and self._ways[n] == other
        )

    def near(self, at: datetime) -> set[tuple[str, date]]:
        """Which assets are told so at about that time, and on which day."""
        return {(self._assets[n], (_BEGINNING + self._times[n] * _INSTANT).date()) for n in self._places(at)}

    def _places(self, at: datetime) -> range:
        first = bisect_left(self._times, _instants(at - TOGETHER))
        return range(first, bisect_right(self._times, _instants(at + TOGETHER)))


def _way(amount: Decimal) -> int:
    return OUT if amount < 0 else IN


def _instants(at: datetime) -> int:
    """Whole microseconds."""
    return (at - _BEGINNING) // _INSTANT
