"""Reads what is known of a connection's assets: balances, postings, and whether its ledger may speak for the past."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, groupby, pairwise
from typing import TypeVar

from django.db.models import Max, Min, Model, Q, QuerySet

from accounts.models import Connection
from portfolio.models import (
    BalanceSnapshot,
    Certainty,
    Coverage,
    DailyHolding,
    DailyWorth,
    Posting,
    WorthPoint,
)
from portfolio.models.owned import OwnedQuerySet
from portfolio.valuation.history import DAY, Known, Moved, Seen, anchored, first_day, midnight
from portfolio.valuation.postings import Postings

Row = TypeVar("Row", bound=Model)
OBSERVED = ("balances", "reference")
"""Streams that are not ledgers."""
LOOK_BACK = timedelta(days=60)
"""How far back days that were uncertain are tried again when a connection answers after a silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One asset to be told from `start` on; `fresh` when that is its beginning. Nothing may be known of it any more."""

    asset: str
    known: Known
    start: date
    fresh: bool


Batches = Iterator[tuple[Task, ...]]


def gather(connection: Connection, since: date | None, now: datetime) -> tuple[date | None, Batches]:
    """From which day on the connection is told, and each asset's evidence, a few at a time.

    None as the first answer means from its very beginning. The days since the last update are always included, and
    an asset whose first snapshot is younger than `since` is told whole: its past hangs on that snapshot. Those come one
    by one, so that only one asset's past is in memory at a time.
    """
    start = _start(connection, since, now.date())
    if start is None:
        return None, _fresh(connection, _assets(connection), now)
    seen = _seen(connection, start)
    start = min([start, *(silent.date() for silent in _silences(seen, start))])
    seen = _seen(connection, start)
    reach = min([midnight(start), *_silences(seen, start)])
    moved = Postings(connection, now, reach).recent(seen)
    whole = _young(seen, start)
    if whole:
        whole -= _told_already(connection, start, seen, moved)
    fresh = whole | ((moved.keys() | _standing(connection, start)) - seen.keys())
    trusted = _trusted(connection)
    going_on = tuple(
        Task(
            asset=asset,
            known=Known(seen=seen[asset], moved=moved.get(asset, ()), trusted=trusted),
            start=start,
            fresh=False,
        )
        for asset in sorted(seen.keys() - fresh)
    )
    return start, chain([going_on], _fresh(connection, fresh, now))


def kept(rows: OwnedQuerySet[Row], tasks: Sequence[Task]) -> Iterator[Row]:
    """The rows of days that stand for these assets, from where each goes on; all of one that is told from its beginning."""
    on = Q(asset__in=[task.asset for task in tasks if not task.fresh])
    begin = min((task.start for task in tasks if not task.fresh), default=date.max)
    return rows.filter(
        (on & Q(day__gte=begin)) | Q(asset__in=[task.asset for task in tasks if task.fresh])
    ).iterator()


def _standing(connection: Connection, start: date) -> set[str]:
    """Assets with rows from the eve of a day on: what nobody ever saw goes on as the ledger left it, or was taken back."""
    rows = DailyHolding.objects.of(connection).filter(day__gte=start - DAY).order_by()
    return set(rows.values_list("asset", flat=True).distinct())


def _assets(connection: Connection) -> set[str]:
    """All that was ever held or moved."""
    held = BalanceSnapshot.objects.of(connection).filter(newest=True).order_by()
    return set(held.values_list("asset", flat=True)) | Posting.objects.assets_of(connection)


def _fresh(connection: Connection, assets: Collection[str], now: datetime) -> Batches:
    """Assets that are told from their beginning."""
    if not assets:
        return
    postings, trusted = Postings(connection, now), _trusted(connection)
    first, last = _readings(connection)
    for asset in sorted(assets):
        seen = _snapshots(BalanceSnapshot.objects.of(connection).filter(asset=asset)).get(asset, ())
        known = Known(seen=seen, moved=postings.of(asset, seen), trusted=trusted)
        if known.moved and first and last:
            known = anchored(known, first, last)
        yield (Task(asset=asset, known=known, start=first_day(known) or now.date(), fresh=True),)


def _start(connection: Connection, since: date | None, today: date) -> date | None:
    worth = DailyWorth.objects.of(connection)
    last = worth.aggregate(last=Max("day"))["last"]
    if since is None or last is None:
        return None
    start: date = min(since, last, today)
    sure = worth.filter(uncertain=0, day__lt=start).aggregate(last=Max("day"))["last"]
    shaky = start if sure is None else sure + timedelta(days=1)
    return max(min(start, shaky), start - LOOK_BACK)


def _seen(connection: Connection, start: date) -> dict[str, tuple[Seen, ...]]:
    """What was held as the day began, and all that was seen since."""
    rows = BalanceSnapshot.objects.of(connection)
    before = rows.held_at(midnight(start) - timedelta(microseconds=1))
    later = rows.filter(first_seen__gte=midnight(start))
    earlier, since = _snapshots(before), _snapshots(later)
    return {asset: earlier.get(asset, ()) + since.get(asset, ()) for asset in earlier.keys() | since.keys()}


def _snapshots(rows: QuerySet[BalanceSnapshot]) -> dict[str, tuple[Seen, ...]]:
    """By asset, ascending."""
    told = rows.order_by("asset", "first_seen").values_list("asset", "first_seen", "last_seen", "total")
    return {
        asset: tuple(Seen(first=first, last=last, total=total) for _, first, last, total in group)
        for asset, group in groupby(told.iterator(), key=lambda row: row[0])
    }


def _silences(seen: Mapping[str, tuple[Seen, ...]], start: date) -> Iterator[datetime]:
    """When gaps began that end after `start`: what closed them tells how it went in between."""
    for snapshots in seen.values():
        for one, following in pairwise(snapshots):
            if one.last < midnight(start) <= following.first:
                yield one.last


def _young(seen: Mapping[str, tuple[Seen, ...]], start: date) -> set[str]:
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
    firsts = {
        asset: seen[asset][0].first
        for asset in told.values_list("asset", flat=True)
        if asset in seen and seen[asset][0].first.date() == start and last and seen[asset][0].first <= last
    }
    if not firsts:
        return set()
    # Also one that does not count any more: what was told with it is wrong now.
    uncounted = Posting.objects.of(connection).filter(
        asset__in=firsts, counts=False, occurred_at__range=(midnight(start), max(firsts.values()))
    )
    rows = [*uncounted.values_list("asset", "occurred_at")]
    rows += [(asset, m.at) for asset in firsts for m in moved.get(asset, ())]
    return firsts.keys() - {asset for asset, at in rows if at <= firsts[asset]}


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
