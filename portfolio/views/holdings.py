"""What is held: by asset and by connection, sorted as asked; and one page per asset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Connection
from portfolio import charts, valuation
from portfolio.looks import asset_line, bounds, valued_now
from portfolio.models import BalanceSnapshot, Posting, Transaction, Verdict
from portfolio.valuation import Holding, Part, Portfolio
from portfolio.valuation.amounts import share
from portfolio.views.keyset import newest
from portfolio.views.page import Request, now, page
from portfolio.views.spans import Choice, chosen_span, first_day
from portfolio.views.sparklines import Sparkline, sparklines
from portfolio.views.verdicts import Verdicts, chain_address, worst

MOVEMENTS = 15
NOTHING = Decimal(-1)
SORTS: dict[str, Callable[[Any], Any]] = {
    "asset": lambda row: row.asset,
    "quantity": lambda row: row.quantity,
    "price": lambda row: row.price.usd if row.price else NOTHING,
    "value": lambda row: NOTHING if row.value_usd is None else row.value_usd,
    "share": lambda row: NOTHING if row.share is None else row.share,
}
COLUMNS = (
    ("asset", "Asset", ""),
    ("quantity", "Quantity", "num"),
    ("price", "Price", "num extra"),
    ("value", "Value", "num"),
    ("share", "Share", "num extra"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    asset: str
    quantity: Decimal
    available: Decimal
    locked: Decimal
    pending: Decimal
    price: Any
    value_usd: Decimal | None
    share: Decimal | None
    snapshot_id: int | None
    """The balance it rests on, where it is a single one."""
    connections: int
    sparkline: Sparkline | None
    verdict: Verdict | None
    """What its proofs came to; None where nothing has been added up yet."""
    proofs_at: str
    """Where they are shown; empty for what no exchange holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lines that belong together: all of them, or those of one connection."""

    connection: Connection | None
    value_usd: Decimal | None
    share: Decimal | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A heading that sorts."""

    name: str
    label: str
    tone: str
    order: str
    """What clicking it asks for."""
    sorted: str
    """aria-sort, where the table is sorted by it."""


@require_safe
def holdings(request: Request) -> HttpResponse:
    """The table of holdings."""
    moment = now()
    by = "connection" if request.GET.get("by") == "connection" else "asset"
    order = request.GET.get("sort", "-value")
    order = order if order.removeprefix("-") in SORTS else "-value"
    connections = list(Connection.objects.for_user(request.user))
    portfolio, money = valued_now(request.user, moment, connections)
    context = {
        "now": moment,
        "portfolio": portfolio,
        "bounds": bounds(portfolio),
        "money": money,
        "by": by,
        "order": order,
        "columns": [_column(*column, order) for column in COLUMNS],
        "groups": grouped(portfolio, by, order, moment, Verdicts(connections)),
    }
    return page(request, "holdings.html", context, section="holdings", part="table")


@require_safe
def asset(request: Request, asset: str) -> HttpResponse:
    """One asset: what it is worth over time, where it is held, and what moved it."""
    moment = now()
    if not _knows(request, asset):
        raise Http404
    span = chosen_span(request)
    portfolio, money = valued_now(request.user, moment)
    part = next((p for p in portfolio.by_asset() if p.key == asset), None)
    days = valuation.asset_days(request.user, asset, first_day(span, moment), at_par=money.at_par)
    rates = money.over(days[0].day, moment.date(), ends_now=True) if days else money
    context: dict[str, Any] = {
        "now": moment,
        "asset": asset,
        "part": part,
        "money": money,
        "spans": Choice.all(span),
        "figure": charts.asset_figure(asset_line(days, rates, part, moment.date()), money.currency),
    }
    if not request.htmx:
        context |= {"rows": movements(request, asset), "sparkline": sparklines([asset], moment).get(asset)}
    return page(request, "asset.html", context, section="holdings", part="history")


def grouped(portfolio: Portfolio, by: str, order: str, moment: datetime, verdicts: Verdicts) -> list[Group]:
    """The lines, sorted within their groups."""
    if by == "asset":
        rows = rows_of(portfolio.by_asset(), moment, verdicts)
        return [Group(connection=None, value_usd=None, share=None, rows=_sorted(rows, order))] if rows else []
    lines = sparklines((h.asset for h in portfolio.holdings), moment)
    return [
        Group(
            connection=part.holdings[0].connection,
            value_usd=part.value_usd,
            share=part.share,
            rows=_sorted(
                (_of_holding(h, portfolio.total_usd, lines, verdicts) for h in part.holdings), order
            ),
        )
        for part in portfolio.by_connection()
    ]


def rows_of(parts: Sequence[Part], moment: datetime, verdicts: Verdicts) -> list[Row]:
    """A line for each of these assets, in their order."""
    lines = sparklines((part.key for part in parts), moment)
    return [_of_part(part, lines, verdicts) for part in parts]


def movements(request: Request, asset: str) -> list[Transaction]:
    """The newest transactions that moved the asset."""
    mine = Connection.objects.for_user(request.user)
    return newest([Transaction.objects.of(c).filter(assets__contains=f" {asset} ") for c in mine], MOVEMENTS)


def _knows(request: Request, asset: str) -> bool:
    return (
        BalanceSnapshot.objects.for_user(request.user).filter(asset=asset).exists()
        or Posting.objects.for_user(request.user).filter(asset=asset).exists()
    )


def _sorted(rows: Iterable[Row], order: str) -> tuple[Row, ...]:
    by_name = sorted(rows, key=SORTS["asset"])
    return tuple(sorted(by_name, key=SORTS[order.removeprefix("-")], reverse=order.startswith("-")))


def _of_part(part: Part, lines: dict[str, Sparkline], verdicts: Verdicts) -> Row:
    single = part.holdings[0].snapshot_id if len(part.holdings) == 1 else None
    told = [h for h in part.holdings if not h.connection.is_own]
    proofs_at = f"{reverse('proofs')}?{urlencode({'asset': part.key})}" if told else ""
    return Row(
        asset=part.key,
        quantity=part.quantity,
        available=part.available,
        locked=part.locked,
        pending=part.pending,
        price=part.price,
        value_usd=part.value_usd,
        share=part.share,
        snapshot_id=single,
        connections=len(part.holdings),
        sparkline=lines.get(part.key),
        verdict=worst(verdicts.of_holding(h.connection.pk, part.key) for h in told),
        proofs_at=proofs_at,
    )


def _of_holding(holding: Holding, whole: Decimal, lines: dict[str, Sparkline], verdicts: Verdicts) -> Row:
    value = holding.value_usd
    return Row(
        asset=holding.asset,
        quantity=holding.quantity,
        available=holding.available,
        locked=holding.locked,
        pending=holding.pending,
        price=holding.price,
        value_usd=value,
        share=None if value is None or not whole else share(value, whole),
        snapshot_id=holding.snapshot_id,
        connections=1,
        sparkline=lines.get(holding.asset),
        verdict=verdicts.of_holding(holding.connection.pk, holding.asset),
        proofs_at="" if holding.connection.is_own else chain_address(holding.connection, holding.asset),
    )


def _column(name: str, label: str, tone: str, order: str) -> Column:
    up = name == "asset"
    is_sorted = order.removeprefix("-") == name
    descending = order.startswith("-")
    other = name if descending else f"-{name}"
    return Column(
        name=name,
        label=label,
        tone=tone,
        order=other if is_sorted else (name if up else f"-{name}"),
        sorted=("descending" if descending else "ascending") if is_sorted else "",
    )
