"""What a page of returns or of a bridge is to look at, as its address says; what cannot be read counts as not said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.http import Http404, QueryDict

from portfolio.looks import Look, Money, Period, UnknownConnection, look, money_of
from portfolio.models import BalanceSnapshot
from portfolio.views.page import Request, now

LONGEST = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One choice of how far back to look."""

    label: str
    query: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """The look, its currency, and the address that leads to it again."""

    look: Look
    money: Money
    period: str
    query: str
    segments: tuple[Segment, ...]
    assets: tuple[str, ...]
    own_span: bool

    @property
    def shown_since(self) -> date:
        """The day at whose close the look begins."""
        return self.look.since


def looking(request: Request) -> Looking:
    """What is asked for; somebody else's connection is no connection: 404."""
    said = request.GET
    connection = said.get("connection", "")
    asset = said.get("asset", "").strip()
    asset = "" if len(asset) > LONGEST or "\0" in asset else asset
    period = _period(said.get("span", ""))
    since, until = _day(said.get("since", "")), _day(said.get("until", ""))
    try:
        found = look(
            request.user, now(), connection=connection, asset=asset, period=period, since=since, until=until
        )
    except UnknownConnection:
        raise Http404 from None
    own_span = bool(since or until)
    chosen = {"connection": connection, "asset": asset}
    span = (
        {"since": found.since.isoformat(), "until": found.until.isoformat()}
        if own_span
        else {"span": period.value}
    )
    held = BalanceSnapshot.objects.for_user(request.user).filter(newest=True).order_by("asset")
    return Looking(
        look=found,
        money=money_of(found),
        period="" if own_span else period.value,
        query=_query(chosen | span),
        segments=tuple(
            Segment(
                label="All" if each is Period.ALL else each.value,
                query=_query(chosen | {"span": each.value}),
                is_chosen=not own_span and each is period,
            )
            for each in Period
        ),
        assets=tuple(held.values_list("asset", flat=True).distinct()),
        own_span=own_span,
    )


def rows_query(found: Looking, kind: str, role: str = "") -> str:
    """The address of the ledger's rows of one kind, or with an amount in one role, that are looked at."""
    first = found.look.since + timedelta(days=1)
    return _query(
        {
            "connection": found.look.connection,
            "asset": found.look.asset,
            "kind": kind,
            "role": role,
            "status": "completed",
            "since": first.isoformat(),
            "until": found.look.until.isoformat(),
        }
    )


def _period(text: str) -> Period:
    try:
        return Period(text)
    except ValueError:
        return Period.YEAR


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return day if day and 2000 <= day.year <= 9000 else None


def _query(said: dict[str, str]) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in said.items() if value})
    return query.urlencode()
