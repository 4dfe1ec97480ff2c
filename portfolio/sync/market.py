"""Keeps what sources said about prices: checked, only where it is news, old ones thinned out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError

from exchanges.records import Candle, Quote
from portfolio.fields import checked
from portfolio.models import Rate
from portfolio.models.chunks import ROWS, delete
from portfolio.rates import closing_time

HOURLY_AFTER = timedelta(hours=26)
DAILY_AFTER = timedelta(days=8)
REACH = timedelta(days=2)
"""How long after falling due rows are still thinned: a task that rests longer leaves a few more rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How many quotes were new, and how many were refused as unusable."""

    new: int
    refused: int


def of_candle(candle: Candle) -> Quote:
    """The close of a day as a quote of its last second."""
    return Quote(
        base=candle.base,
        counter=candle.counter,
        price=candle.close,
        source=f"{candle.source} close",
        at=closing_time(candle.day),
    )


def keep(quotes: Iterable[Quote], now: datetime) -> Kept:
    """Store quotes whose price or time is new. One that claims to be from the future counts as of `now`."""
    usable: dict[tuple[str, str, str, datetime], Rate] = {}
    refused = 0
    for quote in quotes:
        row = _row(quote, now)
        if row is None:
            refused += 1
        else:
            usable[row.base, row.counter, row.source, row.at] = row
    new = _news(list(usable.values()))
    for start in range(0, len(new), ROWS):
        Rate.objects.bulk_create(new[start : start + ROWS], ignore_conflicts=True)
    return Kept(new=len(new), refused=refused)


def thin(now: datetime) -> int:
    """Keep the last quote of each hour after a day, and of each day after eight; how many were let go."""
    crowded = [
        *_crowded(now - HOURLY_AFTER - REACH, now - HOURLY_AFTER, "%Y-%m-%d %H"),
        *_crowded(now - DAILY_AFTER - REACH, now - DAILY_AFTER, "%Y-%m-%d"),
    ]
    delete(Rate.objects.all(), crowded)
    return len(crowded)


def _row(quote: Quote, now: datetime) -> Rate | None:
    try:
        price = checked(quote.price)
    except ValidationError:
        return None
    names_fit = (
        all(0 < len(name) <= 32 for name in (quote.base, quote.counter)) and quote.base != quote.counter
    )
    if price <= 0 or not names_fit or not 0 < len(quote.source) <= 40:
        return None
    return Rate(
        base=quote.base,
        counter=quote.counter,
        price=price,
        source=quote.source,
        at=min(quote.at, now),
        fetched_at=now,
    )


def _news(rows: Sequence[Rate]) -> list[Rate]:
    """Those not stored yet, with their mark; the mark of those they replace is cleared."""
    names = {row.base for row in rows} | {row.counter for row in rows}
    marked = {(r.base, r.counter, r.source): r for r in Rate.objects.among(names).filter(newest=True)}
    new: list[Rate] = []
    replaced: list[int] = []
    for row in sorted(rows, key=lambda row: row.at, reverse=True):
        pair = (row.base, row.counter, row.source)
        last = marked.get(pair)
        if last is not None and last.at == row.at and last.price == row.price:
            continue
        row.newest = last is None or row.at > last.at
        if row.newest:
            replaced += [last.pk] if last and last.pk else []
            marked[pair] = row
        new.append(row)
    Rate.objects.filter(pk__in=replaced).update(newest=False)
    return new


def _crowded(start: datetime, end: datetime, bucket: str) -> list[int]:
    rows = Rate.objects.filter(at__gte=start, at__lt=end, newest=False).order_by("at", "pk")
    last: dict[tuple[str, str, str, str], int] = {}
    crowded = []
    for pk, base, counter, source, at in rows.values_list("pk", "base", "counter", "source", "at").iterator():
        key = (base, counter, source, at.strftime(bucket))
        if key in last:
            crowded.append(last[key])
        last[key] = pk
    return crowded
