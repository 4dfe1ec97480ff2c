"""Sums what a connection held by day, so that pages read a row a day and not one for each asset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from django.db.models import Min

from accounts.models import Connection
from portfolio import rates
from portfolio.models import Certainty, DailyFlow, DailyHolding, DailyWorth, MonthlyChange
from portfolio.models.chunks import upsert
from portfolio.valuation.amounts import ZERO, usd

WORTH = (
    "value_usd", "flow_usd", "held", "priced", "uncertain", "came_before", "came_after", "assets",
)  # fmt: skip
_READ = ("asset", "quantity", "price_usd", "value_usd", "flow", "flow_usd", "certainty")
DAY = timedelta(days=1)


def keep(connection: Connection, first: date | None, last: date) -> None:
    """Tell the sums from `first` on (None: all); days without holdings, within the connection's life, are nothing."""
    holdings = DailyHolding.objects.of(connection)
    begin = holdings.aggregate(day=Min("day"))["day"]
    if begin is None:
        DailyWorth.objects.of(connection).delete()
        return
    start = begin if first is None else max(first, begin)
    rows = list(_sums(connection, start, last))
    kept = DailyWorth.objects.of(connection)
    there = {row.day: row for row in kept.filter(day__range=(start, last))}
    changed = [row for row in rows if row.day not in there or _differs(row, there[row.day])]
    upsert(DailyWorth.objects.all(), changed, unique=("connection", "day"), update=WORTH)
    kept.filter(day__lt=begin).delete()


def _sums(connection: Connection, start: date, last: date) -> Iterator[DailyWorth]:
    """Each day, from the holdings of two days at a time."""
    held = DailyHolding.objects.of(connection).filter(day__range=(start - DAY, last)).order_by("day")
    by_day = groupby(held.values_list("day", *_READ).iterator(), key=itemgetter(0))
    before: list[_Row] = []
    following = next(by_day, None)
    for day in rates.days(start - DAY, last):
        rows = []
        if following and following[0] == day:
            rows = [_Row(*rest) for _, *rest in following[1]]
            following = next(by_day, None)
        if day >= start:
            yield _worth(connection, day, rows, before)
        before = rows


def arrived(flow: Decimal, before: Decimal | None, close: Decimal | None) -> tuple[Decimal, Decimal] | None:
    """What came in, at the close before its day and at that of its day; None where it left, or lacks a price."""
    if flow <= 0:
        return None
    at_first, at_last = usd(flow, before), usd(flow, close)
    return None if at_first is None or at_last is None else (at_first, at_last)


def forget_months(connection: Connection) -> Callable[[Sequence[DailyHolding | DailyFlow]], None]:
    """What is to be done in each transaction that changes rows of days: months summed from them are true no longer.

    The lock lets nobody sum a month between its deletion and the change.
    """

    def forget(rows: Sequence[DailyHolding | DailyFlow]) -> None:
        Connection.objects.select_for_update().filter(pk=connection.pk).first()
        MonthlyChange.objects.of(connection).of_days({row.day for row in rows}).delete()

    return forget


class _Row:
    """One asset of the connection at the end of a day."""

    __slots__ = ("asset", "certainty", "flow", "flow_usd", "price", "quantity", "value")

    def __init__(
        self,
        asset: str,
        quantity: Decimal,
        price: Decimal | None,
        value: Decimal | None,
        flow: Decimal,
        flow_usd: Decimal | None,
        certainty: str,
    ) -> None:
        self.asset, self.quantity, self.price, self.value = asset, quantity, price, value
        self.flow, self.flow_usd, self.certainty = flow, flow_usd, certainty


def _worth(connection: Connection, day: date, rows: list[_Row], before: Iterable[_Row]) -> DailyWorth:
    prices = {row.asset: row.price for row in before if row.quantity}
    came = [found for row in rows if (found := arrived(row.flow, prices.get(row.asset), row.price))]
    held = [row for row in rows if row.quantity]
    return DailyWorth(
        connection=connection,
        day=day,
        value_usd=sum((row.value for row in rows if row.value is not None), ZERO),
        flow_usd=sum((row.flow_usd for row in rows if row.flow_usd is not None), ZERO),
        held=len(held),
        priced=sum(row.value is not None for row in held),
        uncertain=sum(row.certainty == Certainty.UNCERTAIN for row in held),
        came_before=sum((at_first for at_first, _ in came), ZERO),
        came_after=sum((at_last for _, at_last in came), ZERO),
        assets=f" {' '.join(sorted(row.asset for row in rows))} " if rows else "",
    )


def _differs(new: DailyWorth, old: DailyWorth) -> bool:
    return any(getattr(new, name) != getattr(old, name) for name in WORTH)
