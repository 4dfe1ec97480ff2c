"""How it did: figures that explain themselves, what the same money would have become elsewhere, and how deep it fell."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from portfolio import drawings
from portfolio.performance import CARDS, Benchmark, Card, Report, report
from portfolio.returns import Figure
from portfolio.views.files import as_csv, as_json
from portfolio.views.looking import Looking, looking
from portfolio.views.page import Request, page

COLUMNS = ("date", "value", "flow", "flow_at_start", "index", "drawdown", "in_btc", "in_eth", "in_usd")
CONVENTION = (
    "A day's growth is (value + out) / (value before + in): money comes in at the start of its day and leaves at "
    "its end. Flows are valued at the close of their day; in the time-weighted chain what comes in is valued at the "
    "close before (flow_at_start), unless nothing of it was held then. XIRR: years of 365 days, the closing value on "
    "the day after the last, an opening value on the day after its own."
)


@require_safe
def returns(request: Request) -> HttpResponse:
    """The page; as a fragment its figures for another look."""
    found = looking(request)
    made = report(found.look, found.money)
    context: dict[str, Any] = {
        "found": found,
        "report": made,
        "cards": made.cards(),
        "currency": found.money.currency,
        "comparison": drawings.comparison(made),
        "falls": drawings.falls(made.index()),
        "tab": "returns",
    }
    return page(request, "returns.html", context, section="returns", part="results")


@require_safe
def method(request: Request, name: str) -> HttpResponse:
    """One figure with everything that it was computed from, computed again."""
    if name not in CARDS:
        raise Http404
    found = looking(request)
    made = report(found.look, found.money)
    return as_json(_told(made.card(name), made, found))


@require_safe
def export(request: Request, form: str) -> HttpResponse:
    """All days with value, flow and index, and the benchmarks; as JSON the figures too."""
    found = looking(request)
    made = report(found.look, found.money)
    if form == "csv":
        return as_csv(COLUMNS, _days(made), "returns")
    if form != "json":
        raise Http404
    content = {
        **_which(found),
        "figures": {card.name: _figure(card.figure) for card in made.cards()},
        "benchmarks": [_benchmark(each) for each in made.benchmarks],
        "left_out": made.series.left_out,
        "convention": CONVENTION,
        "days": _days(made),
    }
    return as_json(content, "returns")


def _told(card: Card, made: Report, found: Looking) -> dict[str, Any]:
    return {
        "name": card.name,
        "title": card.title,
        **_figure(card.figure),
        "note": card.note,
        "formula": card.formula,
        "working": card.working,
        "misleads": card.misleads,
        "convention": CONVENTION,
        **_which(found),
        "left_out": made.series.left_out,
        "inputs": {
            "opening": made.returns.opening,
            "closing": made.returns.closing,
            "paid_in": made.returns.money_in,
            "taken_out": made.returns.money_out,
            "days": [{name: row[name] for name in COLUMNS[:4]} for row in _days(made)],
        },
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {"value": figure.value} | ({"reason": figure.reason} if figure.value is None else {})


def _which(found: Looking) -> dict[str, Any]:
    return {
        "connection": found.look.connection or None,
        "asset": found.look.asset or None,
        "since": found.look.since,
        "until": found.look.until,
        "currency": found.money.currency,
        "usdt_at_par": found.money.at_par,
    }


def _benchmark(each: Benchmark) -> dict[str, Any]:
    measured = each.returns
    return {
        "name": each.name,
        "closing": each.closing,
        "gain": each.gain,
        "twr": measured.twr.value if measured else None,
        "xirr": measured.xirr.value if measured else None,
        "reason": each.reason or (measured.twr.reason if measured else ""),
    }


def _days(made: Report) -> list[dict[str, Any]]:
    index = made.index()
    elsewhere = [{day.on: day.value for day in each.days} for each in made.benchmarks]
    rows = []
    for day, early in zip(made.series.days, made.series.chained, strict=True):
        level, fall = index.get(day.on, (None, None))
        others = [values.get(day.on) for values in elsewhere]
        cells = (day.on, day.value, day.flow, early.flow, level, fall, *others)
        rows.append(dict(zip(COLUMNS, cells, strict=True)))
    return rows
