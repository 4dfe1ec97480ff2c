"""Reads what is known of a connection's assets: balances, postings, and whether its ledger may speak for the past."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import groupby, pairwise

from django.db.models import Max, Min, QuerySet

from accounts.models import Connection
from exchanges.records import Kind, Role
from portfolio.models import (
    BalanceSnapshot,
    Certainty,
    Coverage,
    DailyHolding,
    DailyWorth,
    Posting,
    WorthPoint,
)
from portfolio.valuation.history import Known, Moved, Seen, anchored, first_day, midnight

OBSERVED = ("balances", "reference")
"""Streams that are not ledgers."""
TOGETHER = timedelta(minutes=2)
"""So far apart the two rows of one conversion may be dated."""
LOOK_BACK = timedelta(days=60)
"""How far back days that were uncertain are tried again when a connection answers after a silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One asset to be told from `start` on; `fresh` when that is its beginning."""

    asset: str
    known: Known
    start: date
    fresh: bool


def gather(connection: Connection, since: date | None, today: date) -> tuple[date | None, tuple[Task, ...]]:
    """From which day on the connection is told, and each asset's evidence.

    None as the first answer means from its very beginning. The days since the last update are always included, and
    an asset whose first snapshot is younger than `since` is told whole: its past hangs on that snapshot.
    """
    start = _start(connection, since, today)
    seen = _seen(connection, start)
    reach = None
    if start is not None:
        start = min([start, *(silent.date() for silent in _silences(seen, start))])
        seen = _seen(connection, start)
        reach = min([midnight(start), *_silences(seen, start)])
    whole = _young(seen, start)
    moved = _moved(connection, reach)
    if start is not None and whole:
        whole -= _told_already(connection, start, seen, moved)
        moved |= _postings(connection, whole)
    news = {asset for asset in moved if asset not in seen}
    if start is not None and news:
        moved |= _postings(connection, news)
    first, last = _readings(connection) if news else (None, None)
    trusted = _trusted(connection)
    tasks = []
    for asset in sorted(seen.keys() | moved.keys()):
        known = Known(seen=seen.get(asset, ()), moved=moved.get(asset, ()), trusted=trusted)
        if asset in news and first and last:
            known = anchored(known, first, last)
        tasks.append(_task(asset, known, start, fresh=start is None or asset in whole or asset in news))
    return start, tuple(task for task in tasks if task is not None)


def _task(asset: str, known: Known, start: date | None, *, fresh: bool) -> Task | None:
    begins = first_day(known) if fresh else start
    return None if begins is None else Task(asset=asset, known=known, start=begins, fresh=fresh)


def _start(connection: Connection, since: date | None, today: date) -> date | None:
    worth = DailyWorth.objects.of(connection)
    last = worth.aggregate(last=Max("day"))["last"]
    if since is None or last is None:
        return None
    start: date = min(since, last, today)
    sure = worth.filter(uncertain=0, day__lt=start).aggregate(last=Max("day"))["last"]
    shaky = start if sure is None else sure + timedelta(days=1)
    return max(min(start, shaky), start - LOOK_BACK)


def _seen(connection: Connection, start: date | None) -> dict[str, tuple[Seen, ...]]:
    rows = BalanceSnapshot.objects.of(connection)
    if start is not None:
        before = list(rows.held_at(midnight(start) - timedelta(microseconds=1)))
        later = list(rows.filter(first_seen__gte=midnight(start)))
    else:
        before, later = [], list(rows)
    ordered = sorted([*before, *later], key=lambda row: (row.asset, row.first_seen))
    return {
        asset: tuple(Seen(first=s.first_seen, last=s.last_seen, total=s.total) for s in group)
        for asset, group in groupby(ordered, key=lambda row: row.asset)
    }


def _silences(seen: Mapping[str, tuple[Seen, ...]], start: date) -> Iterator[datetime]:
    """When gaps began that end after `start`: what closed them tells how it went in between."""
    for snapshots in seen.values():
        for one, following in pairwise(snapshots):
            if one.last < midnight(start) <= following.first:
                yield one.last


def _young(seen: Mapping[str, tuple[Seen, ...]], start: date | None) -> set[str]:
    if start is None:
        return set(seen)
    return {asset for asset, snapshots in seen.items() if snapshots[0].first >= midnight(start)}


def _told_already(
    connection: Connection,
    start: date,
    seen: Mapping[str, tuple[Seen, ...]],
    moved: Mapping[str, tuple[Moved, ...]],
) -> set[str]:
    """Assets whose first snapshot is of the day `start` and told already, with a past, and no newer row before it.

    Nothing that is told about earlier days can have changed: on the day on which a connection is added, each sync would
    else tell all of its history again. One without a past is told whole: that it came on this day must stay told.
    """
    last = WorthPoint.objects.of(connection).aggregate(at=Max("at"))["at"]
    holdings = DailyHolding.objects.of(connection)
    past = holdings.filter(day__lt=start).order_by().values("asset")
    told = holdings.filter(day=start, certainty=Certainty.SNAPSHOT, asset__in=past)
    firsts = {asset: seen[asset][0].first for asset in told.values_list("asset", flat=True) if asset in seen}
    return {
        asset
        for asset, first in firsts.items()
        if first.date() == start
        and last
        and first <= last
        and not any(m.at <= first for m in moved.get(asset, ()))
    }


def _moved(connection: Connection, reach: datetime | None) -> dict[str, tuple[Moved, ...]]:
    """All postings since a moment, by asset."""
    if reach is None:
        return _postings(connection)
    # By the transactions' own index: postings have none that begins with the time.
    recent = Posting.objects.counted().filter(
        transaction__connection=connection, transaction__occurred_at__gte=reach
    )
    return _grouped(recent, _Halves(connection, reach))


def _postings(connection: Connection, assets: Iterable[str] | None = None) -> dict[str, tuple[Moved, ...]]:
    rows = Posting.objects.of(connection).counted()
    some = rows if assets is None else rows.filter(asset__in=list(assets))
    return _grouped(some, _Halves(connection, None))


def _grouped(rows: QuerySet[Posting], halves: _Halves) -> dict[str, tuple[Moved, ...]]:
    values = rows.order_by("asset", "occurred_at", "pk").values_list(
        "asset", "occurred_at", "amount", "kind", "role", "transaction__assets"
    )
    return {
        asset: tuple(
            Moved(
                at=at,
                amount=amount,
                kind=kind,
                role=role,
                against=_others(moved, asset) or halves.against(kind, asset, at, amount),
            )
            for _, at, amount, kind, role, moved in group
        )
        for asset, group in groupby(values.iterator(chunk_size=5000), key=lambda row: row[0])
    }


class _Halves:
    """Conversions that an exchange tells as two rows, one asset out and another one in, at about the same time."""

    def __init__(self, connection: Connection, reach: datetime | None) -> None:
        rows = Posting.objects.of(connection).counted().filter(kind=Kind.CONVERSION, role=Role.PRINCIPAL)
        if reach is not None:
            rows = rows.filter(transaction__occurred_at__gte=reach - TOGETHER)
        told = rows.order_by("occurred_at").values_list(
            "occurred_at", "asset", "amount", "transaction__assets"
        )
        self._rows = [(at, asset, amount) for at, asset, amount, moved in told if not _others(moved, asset)]
        self._times = [at for at, _, _ in self._rows]

    def against(self, kind: str, asset: str, at: datetime, amount: Decimal) -> frozenset[str]:
        """The assets of the other side of such a row."""
        if kind != Kind.CONVERSION or not self._rows:
            return frozenset()
        near = self._rows[bisect_left(self._times, at - TOGETHER) : bisect_right(self._times, at + TOGETHER)]
        return frozenset(other for _, other, moved in near if other != asset and (moved < 0) != (amount < 0))


@lru_cache(maxsize=4096)
def _others(moved: str, asset: str) -> frozenset[str]:
    """The assets of a transaction besides this one."""
    return frozenset(moved.split()) - {asset}


def _readings(connection: Connection) -> tuple[datetime | None, datetime | None]:
    """When balances were first and last read: an asset that they do not name was nothing then."""
    span = BalanceSnapshot.objects.of(connection).aggregate(first=Min("first_seen"), last=Max("last_seen"))
    if span["first"] is not None:
        return span["first"], span["last"]
    read = Coverage.objects.of(connection).filter(stream="balances").aggregate(at=Max("complete_at"))["at"]
    return read, read


def _trusted(connection: Connection) -> bool:
    """Whether the exchange offers a whole ledger and all of it that was begun has been read to its end."""
    if not connection.known.has_full_ledger:
        return False
    streams = Coverage.objects.of(connection).filter(not_offered=False).exclude(stream__in=OBSERVED)
    ends = list(streams.filter(read_at__isnull=False).values_list("complete_at", flat=True))
    return bool(ends) and all(ends)
