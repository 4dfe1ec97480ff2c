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
from portfolio import charts, valuation
from portfolio.models import Transaction
from portfolio.valuation import Part, Portfolio
from portfolio.views.holdings import grouped
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
    portfolio = valuation.portfolio_of(request.user, moment)
    verdicts = Verdicts(connections)
    points = valuation.worth(request.user, span, moment, portfolio)
    context: dict[str, Any] = {
        "now": moment,
        **_connections(connections, moment, verdicts),
        "portfolio": portfolio,
        "change": valuation.change(request.user, span, moment, portfolio),
        "figure": charts.worth_figure(points),
        "is_uncertain": any(point.uncertain for point in points),
        "is_drawn": any(point.value_usd is not None for point in points),
        "spans": Choice.all(span),
    }
    if not request.htmx:
        context |= _rest(connections, portfolio, moment, verdicts)
    return page(request, "overview.html", context, section="overview", part="worth")


def strip(request: Request, connections: list[Connection], moment: datetime) -> HttpResponse:
    """The strip of connections while a first sync runs; when none does any more, the whole page is loaded anew."""
    context = {"now": moment, **_connections(connections, moment, Verdicts(connections))}
    response = page(request, "overview.html", context, section="overview", part="strip")
    if not context["is_first_sync"]:
        response["HX-Refresh"] = "true"
    return response


def allocation(name: str, parts: Sequence[Part]) -> Allocation:
    """The largest slices, and the others together, so that the colours last."""
    priced = [part for part in parts if part.value_usd and part.share is not None]
    largest, others = priced[:SLICES], priced[SLICES:]
    if len(others) > 1:
        largest.append(_together(others))
    else:
        largest += others
    figure = charts.allocation_figure(largest)
    return Allocation(shown=tuple(largest), figure=figure, figure_id=f"{name}-figure")


def _connections(connections: list[Connection], moment: datetime, verdicts: Verdicts) -> dict[str, Any]:
    waiting = (c.synced_at is None and c.state == State.ACTIVE for c in connections)
    return {
        "standings": standings(connections, moment, verdicts.by_connection),
        "is_first_sync": any(waiting),
    }


def _rest(
    connections: list[Connection], portfolio: Portfolio, moment: datetime, verdicts: Verdicts
) -> dict[str, Any]:
    groups = grouped(portfolio, "asset", "-value", moment, verdicts)
    return {
        "strip": verdicts.strip(portfolio),
        "rows": groups[0].rows[:ROWS] if groups else (),
        "by_asset": allocation("by-asset", portfolio.by_asset()),
        "by_exchange": allocation("by-exchange", portfolio.by_exchange()),
        "movements": newest([Transaction.objects.of(c) for c in connections], MOVEMENTS),
    }


def _together(parts: Sequence[Part]) -> Part:
    return Part(
        key="",
        label=f"{len(parts)} others",
        holdings=tuple(h for part in parts for h in part.holdings),
        value_usd=sum((part.value_usd or Decimal(0) for part in parts), Decimal(0)),
        share=sum((part.share or Decimal(0) for part in parts), Decimal(0)),
    )
