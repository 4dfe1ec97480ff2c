"""What is held and what it was worth over time as files: in USD, and in the currency of the user with the rate used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from portfolio import valuation
from portfolio.looks import Money, bounds, line, rated, valued_now
from portfolio.valuation import Holding, Portfolio
from portfolio.views.files import Row, as_csv, as_json
from portfolio.views.page import Request, now
from portfolio.views.spans import chosen_span

SAID_IN = ("currency", "rate", "rate_source", "rate_at", "usdt_at_par")
HELD = ("connection", "exchange", "asset", "quantity", "available", "locked", "pending", "as_of")
PRICED = ("price_usd", "price_source", "price_at", "value_usd", "price", "value")
OVER_TIME = ("at", "value", "currency", "rate", "value_usd", "held", "priced", "uncertain")


@require_safe
def holdings(request: Request, form: str) -> HttpResponse:
    """The holdings with their prices and values; as JSON the total with its coverage and bounds too."""
    moment = now()
    portfolio, money = valued_now(request.user, moment)
    said, rows = _said(money), [_holding(held, money) for held in portfolio.holdings]
    if form == "csv":
        return as_csv((*HELD, *PRICED, *SAID_IN), [row | said for row in rows], "holdings")
    if form != "json":
        raise Http404
    return as_json({"at": moment, **said, **_total(portfolio, money), "holdings": rows}, "holdings")


@require_safe
def worth(request: Request, form: str) -> HttpResponse:
    """The line of the overview's chart; its last row is the headline."""
    if form not in {"csv", "json"}:
        raise Http404
    rows = list(_worth(request))
    return as_csv(OVER_TIME, rows, "worth") if form == "csv" else as_json(rows, "worth")


def _worth(request: Request) -> Iterator[Row]:
    moment, span = now(), chosen_span(request)
    portfolio, money = valued_now(request.user, moment)
    told = valuation.worth(request.user, span, moment, portfolio, at_par=money.at_par)
    rates = rated(money, told, None, moment)
    for place, (point, shown) in enumerate(zip(told, line(told, rates), strict=True)):
        is_last = place == len(told) - 1
        yield {
            "at": point.at,
            "value": shown.value,
            "currency": money.currency,
            "rate": money.rate_now if is_last else rates.rate_at(point.at),
            "value_usd": point.value_usd,
            "held": point.held,
            "priced": point.priced,
            "uncertain": int(point.uncertain),
        }


def _said(money: Money) -> dict[str, Any]:
    return {
        "currency": money.currency,
        "rate": money.rate_now,
        "rate_source": money.now.source if money.now else None,
        "rate_at": money.now.at if money.now else None,
        "usdt_at_par": int(money.at_par),
    }


def _total(portfolio: Portfolio, money: Money) -> dict[str, Any]:
    limits = bounds(portfolio)
    return {
        "total": money.shown(portfolio.total_usd),
        "total_usd": portfolio.total_usd,
        "held": portfolio.held,
        "priced": portfolio.priced,
        "unpriced": portfolio.unpriced,
        "low": money.shown(limits.low),
        "high": money.shown(limits.high),
        "oldest_price_at": portfolio.oldest_price_at,
    }


def _holding(held: Holding, money: Money) -> dict[str, Any]:
    price = held.price
    return {
        "connection": held.connection.label,
        "exchange": held.connection.exchange,
        "asset": held.asset,
        "quantity": held.quantity,
        "available": held.available,
        "locked": held.locked,
        "pending": held.pending,
        "as_of": held.as_of,
        "price_usd": price.usd if price else None,
        "price_source": price.source if price else None,
        "price_at": price.at if price else None,
        "value_usd": held.value_usd,
        "price": money.shown(price.usd) if price else None,
        "value": money.shown(held.value_usd),
    }
