"""What a user adds to what the exchanges said: a list with author and time, forms to add, and a way to undo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.utils.crypto import get_random_string
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portfolio import corrections as stage
from portfolio.models import Correction, CorrectionKind, Transaction, Treatment
from portfolio.models.mine import DoneQuerySet
from portfolio.views.gains import again, price_said
from portfolio.views.gains_forms import CostForm, KindForm, ManualForm, NoteForm, PriceForm
from portfolio.views.page import Request, now, page
from portfolio.views.table_export import Cell, export

PAGE = 50
FORMS: dict[str, type[forms.Form]] = {
    CorrectionKind.COST: CostForm,
    CorrectionKind.KIND: KindForm,
    CorrectionKind.NOTE: NoteForm,
    CorrectionKind.PRICE: PriceForm,
    CorrectionKind.MANUAL: ManualForm,
}
COLUMNS = (
    "kind", "created_at", "author", "undone_at", "transaction", "asset", "day", "amount", "treatment", "note",
)  # fmt: skip


@require_safe
def corrections(request: Request) -> HttpResponse:
    """All corrections, newest first; undone ones stay visible."""
    before = request.GET.get("before", "")
    rows = mine(request)
    if before.isascii() and before.isdigit() and len(before) <= 18:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-pk")[: PAGE + 1])
    context = {
        "corrections": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "kinds": CorrectionKind.choices,
    }
    return page(request, "corrections.html", context, section="gains", part="list")


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request, kind: str) -> HttpResponse:
    """One form for each kind; what the address names is filled in."""
    if kind not in FORMS:
        raise Http404
    if request.method != "POST":
        form = FORMS[kind](initial={name: request.GET[name][:60] for name in request.GET})
    else:
        form = FORMS[kind](request.POST)
        if form.is_valid() and (said := _save(request, kind, form)):
            _noted(request, said)
            messages.success(request, "Your correction is kept; the exchange's own record is unchanged.")
            return redirect("corrections")
    row = _row(request, form["transaction"].value()) if "transaction" in form.fields else None
    context = {"form": form, "kind": kind, "label": CorrectionKind(kind).label, "row": row}
    return page(request, "correction_add.html", context, section="gains", part="form")


@require_POST
def undo(request: Request, pk: int) -> HttpResponseRedirect:
    """Take a correction back."""
    found = get_object_or_404(mine(request).active(), pk=pk)
    stage.undo(found, now())
    _noted(request, found)
    messages.success(request, "The correction is undone. It stays in the list.")
    return redirect("corrections")


@require_safe
def table(request: Request, form: str) -> HttpResponseBase:
    """All corrections as a file."""
    return export("corrections", form, COLUMNS, _told(mine(request).order_by("pk").iterator()))


def mine(request: Request) -> DoneQuerySet[Correction]:
    """The user's own corrections with what they are about."""
    rows = Correction.objects.for_user(request.user)
    return rows.select_related("author", "transaction__connection", "entry")


def _row(request: Request, pk: Any) -> Transaction | None:
    """The user's own ledger row of that number."""
    text = str(pk or "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        return None
    rows = Transaction.objects.for_user(request.user).select_related("connection")
    return rows.prefetch_related("postings").filter(pk=int(text)).first()


def _noted(request: Request, said: Correction) -> None:
    """Let everything be told again that it changes, from the time on that it is about."""
    if said.kind == CorrectionKind.PRICE and said.day:
        price_said(request.user, said.day)
    elif said.kind != CorrectionKind.NOTE:
        about = said.transaction or said.entry
        again(request.user, since=about.occurred_at if about else None)


def _save(request: Request, kind: str, form: forms.Form) -> Correction | None:
    """Keep it; None (with an error in the form) where it cannot be."""
    data, user, at = form.cleaned_data, request.user, now()
    row = _row(request, data.get("transaction"))
    if row is None and data.get("transaction"):
        form.add_error("transaction", "Your ledger has no such row.")
        return None
    if kind == CorrectionKind.KIND and row is not None and not _fits(row, data["treatment"]):
        form.add_error("treatment", "This does not fit the direction of the row.")
        return None
    note = data["note"]
    if kind == CorrectionKind.NOTE:
        return stage.add_note(user, note, at, row=row, asset=data["asset"])
    if kind == CorrectionKind.PRICE:
        return stage.set_price(user, data["asset"], data["day"], data["amount"], at, note)
    if kind == CorrectionKind.MANUAL:
        return stage.enter(user, _entry(form), at)
    if row is None:
        return None
    if kind == CorrectionKind.COST:
        return stage.correct_cost(user, row, data["amount"], at, note)
    return stage.correct_kind(user, row, Treatment(data["treatment"]), at, note)


def _entry(form: forms.Form) -> Any:
    return form.entry(f"typed:{get_random_string(20)}") if isinstance(form, ManualForm) else None


def _fits(row: Transaction, treatment: str) -> bool:
    signs = {posting.amount > 0 for posting in row.postings.all() if posting.role == "principal"}
    allowed = stage.INWARD if True in signs else stage.OUTWARD
    return treatment in allowed


def _told(rows: Iterable[Correction]) -> Iterator[dict[str, Cell]]:
    for said in rows:
        yield {
            "kind": said.kind,
            "created_at": said.created_at,
            "author": said.author.email if said.author else None,
            "undone_at": said.undone_at,
            "transaction": said.transaction.external_id if said.transaction else None,
            "asset": said.asset,
            "day": said.day,
            "amount": said.amount,
            "treatment": said.treatment,
            "note": said.note,
        }
