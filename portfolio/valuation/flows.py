"""Keeps what the ledger moved on each day, by asset, kind and role, so that no page needs to read the ledger for it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from accounts.models import Connection
from portfolio.fields import fits
from portfolio.models import DailyFlow
from portfolio.models.chunks import remove, upsert
from portfolio.valuation.amounts import ZERO
from portfolio.valuation.evidence import Task, kept
from portfolio.valuation.history import Moved, midnight
from portfolio.valuation.rollup import forget_months

FIELDS = ("amount", "count")
Key = tuple[str, date, str, str]


def keep(connection: Connection, tasks: Sequence[Task], *, now: datetime) -> None:
    """Make the stored flows of these assets, from where each begins, equal to what the ledger says."""
    standing = kept(DailyFlow.objects.of(connection), tasks)
    old = {(row.asset, row.day, row.kind, row.role): row for row in standing}
    new = {key: row for task in tasks for key, row in _rows(connection, task, now)}
    changed = [row for key, row in new.items() if key not in old or _differs(row, old[key])]
    gone = [row for key, row in old.items() if key not in new]
    unique = ("connection", "asset", "day", "kind", "role")
    forget = forget_months(connection)
    upsert(DailyFlow.objects.all(), changed, unique=unique, update=FIELDS, first=forget)
    remove(DailyFlow.objects.all(), gone, first=forget)


def summed(moved: Iterable[Moved]) -> dict[tuple[date, str, str], tuple[Decimal, int]]:
    """The postings of one asset by day, kind and role: their sum and how many they are."""
    sums: dict[tuple[date, str, str], tuple[Decimal, int]] = {}
    for one in moved:
        key = (one.at.date(), one.kind, one.role)
        amount, count = sums.get(key, (ZERO, 0))
        sums[key] = (amount + one.amount, count + one.count)
    return sums


def _rows(connection: Connection, task: Task, now: datetime) -> Iterator[tuple[Key, DailyFlow]]:
    times = [one.at for one in task.known.moved]
    since, until = bisect_left(times, midnight(task.start)), bisect_right(times, now)
    for (day, kind, role), (amount, count) in summed(task.known.moved[since:until]).items():
        row = DailyFlow(
            connection=connection,
            asset=task.asset,
            day=day,
            kind=kind,
            role=role,
            amount=amount,
            count=count,
        )
        if fits(amount):
            yield (task.asset, day, kind, role), row


def _differs(new: DailyFlow, old: DailyFlow) -> bool:
    return new.amount != old.amount or new.count != old.count
