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

from portfolio import rates, valuation
from portfolio.fields import plain
from portfolio.looks import (
    USDT,
    Money,
    ShownChange,
    change_in,
    choice_of,
    money_now,
    rated,
    times,
    valued_now,
)
from portfolio.models import DailyHolding, DailyPrice, DailyWorth
from portfolio.rates import DayPrice
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
    at_par: bool
    """Whether it counts as one dollar each, whatever the market said."""

    @property
    def price_usd(self) -> Decimal | None:
        """The price that counts."""
        return Decimal(1) if self.at_par else self.held.price_usd

    @property
    def value(self) -> Decimal | None:
        """What it was worth in USD; None where it is unpriced."""
        return valuation.usd(self.held.quantity, Decimal(1)) if self.at_par else self.held.value_usd

    @property
    def is_own(self) -> bool:
        """Whether the price is the user's own."""
        return self.held.price_usd is not None and self.price is None and not self.at_par


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One amount of a change with the rate at which it is converted."""

    what: str
    at: date
    usd: Decimal
    rate: Decimal | None
    value: Decimal | None


@require_safe
def change(request: Request) -> HttpResponse:
    """How the change of a span is made: closing - opening - what came in + what went out."""
    moment, span = now(), chosen_span(request)
    portfolio, money = valued_now(request.user, moment)
    told = valuation.change(request.user, span, moment, portfolio, at_par=money.at_par)
    seen = rated(money, (), told, moment)
    shown, steps = change_in(told, seen), _steps(told, seen, moment.date())
    if wants_json(request):
        return JsonResponse(_change(told, shown, steps, money))
    context = {
        "now": moment,
        "change": shown,
        "steps": steps,
        "money": money,
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
    at_par = choice_of(request.user).usdt_at_par
    lines = [
        Line(held=row, price=_used(row, prices.get(row.asset)), at_par=at_par and row.asset == USDT)
        for row in held
    ]
    sums = DailyWorth.objects.for_user(request.user).filter(day=wanted).values_list("value_usd", flat=True)
    kept = list(sums)
    if not kept:
        raise Http404
    market = sum((row.value_usd for row in held if row.value_usd is not None), Decimal(0))
    money = money_now(request.user, now()).over(wanted, wanted, ends_now=False)
    rate_price = rates.daily([money.currency], wanted, wanted).get((money.currency, wanted))
    total = sum((line.value for line in lines if line.value is not None), Decimal(0))
    if wants_json(request):
        told = {"day": wanted.isoformat(), "total_usd": plain(total), "usdt_at_par": money.at_par}
        return JsonResponse(
            told | _of_day(money, wanted, total, rate_price) | {"holdings": [*map(_line, lines)]}
        )
    context = {
        "day": wanted,
        "lines": lines,
        "total": total,
        "shown": times(total, money.rate(wanted)),
        "money": money,
        "rate": money.rate(wanted),
        "rate_price": rate_price,
        "is_today": wanted == now().date(),
        "differs": market != sum(kept, Decimal(0)),
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
        "price_usd": None if line.price_usd is None else plain(line.price_usd),
        "value_usd": None if line.value is None else plain(line.value),
        "price_source": "par" if line.at_par else price.source if price else "own" if line.is_own else None,
        "price_route": price.route if price else None,
        "price_at": price.at.isoformat() if price else None,
    }


def _of_day(money: Money, day: date, total: Decimal, price: DayPrice | None) -> dict[str, Any]:
    """A day's total in the currency of the look, with the rate and where it comes from."""
    rate, shown = money.rate(day), times(total, money.rate(day))
    return {
        "total": None if shown is None else plain(shown),
        "currency": money.currency,
        "rate": None if rate is None else plain(rate),
        "rate_source": price.source if price else None,
        "rate_at": price.at.isoformat() if price else None,
    }


def _steps(told: Change, money: Money, today: date) -> list[Step]:
    """All that is added up, each at the rate of its day: openings, flows, closing."""
    openings = [("opening", at.date(), value, money.rate_at(at)) for at, value in told.openings]
    flows = [("flow", day, flow, money.rate(day)) for day, flow in sorted(told.flowed.items()) if flow]
    parts = [*openings, *flows, ("closing", today, told.closing, money.rate_now)]
    return [
        Step(what=what, at=at, usd=usd, rate=rate, value=times(usd, rate)) for what, at, usd, rate in parts
    ]


def _change(told: Change, shown: ShownChange, steps: list[Step], money: Money) -> dict[str, Any]:
    return {
        **_change_usd(told),
        "reason": shown.reason,
        "currency": shown.currency,
        "usdt_at_par": money.at_par,
        "opening": None if shown.opening is None else plain(shown.opening),
        "closing": None if shown.closing is None else plain(shown.closing),
        "paid_in": plain(shown.paid_in),
        "paid_out": plain(shown.paid_out),
        "gain": None if shown.gain is None else plain(shown.gain),
        "percent": None if shown.percent is None else plain(shown.percent),
        "steps": [
            {
                "what": step.what,
                "day": step.at.isoformat(),
                "usd": plain(step.usd),
                "rate": None if step.rate is None else plain(step.rate),
            }
            for step in steps
        ],
    }


def _change_usd(told: Change) -> dict[str, Any]:
    return {
        "span": told.span.value,
        "since": told.since.isoformat() if told.since else None,
        "opening_usd": plain(told.opening),
        "closing_usd": plain(told.closing),
        "paid_in_usd": plain(told.paid_in),
        "paid_out_usd": plain(told.paid_out),
        "gain_usd": None if told.gain is None else plain(told.gain),
        "basis_usd": plain(told.basis),
        "percent_usd": None if told.percent is None else plain(told.percent),
        "left_out": list(told.left_out),
    }
