"""The ledger: what moved, filtered, newest first, in pages that cost the same at a million rows."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from portfolio.models import Posting, Transaction
from portfolio.views.keyset import Place, newest
from portfolio.views.ledger_filter import LedgerFilter
from portfolio.views.page import Request, page

PAGE = 50


@require_safe
def ledger(request: Request) -> HttpResponse:
    """The filtered ledger from the newest row on, or from the place that `before` names."""
    before = Place.read(request.GET.get("before", ""))
    chosen = LedgerFilter(request)
    rows = newest(chosen.queries(), PAGE + 1, before)
    more = Place.of(rows[PAGE - 1]) if len(rows) > PAGE else None
    context = {
        "filter": chosen,
        "rows": rows[:PAGE],
        "older": chosen.query(before=str(more)) if more else "",
        "query": chosen.query(),
        "before": before,
    }
    return page(request, "ledger.html", context, section="ledger", part="rows" if before else "results")


@require_safe
def transaction(request: Request, pk: int) -> HttpResponse:
    """One row of the ledger: its postings and the record it was read from."""
    mine = Transaction.objects.for_user(request.user).select_related("connection", "raw")
    row = get_object_or_404(mine, pk=pk)
    context = {"row": row, "postings": Posting.objects.for_user(request.user).filter(transaction=row)}
    return page(request, "transaction.html", context, section="ledger", part="detail")
