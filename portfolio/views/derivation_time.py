"""Where figures over time come from: the change of a span as a sum of its parts, and the worth of one day.

Each answer is a page, a fragment for the sheet, and JSON (`?format=json`), with all digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from portfolio import valuation
from portfolio.fields import plain
from portfolio.models import DailyHolding, DailyPrice, DailyWorth
from portfolio.valuation import Change
from portfolio.views.derivation import wants_json
from portfolio.views.page import Request, now, page
from portfolio.views.spans import chosen_span


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One holding at the end of a day, with the price that valued it."""

    held: DailyHolding
    price: DailyPrice | None
    """None where it is unpriced, or where the user's own price counted."""

    @property
    def is_own(self) -> bool:
        """Whether the price is the user's own."""
        return self.held.price_usd is not None and self.price is None


@require_safe
def change(request: Request) -> HttpResponse:
    """How the change of a span is made: closing - opening - what came in + what went out."""
    moment, span = now(), chosen_span(request)
    portfolio = valuation.portfolio_of(request.user, moment)
    told = valuation.change(request.user, span, moment, portfolio)
    if wants_json(request):
        return JsonResponse(_change(told))
    context = {
        "now": moment,
        "change": told,
        "opening_day": None if told.since is None or span.is_short else told.since.date(),
    }
    return page(request, "derivation_change.html", context, section="overview", part="detail")


@require_safe
def day(request: Request, day: str) -> HttpResponse:
    """How the worth at the end of a day is made: quantity x price of each holding, and their sum."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise Http404 from None
    mine = DailyHolding.objects.for_user(request.user).filter(day=wanted).select_related("connection")
    held = [row for row in mine.order_by("asset", "connection__label", "pk") if row.quantity]
    prices = {
        row.asset: row for row in DailyPrice.objects.filter(day=wanted, asset__in={h.asset for h in held})
    }
    lines = [Line(held=row, price=_used(row, prices.get(row.asset))) for row in held]
    sums = DailyWorth.objects.for_user(request.user).filter(day=wanted).values_list("value_usd", flat=True)
    kept = list(sums)
    if not kept:
        raise Http404
    total = sum((row.value_usd for row in held if row.value_usd is not None), Decimal(0))
    if wants_json(request):
        return JsonResponse(
            {"day": wanted.isoformat(), "total_usd": plain(total), "holdings": [*map(_line, lines)]}
        )
    context = {
        "day": wanted,
        "lines": lines,
        "total": total,
        "is_today": wanted == now().date(),
        "differs": total != sum(kept, Decimal(0)),
    }
    return page(request, "derivation_day.html", context, section="overview", part="detail")


def _used(row: DailyHolding, price: DailyPrice | None) -> DailyPrice | None:
    return price if price is not None and price.price_usd == row.price_usd else None


def _line(line: Line) -> dict[str, Any]:
    row, price = line.held, line.price
    return {
        "connection": row.connection.label,
        "asset": row.asset,
        "quantity": plain(row.quantity),
        "certainty": row.certainty,
        "price_usd": None if row.price_usd is None else plain(row.price_usd),
        "value_usd": None if row.value_usd is None else plain(row.value_usd),
        "price_source": price.source if price else "own" if line.is_own else None,
        "price_route": price.route if price else None,
        "price_at": price.at.isoformat() if price else None,
    }


def _change(told: Change) -> dict[str, Any]:
    return {
        "span": told.span.value,
        "since": told.since.isoformat() if told.since else None,
        "opening_usd": plain(told.opening),
        "closing_usd": plain(told.closing),
        "paid_in_usd": plain(told.paid_in),
        "paid_out_usd": plain(told.paid_out),
        "gain_usd": None if told.gain is None else plain(told.gain),
        "basis_usd": plain(told.basis),
        "percent": None if told.percent is None else plain(told.percent),
        "left_out": list(told.left_out),
        "reason": told.reason,
    }
