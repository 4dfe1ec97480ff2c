"""The gains as files: disposals, open lots, totals and problems, and the accountant's bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.http import Http404, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from portfolio import bundle
from portfolio.models import GainDisposal, GainLot, GainProblem, GainTotal
from portfolio.views.gains import state_of
from portfolio.views.gains_figures import opened
from portfolio.views.page import Request, now
from portfolio.views.table_export import Cell, export

DISPOSALS = (
    "year", "asset", "account", "reason", "match", "term", "acquired", "disposed", "quantity", "proceeds", "cost",
    "gain", "is_assumed", "source",
)  # fmt: skip
LOTS = ("asset", "account", "acquired", "quantity", "cost", "is_assumed")
TOTALS = (
    "year", "asset", "reason", "count", "quantity", "proceeds", "cost", "gain", "short_gain", "long_gain",
    "undated_gain",
)  # fmt: skip
PROBLEMS = ("code", "at", "asset", "account", "quantity", "value_usd", "source")
NOW = ("value_usd", "unrealised_usd")


@require_safe
def table(request: Request, what: str, form: str) -> HttpResponseBase:
    """One table of the report that is shown; `year` narrows disposals and totals."""
    report = state_of(request.user).report
    year = request.GET.get("year", "")
    narrow = {"year": int(year)} if year.isascii() and year.isdigit() and len(year) == 4 else {}
    if what == "disposals":
        disposals = GainDisposal.objects.of(report).filter(**narrow).order_by("number")
        return export("disposals", form, DISPOSALS, _told(disposals.iterator(), DISPOSALS))
    if what == "lots":
        lots = opened(GainLot.objects.of(report).order_by("number"))
        rows = (
            dict(next(_told([lot.row], LOTS))) | {"value_usd": lot.value, "unrealised_usd": lot.gain}
            for lot in lots
        )
        return export("lots", form, (*LOTS, *NOW), rows)
    if what == "totals":
        totals = GainTotal.objects.of(report).filter(**narrow).order_by("year", "asset", "reason")
        return export("totals", form, TOTALS, _told(totals.iterator(), TOTALS))
    if what == "problems":
        problems = GainProblem.objects.of(report).order_by("number")
        return export("problems", form, PROBLEMS, _told(problems.iterator(), PROBLEMS))
    raise Http404


@require_safe
def accountants(request: Request) -> HttpResponse:
    """Everything that the gains rest on in one ZIP, with a program that checks it."""
    response = HttpResponse(bundle.make(request.user, now()), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="holdfast-gains.zip"'
    return response


def _told(rows: Iterable[object], columns: Sequence[str]) -> Iterator[dict[str, Cell]]:
    return ({column: getattr(row, column) for column in columns} for row in rows)
