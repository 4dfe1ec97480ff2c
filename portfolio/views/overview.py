"""The first page: what it is worth, how that came, where it is, and whether every source is fresh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts.models import Connection, State
from portfolio import charts, performance, valuation
from portfolio.looks import (
    Money,
    Period,
    bounds,
    change_in,
    line,
    look,
    money_of,
    rated,
    valued_now,
)
from portfolio.models import Transaction
from portfolio.valuation import Part, Portfolio, Span
from portfolio.views.holdings import rows_of
from portfolio.views.keyset import newest
from portfolio.views.page import Request, now, page
from portfolio.views.spans import Choice, chosen_span
from portfolio.views.standing import standings
from portfolio.views.verdicts import Verdicts

ROWS = 8
MOVEMENTS = 8
SLICES = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How the total is divided: the largest parts by name, what remains as one."""

    shown: tuple[Part, ...]
    figure: dict[str, Any]
    figure_id: str


@require_safe
def overview(request: Request) -> HttpResponse:
    """Everything at a glance; as a fragment the total and its chart for another span."""
    moment = now()
    span = chosen_span(request)
    connections = list(Connection.objects.for_user(request.user).order_by("label", "pk"))
    if request.htmx and request.htmx.target == "strip":
        return strip(request, connections, moment)
    portfolio, money = valued_now(request.user, moment, connections)
    verdicts = Verdicts(connections)
    context: dict[str, Any] = {
        "now": moment,
        **_connections(connections, moment, verdicts),
        "portfolio": portfolio,
        "bounds": bounds(portfolio),
        "money": money,
        **_worth(request, span, moment, portfolio, money),
    }
    if not request.htmx:
        context |= _rest(connections, portfolio, money, moment, verdicts)
    return page(request, "overview.html", context, section="overview", part="worth")


def _worth(
    request: Request, span: Span, moment: datetime, portfolio: Portfolio, money: Money
) -> dict[str, Any]:
    """The change of a span and its line, beside it what the same money would have become elsewhere, when asked for."""
    user, at_par = request.user, money.at_par
    missing = valuation.unpriced(user, span.eve(moment), moment.date(), at_par=at_par)
    kept = valuation.kept_days(user, span, moment)
    told = valuation.worth(user, span, moment, portfolio, at_par=at_par, missing=missing, kept=kept)
    change = valuation.change(user, span, moment, portfolio, at_par=at_par, missing=missing, kept=kept)
    rates = rated(money, told, change, moment)
    points = line(told, rates)
    benchmarks = _elsewhere(request, span, moment, portfolio) if "compare" in request.GET else ()
    return {
        "change": change_in(change, rates),
        "figure": charts.worth_figure(points, money.currency, benchmarks),
        "is_uncertain": any(point.uncertain for point in points),
        "is_drawn": any(point.value is not None for point in points),
        "is_comparable": span is not Span.DAY,
        "is_compared": "compare" in request.GET,
        "benchmarks": benchmarks,
        "span": span.value,
        "spans": Choice.all(span),
    }


def _elsewhere(
    request: Request, span: Span, moment: datetime, portfolio: Portfolio
) -> tuple[performance.Benchmark, ...]:
    """The benchmarks of the page of returns for the same span; a day is too short for daily closes."""
    if span is Span.DAY:
        return ()
    looked = look(request.user, moment, period=Period(span.value))
    return performance.compared(looked, money_of(looked), portfolio)


def strip(request: Request, connections: list[Connection], moment: datetime) -> HttpResponse:
    """The strip of connections while a first sync runs; when none does any more, the whole page is loaded anew."""
    context = {"now": moment, **_connections(connections, moment, Verdicts(connections))}
    response = page(request, "overview.html", context, section="overview", part="strip")
    if not context["is_first_sync"]:
        response["HX-Refresh"] = "true"
    return response


def allocation(name: str, parts: Sequence[Part], money: Money) -> Allocation:
    """The largest slices, and the others together, so that the colours last."""
    priced = [part for part in parts if part.value_usd and part.share is not None]
    largest, others = priced[:SLICES], priced[SLICES:]
    if len(others) > 1:
        largest.append(_together(others))
    else:
        largest += others
    figure = charts.allocation_figure(largest, money)
    return Allocation(shown=tuple(largest), figure=figure, figure_id=f"{name}-figure")


def _connections(connections: list[Connection], moment: datetime, verdicts: Verdicts) -> dict[str, Any]:
    waiting = (c.synced_at is None and c.state == State.ACTIVE for c in connections)
    return {
        "standings": standings(connections, moment, verdicts.by_connection),
        "is_first_sync": any(waiting),
    }


def _rest(
    connections: list[Connection],
    portfolio: Portfolio,
    money: Money,
    moment: datetime,
    verdicts: Verdicts,
) -> dict[str, Any]:
    parts = portfolio.by_asset()
    return {
        "strip": verdicts.strip(portfolio),
        "rows": rows_of(parts[:ROWS], moment, verdicts),
        "by_asset": allocation("by-asset", parts, money),
        "by_exchange": allocation("by-exchange", portfolio.by_exchange(), money),
        "movements": newest(
            [Transaction.objects.of(c) for c in connections], MOVEMENTS, connections=connections
        ),
    }


def _together(parts: Sequence[Part]) -> Part:
    return Part(
        key="",
        label=f"{len(parts)} others",
        holdings=tuple(h for part in parts for h in part.holdings),
        value_usd=sum((part.value_usd or Decimal(0) for part in parts), Decimal(0)),
        share=sum((part.share or Decimal(0) for part in parts), Decimal(0)),
    )
