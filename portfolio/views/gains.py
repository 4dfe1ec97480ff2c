"""The gains: what a year realised, what is still held at which cost, and what the figures rest on."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from accounts.models import User
from portfolio import gains as stage
from portfolio.gains import Reason
from portfolio.models import (
    GainDisposal,
    GainHolding,
    GainLot,
    GainProblem,
    GainsChoice,
    GainsState,
    GainTotal,
)
from portfolio.tasks import compute_gains
from portfolio.views.gains_figures import open_total, opened, sums, whole
from portfolio.views.gains_forms import ChoiceForm
from portfolio.views.page import Request, now, page

PAGE = 50
ZERO = Decimal(0)


@require_safe
def gains(request: Request) -> HttpResponse:
    """One year of gains, and all that is open."""
    state = state_of(request.user)
    totals = list(GainTotal.objects.of(state.report).order_by("-year", "asset", "reason"))
    years = sorted({total.year for total in totals}, reverse=True)
    year = chosen_year(request, years)
    of_year = [total for total in totals if total.year == year]
    realised = [total for total in of_year if total.reason != Reason.INCOME]
    choices = list(GainsChoice.objects.for_user(request.user).order_by("since_year"))
    held = opened(GainHolding.objects.of(state.report).order_by("asset"))
    after = _number(request, "after")
    rows = list(
        GainDisposal.objects.of(state.report)
        .filter(year=year, number__gt=after)
        .order_by("number")[: PAGE + 1]
    )
    context = {
        "state": state,
        "years": years,
        "year": year,
        "by_asset": sums(realised, "asset"),
        "by_reason": sums(realised, "reason"),
        "total": whole(realised),
        "income": [total for total in of_year if total.reason == Reason.INCOME],
        "earned": sum((t.proceeds for t in of_year if t.reason == Reason.INCOME), ZERO),
        "held": held,
        "open": open_total(held),
        "rows": rows[:PAGE],
        "next": rows[PAGE - 1].number if len(rows) > PAGE else None,
        "problems": sorted(state.report.problem_counts.items()) if state.report else [],
        "choices": choices,
        "form": ChoiceForm(initial=_initial(choices, year)),
    }
    return page(request, "gains.html", context, section="gains", part="rows" if after >= 0 else "year")


@require_safe
def lots(request: Request) -> HttpResponse:
    """The open lots of one asset, oldest first, with what each would bring now."""
    state = state_of(request.user)
    asset = request.GET.get("asset", "")[:32]
    rows = GainLot.objects.of(state.report).filter(number__gt=_number(request, "after"))
    if asset:
        rows = rows.filter(asset=asset)
    found = opened(rows.order_by("number")[: PAGE + 1])
    context = {
        "state": state,
        "asset": asset,
        "lots": found[:PAGE],
        "next": found[PAGE - 1].row.number if len(found) > PAGE else None,
    }
    return page(request, "gains_lots.html", context, section="gains", part="list")


@require_safe
def problems(request: Request) -> HttpResponse:
    """What the figures rest on and nobody has said for sure, with the way to say it."""
    state = state_of(request.user)
    code = request.GET.get("code", "")[:16]
    rows = GainProblem.objects.of(state.report).filter(number__gt=_number(request, "after"))
    if code:
        rows = rows.filter(code=code)
    found = list(rows.order_by("number")[: PAGE + 1])
    context = {
        "state": state,
        "code": code,
        "problems": found[:PAGE],
        "next": found[PAGE - 1].number if len(found) > PAGE else None,
    }
    return page(request, "gains_problems.html", context, section="gains", part="list")


@require_POST
def choose(request: Request) -> HttpResponseRedirect:
    """Remember method, scope and what withdrawals are, from a year on."""
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        messages.error(request, "This choice cannot be read. Nothing was changed.")
        return redirect("gains")
    if form.cleaned_data.pop("forget"):
        chosen = GainsChoice.objects.for_user(request.user)
        chosen.filter(since_year=form.cleaned_data["since_year"]).delete()
    else:
        since = form.cleaned_data.pop("since_year")
        GainsChoice.objects.update_or_create(user=request.user, since_year=since, defaults=form.cleaned_data)
    again(request.user)
    messages.success(request, "Your choice is kept. The gains are being found again.")
    return redirect("gains")


@require_POST
def recompute(request: Request) -> HttpResponseRedirect:
    """Find the gains again now."""
    again(request.user)
    messages.success(request, "The gains are being found again.")
    return redirect(f"{reverse('gains')}?year={request.POST.get('year', '')[:4]}")


def again(user: User) -> None:
    """Let a worker find the gains again; the database remembers the wish if no broker does."""
    stage.want(user, now())
    with suppress(OperationalError):
        compute_gains.delay_on_commit(user.pk)


def state_of(user: User) -> GainsState:
    """Which report is shown; an unsaved empty one before the first."""
    found = GainsState.objects.for_user(user).select_related("report").first()
    return found or GainsState(user=user)


def chosen_year(request: Request, years: list[int]) -> int:
    """The year that the address names, else the last one with gains, else this one."""
    text = request.GET.get("year", "")
    if text.isascii() and text.isdigit() and len(text) == 4:
        return int(text)
    return years[0] if years else now().year


def _initial(choices: list[GainsChoice], year: int) -> dict[str, Any]:
    holds = [choice for choice in choices if choice.since_year <= year]
    last = holds[-1] if holds else GainsChoice()
    return {
        "since_year": last.since_year,
        "method": last.method,
        "per_account": last.per_account,
        "withdrawals": last.withdrawals,
    }


def _number(request: Request, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else -1
