"""From what it was worth to what it is worth: a waterfall whose bars sum to the last digit and open to their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from exchanges.records import Role
from portfolio import drawings
from portfolio.bridge import KINDS_OF, Bar, Bridge, Total, bridge
from portfolio.views.files import as_csv, as_json
from portfolio.views.looking import Looking, looking, rows_query
from portfolio.views.page import Request, page

MOST_PARTS = 12
ABOUT: Mapping[Bar, str] = {
    Bar.LATE: "What the opening turned out to be, less what was said when its day closed: rows that came late, other prices, corrections.",
    Bar.ADDED: "What was there already when a connection was added, as far as no row explains it.",
    Bar.DEPOSITS: "What came from outside, at the close of its day.",
    Bar.WITHDRAWALS: "What went outside, at the close of its day.",
    Bar.TRANSFERS: "What was moved to or from other wallets and users of the exchange.",
    Bar.OWN: "Confirmed transfers between your connections: what is left is the fee on the way and the price's move.",
    Bar.PRICES: "Quantity at the start of each day × change of its price.",
    Bar.SPREAD: "What trades brought against the close of their day: received less given, both at that close.",
    Bar.FEES: "Fees of all kinds, at the close of their day.",
    Bar.INCOME: "Interest, rebates, referrals, at the close of their day.",
    Bar.OTHER: "Adjustments of the exchange, and rows whose kind nobody knows.",
    Bar.FX: "Worth at the start of each day × change of the display currency's rate.",
    Bar.PRICED: "Holdings that got a price (+) or lost theirs (−), and what was exchanged for something without one.",
    Bar.UNEXPLAINED: "What remains: changes of balances that no row of the ledger explains.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one asset of one connection has of a bar."""

    asset: str
    connection: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One bar with its parts, the largest first, and where its rows of the ledger are."""

    name: str
    about: str
    amount: Decimal
    parts: tuple[Part, ...]
    others: int
    rest: Decimal
    links: tuple[tuple[str, str], ...]


@require_safe
def page_of_bridge(request: Request) -> HttpResponse:
    """The page; as a fragment the bridge of another look."""
    found = looking(request)
    made = bridge(found.look, found.money)
    labels = {c.pk: c.label for c in found.look.connections}
    by_connection = {labels[pk]: total for pk, total in made.by_connection().items()}
    context: dict[str, Any] = {
        "found": found,
        "bridge": made,
        "rows": _rows(made, found, labels),
        "by_connection": sorted(by_connection.items()),
        "by_asset": sorted(made.by_asset().items(), key=_size)[:MOST_PARTS],
        "currency": found.money.currency,
        "figure": drawings.waterfall(made.whole),
        "tab": "bridge",
    }
    return page(request, "bridge.html", context, section="returns", part="results")


@require_safe
def export(request: Request, form: str) -> HttpResponse:
    """Every bar of every holding, with all digits."""
    if form not in ("csv", "json"):
        raise Http404
    found = looking(request)
    made = bridge(found.look, found.money)
    labels = {c.pk: c.label for c in found.look.connections}
    rows = [
        {"connection": labels[one.connection], "asset": one.asset, "opening": one.opening}
        | {bar.name.lower(): one.bars.get(bar, Decimal(0)) for bar in Bar}
        | {"closing": one.closing}
        for one in made.statements
    ]
    if form == "csv":
        columns = ("connection", "asset", "opening", *(bar.name.lower() for bar in Bar), "closing")
        return as_csv(columns, rows, "bridge")
    content = {
        "since": found.look.since,
        "until": found.look.until,
        "currency": found.money.currency,
        "opening": made.whole.opening,
        "bars": {bar.name.lower(): made.whole.bars[bar] for bar in Bar},
        "closing": made.whole.closing,
        "reason": made.reason,
        "parts": rows,
    }
    return as_json(content, "bridge")


def _rows(made: Bridge, found: Looking, labels: Mapping[int, str]) -> list[Row]:
    return [
        _row(bar, made, found, labels) for bar in Bar if made.whole.bars[bar] or _parts(bar, made, labels)
    ]


def _row(bar: Bar, made: Bridge, found: Looking, labels: Mapping[int, str]) -> Row:
    parts = _parts(bar, made, labels)
    shown, rest = parts[:MOST_PARTS], parts[MOST_PARTS:]
    kinds = tuple(kind.value for kind in KINDS_OF[bar])
    if bar is Bar.OWN:
        kinds = ("withdrawal", "deposit")
    return Row(
        name=bar.value.capitalize(),
        about=ABOUT[bar],
        amount=made.whole.bars[bar],
        parts=tuple(shown),
        others=len(rest),
        rest=sum((part.amount for part in rest), Decimal(0)),
        links=(("rows with a fee", rows_query(found, "", Role.FEE)),)
        if bar is Bar.FEES
        else tuple((f"{kind.replace('_', ' ')} rows", rows_query(found, kind)) for kind in kinds),
    )


def _parts(bar: Bar, made: Bridge, labels: Mapping[int, str]) -> list[Part]:
    parts = [
        Part(asset=one.asset, connection=labels[one.connection], amount=one.bars[bar])
        for one in made.statements
        if one.bars.get(bar)
    ]
    return sorted(parts, key=lambda part: (-abs(part.amount), part.asset))


def _size(item: tuple[str, Total]) -> tuple[Decimal, str]:
    return -abs(item[1].change), item[0]
