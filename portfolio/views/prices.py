"""Where prices come from, which days have none, and prices of one's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from portfolio import ownprices, tasks
from portfolio.looks import bounds, valued_now
from portfolio.models import Correction, CorrectionKind, SourceOrder
from portfolio.views.files import as_csv, as_json
from portfolio.views.gains import price_said
from portfolio.views.money import par_context
from portfolio.views.page import Request, now, page
from portfolio.views.price_rows import USED, asset_prices, used_prices

MOST_SOURCES = 8


class FileForm(forms.Form):
    """A file of prices, or its text when it was looked at already."""

    file = forms.FileField(required=False)
    text = forms.CharField(required=False, max_length=ownprices.MOST_TEXT, strip=False)
    confirmed = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """The text, wherever it comes from."""
        cleaned: dict[str, Any] = super().clean() or {}
        file = cleaned.get("file")
        if file:
            if file.size > ownprices.MOST_TEXT:
                raise forms.ValidationError("The file is larger than 2 MB; split it.")
            try:
                cleaned["text"] = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise forms.ValidationError("The file is not UTF-8 text.") from None
        if not cleaned.get("text"):
            raise forms.ValidationError("Choose a file, or write prices into the field.")
        return cleaned


class OrderForm(forms.Form):
    """Which sources of one asset come first."""

    asset = forms.CharField(max_length=32)
    sources = forms.CharField(required=False, max_length=200)


@require_safe
def prices(request: Request) -> HttpResponse:
    """The page; as a fragment the table of gaps with how far the task has come."""
    return page(request, "prices.html", _context(request), section="returns", part="gaps")


@require_POST
def take(request: Request) -> HttpResponse:
    """Look at a file of prices; with `confirmed` store what it says."""
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return page(request, "prices.html", _context(request) | {"form": form}, section="returns")
    text = form.cleaned_data["text"]
    planned = ownprices.draft(request.user, text, now().date())
    if form.cleaned_data["confirmed"] and planned.can_be_taken:
        ownprices.take(request.user, planned, now())
        price_said(request.user, planned.since)
        messages.success(request, f"{len(planned.new)} new and {len(planned.changed)} other prices are kept.")
        return redirect("prices")
    context = _context(request) | {"planned": planned, "text": text}
    return page(request, "prices.html", context, section="returns")


@require_POST
def order(request: Request) -> HttpResponse:
    """Which sources come first, for all users of this installation: staff only."""
    if not request.user.is_staff:
        raise PermissionDenied
    form = OrderForm(request.POST)
    if form.is_valid():
        names = [name.strip() for name in form.cleaned_data["sources"].split(",")]
        sources = [name for name in names if name][:MOST_SOURCES]
        SourceOrder.objects.update_or_create(asset=form.cleaned_data["asset"], defaults={"sources": sources})
        tasks.settle_prices.delay_on_commit(form.cleaned_data["asset"])
        messages.success(request, "The order counts from now on; past days are told again.")
    else:
        messages.error(request, "That order could not be read.")
    return redirect("prices")


@require_safe
def export(request: Request, form: str) -> HttpResponse:
    """The prices at which this user's holdings are valued, with source and age; the first columns can be imported."""
    rows = used_prices(request.user)
    if form == "csv":
        return as_csv(USED, rows, "prices")
    if form != "json":
        raise Http404
    return as_json(rows, "prices")


def _context(request: Request) -> dict[str, Any]:
    moment = now()
    rows = asset_prices(request.user, moment.date())
    whole, money = valued_now(request.user, moment)
    mine = Correction.objects.for_user(request.user).active().filter(kind=CorrectionKind.PRICE)
    return {
        "now": moment,
        "rows": rows,
        "waiting": [row for row in rows if row.is_waiting],
        "done": sum(not row.is_waiting for row in rows),
        "bounds": bounds(whole),
        "money": money,
        **par_context(request.user, moment),
        "own_prices": mine.count(),
        "tab": "prices",
    }
