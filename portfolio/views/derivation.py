"""Where a figure comes from: value to quantity and price, quantity to balance and raw reply, price to quotes.

Each answer is a page, a fragment for the sheet, and JSON (`?format=json`), with all digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, zip_longest
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from portfolio import rates, valuation
from portfolio.fields import plain
from portfolio.looks import USDT, Money, money_now, valued_now
from portfolio.models import BalanceSnapshot, Rate
from portfolio.rates import Price
from portfolio.valuation import own, par
from portfolio.views.page import Request, now, page


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One step of a price's route: from one asset to the next, by a quote."""

    start: str
    to: str
    quote: Rate | None


@require_safe
def balance(request: Request, pk: int) -> HttpResponse:
    """A quantity: the balance as the exchange said it, when it was seen, and the reply itself."""
    mine = BalanceSnapshot.objects.for_user(request.user).select_related("connection", "raw", "raw__run")
    snapshot = get_object_or_404(mine, pk=pk)
    if wants_json(request):
        return JsonResponse(_balance(snapshot))
    context = {"snapshot": snapshot, "locked": snapshot.total - snapshot.available}
    return page(request, "derivation_balance.html", context, section="holdings", part="detail")


@require_safe
def price(request: Request, asset: str) -> HttpResponse:
    """A price: its route to the dollar and the quote of each step, with source and time."""
    moment = now()
    found = own.prices_now(request.user, [asset], moment).get(asset)
    money = money_now(request.user, moment)
    counted = par.price(moment) if money.at_par and asset == USDT else found
    legs = legs_of(found)
    reason = "" if found else rates.why_unpriced(asset, moment)
    if wants_json(request):
        told = {**_price(asset, found, legs, reason), "counted_usd": plain(counted.usd) if counted else None}
        return JsonResponse(told | conversion(money, counted.usd if counted else None, "price"))
    context = {
        "now": moment,
        "asset": asset,
        "price": found,
        "counted": counted,
        "money": money,
        "legs": legs,
        "reason": reason,
    }
    return page(request, "derivation_price.html", context, section="rates", part="detail")


@require_safe
def value(request: Request, asset: str = "") -> HttpResponse:
    """A value: quantity times price of each holding, and their sum; of one asset, or of all."""
    moment = now()
    portfolio, money = valued_now(request.user, moment)
    lines = [h for h in portfolio.holdings if not asset or h.asset == asset]
    if asset and not lines:
        raise Http404
    values = [h.value_usd for h in lines if h.value_usd is not None]
    total = sum(values, Decimal(0))
    if wants_json(request):
        told = {"at": moment.isoformat(), "total_usd": plain(total), "usdt_at_par": money.at_par}
        rows = {"holdings": [_line(h) for h in lines]}
        return JsonResponse(told | conversion(money, total, "total") | rows)
    context = {
        "now": moment,
        "asset": asset,
        "money": money,
        "lines": lines,
        "total": total,
        "shown": money.shown(total),
        "priced": len(values),
    }
    return page(request, "derivation_value.html", context, section="holdings", part="detail")


def conversion(money: Money, usd: Decimal | None, name: str) -> dict[str, Any]:
    """How an amount in dollars of now is said in the currency of the look, for JSON; null where there is no rate."""
    shown = money.shown(usd)
    return {
        name: None if shown is None else plain(shown),
        "currency": money.currency,
        "rate": None if money.rate_now is None else plain(money.rate_now),
        "rate_source": money.now.source if money.now else None,
        "rate_at": money.now.at.isoformat() if money.now else None,
    }


def wants_json(request: Request) -> bool:
    """Whether the address asks for JSON."""
    return request.GET.get("format") == "json"


def legs_of(found: Price | None) -> list[Leg]:
    """The steps of a route with their quotes; one query."""
    if found is None:
        return []
    quotes = Rate.objects.in_bulk(found.legs)
    steps = zip_longest(pairwise(found.route), found.legs)
    return [Leg(start=step[0], to=step[1], quote=quotes.get(pk)) for step, pk in steps if step and quotes]


def _balance(snapshot: BalanceSnapshot) -> dict[str, Any]:
    return {
        "connection": snapshot.connection.label,
        "exchange": snapshot.connection.exchange,
        "asset": snapshot.asset,
        "total": plain(snapshot.total),
        "available": plain(snapshot.available),
        "pending": plain(snapshot.pending),
        "first_seen": snapshot.first_seen.isoformat(),
        "last_seen": snapshot.last_seen.isoformat(),
        "raw": {
            "stream": snapshot.raw.stream,
            "source_id": snapshot.raw.source_id,
            "sha256": snapshot.raw.digest,
            "received_at": snapshot.raw.received_at.isoformat(),
            "body": snapshot.raw.body,
        },
    }


def _price(asset: str, found: Price | None, legs: list[Leg], reason: str) -> dict[str, Any]:
    if found is None:
        return {"asset": asset, "price_usd": None, "reason": reason}
    return {
        "asset": asset,
        "price_usd": plain(found.usd),
        "source": found.source,
        "route": list(found.route),
        "at": found.at.isoformat(),
        "quotes": [
            {
                "base": q.base,
                "counter": q.counter,
                "price": plain(q.price),
                "source": q.source,
                "at": q.at.isoformat(),
            }
            for q in (leg.quote for leg in legs)
            if q
        ],
    }


def _line(holding: valuation.Holding) -> dict[str, Any]:
    return {
        "connection": holding.connection.label,
        "asset": holding.asset,
        "quantity_from": reverse("derivation_balance", args=[holding.snapshot_id]),
        "price_from": reverse("derivation_price", args=[holding.asset]),
        "quantity": plain(holding.quantity),
        "price_usd": plain(holding.price.usd) if holding.price else None,
        "value_usd": None if holding.value_usd is None else plain(holding.value_usd),
    }
