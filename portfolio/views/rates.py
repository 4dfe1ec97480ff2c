"""The prices of what the user holds or held: how much, from whom, by which route, how old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from portfolio import charts
from portfolio import rates as prices
from portfolio.looks import money_now
from portfolio.models import BalanceSnapshot, DailyPrice
from portfolio.rates import DayPrice, Price
from portfolio.valuation import Span, own
from portfolio.views.derivation import legs_of
from portfolio.views.page import Request, now, page
from portfolio.views.spans import Choice, chosen_span, first_day
from portfolio.views.sparklines import Sparkline, sparklines


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One asset with its price, if it has one."""

    asset: str
    price: Price | None
    sparkline: Sparkline | None


@require_safe
def rates(request: Request) -> HttpResponse:
    """The table of prices."""
    moment = now()
    assets = known_assets(request)
    found = own.prices_now(request.user, assets, moment)
    lines = sparklines(assets, moment)
    rows = [Row(asset=a, price=found.get(a), sparkline=lines.get(a)) for a in assets]
    context: dict[str, Any] = {
        "now": moment,
        "rows": sorted(rows, key=lambda row: row.price is None),
        "money": money_now(request.user, moment),
    }
    return page(request, "rates.html", context, section="rates", part="table")


def known_assets(request: Request) -> list[str]:
    """The assets that the user's balances name, by name."""
    mine = BalanceSnapshot.objects.for_user(request.user).filter(newest=True)
    return list(mine.order_by("asset").values_list("asset", flat=True).distinct())


@require_safe
def rate(request: Request, asset: str) -> HttpResponse:
    """One asset's price over time, and how the current one is made."""
    moment = now()
    if asset not in known_assets(request):
        raise Http404
    span = chosen_span(request)
    found = own.prices_now(request.user, [asset], moment).get(asset)
    context: dict[str, Any] = {
        "now": moment,
        "asset": asset,
        "price": found,
        "money": money_now(request.user, moment),
        "spans": Choice.all(span),
        "figure": charts.rate_figure(history(asset, span, moment), found),
    }
    if not request.htmx:
        context["legs"] = legs_of(found)
        context["reason"] = "" if found else prices.why_unpriced(asset, moment)
    return page(request, "rate.html", context, section="rates", part="history")


def history(asset: str, span: Span, moment: datetime) -> list[DayPrice]:
    """The price at the end of each day of the span that has one."""
    last = moment.date()
    start = first_day(span, moment) or _first_known(asset) or last
    known = prices.daily([asset], start, last)
    return sorted(known.values(), key=lambda price: price.day)


def _first_known(asset: str) -> date | None:
    return DailyPrice.objects.filter(asset=asset).order_by("day").values_list("day", flat=True).first()
