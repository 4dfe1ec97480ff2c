"""The gains as files: disposals, open lots, totals and problems, and the accountant's bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from portfolio import bundle
from portfolio.models import GainDisposal, GainLot, GainProblem, GainsBundle, GainTotal
from portfolio.tasks import make_bundle
from portfolio.views.gains import state_of
from portfolio.views.gains_figures import opened
from portfolio.views.page import Request, now, page
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
        lots = opened(GainLot.objects.of(report).order_by("asset", "account", "number", "tie"))
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
def accountants(request: Request) -> HttpResponseBase:
    """The bundle that a worker made: everything that the gains rest on, with a program that checks it."""
    found = GainsBundle.objects.for_user(request.user).filter(made_at__isnull=False).first()
    if found is None:
        raise Http404
    response = StreamingHttpResponse(bundle.pieces(found), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="holdfast-gains.zip"'
    response["Content-Length"] = str(found.size)
    return response


@require_safe
def bundle_state(request: Request) -> HttpResponse:
    """How far the bundle is; the page asks again while it is being made."""
    found = GainsBundle.objects.for_user(request.user).first()
    return page(request, "gains_bundle.html", {"bundle": found}, section="gains", part="state")


@require_POST
def order_bundle(request: Request) -> HttpResponse:
    """Have a bundle made."""
    bundle.want(request.user, now())
    with suppress(OperationalError):
        make_bundle.delay_on_commit(request.user.pk)
    return redirect("gains_bundle_state")


def _told(rows: Iterable[object], columns: Sequence[str]) -> Iterator[dict[str, Cell]]:
    return ({column: getattr(row, column) for column in columns} for row in rows)
