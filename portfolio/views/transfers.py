"""Own transfers: what is proposed with which reasons, what was decided, and the user's yes or no."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from portfolio import transfers as stage
from portfolio.models import MatchState, TransferMatch
from portfolio.models.transfers import MatchQuerySet
from portfolio.views.gains import again
from portfolio.views.page import Request, now, page
from portfolio.views.table_export import Cell, export

PAGE = 30
COLUMNS = (
    "state", "score", "reasons", "is_split", "asset_out", "sent_at", "from", "sent_id", "arrived_at", "to",
    "arrived_id", "decided_at",
)  # fmt: skip
DECIDED = {
    "confirm": "This is an own transfer now: it keeps its lots and costs.",
    "reject": "This pair is not proposed again.",
    "forget": "The decision is taken back.",
}


@require_safe
def transfers(request: Request) -> HttpResponse:
    """The pairs of one state, newest first."""
    state = request.GET.get("state", "")
    state = state if state in MatchState.values else MatchState.SUGGESTED
    counts = mine(request).order_by().values_list("state").annotate(count=Count("pk"))
    before = request.GET.get("before", "")
    rows = mine(request).filter(state=state)
    if before.isascii() and before.isdigit() and len(before) <= 18:
        rows = rows.filter(pk__lt=int(before))
    found = list(
        rows.order_by("-pk").prefetch_related("outgoing__postings", "incoming__postings")[: PAGE + 1]
    )
    context = {
        "state": state,
        "states": [(value, label, dict(counts).get(value, 0)) for value, label in MatchState.choices],
        "matches": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
    }
    return page(request, "transfers.html", context, section="gains", part="list")


@require_POST
def decide(request: Request, pk: int, decision: str) -> HttpResponseRedirect:
    """The user's word on one pair."""
    match = get_object_or_404(mine(request), pk=pk)
    state = match.state
    try:
        if decision == "confirm":
            stage.confirm(match, request.user, now())
        elif decision == "reject":
            stage.reject(match, request.user, now())
        elif decision == "forget":
            stage.forget(match)
        else:
            raise Http404
    except stage.Undecidable as error:
        messages.error(request, str(error))
    else:
        again(request.user, since=min(match.outgoing.occurred_at, match.incoming.occurred_at))
        messages.success(request, DECIDED[decision])
    return redirect(f"{reverse('transfers')}?state={state}")


@require_POST
def look(request: Request) -> HttpResponseRedirect:
    """Look for pairs in the whole ledger again."""
    new = stage.suggest(request.user, now())
    again(request.user)
    messages.success(request, f"{new} new pair{'' if new == 1 else 's'} found.")
    return redirect("transfers")


@require_safe
def table(request: Request, form: str) -> HttpResponseBase:
    """All pairs as a file."""
    return export("transfers", form, COLUMNS, _told(mine(request).order_by("pk").iterator(chunk_size=500)))


def mine(request: Request) -> MatchQuerySet:
    """The user's own pairs with both rows."""
    return TransferMatch.objects.for_user(request.user).select_related(
        "outgoing__connection", "incoming__connection", "decided_by"
    )


def _told(matches: Iterable[TransferMatch]) -> Iterator[dict[str, Cell]]:
    for match in matches:
        yield {
            "state": match.state,
            "score": match.score,
            "reasons": list(match.reasons),
            "is_split": match.is_split,
            "asset_out": match.outgoing.assets.strip(),
            "sent_at": match.outgoing.occurred_at,
            "from": match.outgoing.connection.label,
            "sent_id": match.outgoing.external_id,
            "arrived_at": match.incoming.occurred_at,
            "to": match.incoming.connection.label,
            "arrived_id": match.incoming.external_id,
            "decided_at": match.decided_at,
        }
