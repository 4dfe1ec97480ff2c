"""Which part of a user's things, over which days. Everything starts from the user; a stranger's connection is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Min, QuerySet

from accounts.models import Connection
from portfolio.models import DailyHolding, DailyWorth

DAY = timedelta(days=1)


class Period(StrEnum):
    """How far back one looks, in whole days up to now."""

    WEEK = "1W"
    MONTH = "1M"
    QUARTER = "3M"
    YEAR = "1Y"
    ALL = "ALL"

    @property
    def days(self) -> int | None:
        """How many days; None means since the beginning."""
        return {"1W": 7, "1M": 30, "3M": 91, "1Y": 365}.get(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is looked at: from the close of `since` to the close of `until`, which for today is now.

    `connections` are those chosen; `lives` says on which day the history of each begins.
    """

    user: Any
    now: datetime
    every: tuple[Connection, ...]
    connections: tuple[Connection, ...]
    lives: dict[int, date]
    connection: str
    asset: str
    since: date
    until: date
    from_beginning: bool

    @property
    def today(self) -> bool:
        """Whether the span ends now, so that the headline is its end."""
        return self.until == self.now.date()

    @property
    def keys(self) -> frozenset[int]:
        """The primary keys of the chosen connections."""
        return frozenset(connection.pk for connection in self.connections)

    def holdings(self) -> QuerySet[DailyHolding]:
        """The daily holdings of the span, both its ends included."""
        rows = DailyHolding.objects.for_user(self.user).filter(day__range=(self.since, self.until))
        narrowed: QuerySet[DailyHolding] = self.narrowed(rows)
        return narrowed

    def narrowed(self, rows: Any) -> Any:
        """Rows with a connection and an asset, as far as they are looked at."""
        if self.connection:
            rows = rows.filter(connection__in=self.keys)
        return rows.filter(asset=self.asset) if self.asset else rows


class UnknownConnection(LookupError):
    """There is no such connection of this user's."""


def look(
    user: Any,
    now: datetime,
    *,
    connection: str = "",
    asset: str = "",
    period: Period = Period.YEAR,
    since: date | None = None,
    until: date | None = None,
) -> Look:
    """What these words mean for this user: two queries. Raises `UnknownConnection`.

    `since` and `until` come before `period`; a span that would begin before all that is known begins there.
    """
    every = tuple(Connection.objects.for_user(user).order_by("label", "pk"))
    chosen = tuple(c for c in every if connection in ("", c.public_id))
    if connection and not chosen:
        raise UnknownConnection(connection)
    first_days = DailyWorth.objects.for_user(user).order_by().values_list("connection")
    lives = dict(first_days.annotate(first=Min("day")))
    today = now.date()
    last = min(until or today, today)
    begin = min((lives[c.pk] for c in chosen if c.pk in lives), default=last) - DAY
    start = since or (last - timedelta(days=period.days) if period.days else begin)
    start = max(begin, min(start, last - DAY))
    return Look(
        user=user,
        now=now,
        every=every,
        connections=chosen,
        lives=lives,
        connection=connection,
        asset=asset,
        since=start,
        until=max(last, start + DAY),
        from_beginning=start == begin,
    )
