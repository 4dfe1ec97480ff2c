"""The gains: what a year realised, what is still held at which cost, and what the figures rest on."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from accounts.models import User
from portfolio import gains as stage
from portfolio.gains import Reason
from portfolio.lots import Method
from portfolio.models import (
    GainDisposal,
    GainHolding,
    GainLot,
    GainProblem,
    GainsChoice,
    GainsState,
    GainTotal,
)
from portfolio.tasks import compute_gains, tell_figures
from portfolio.views.gains_figures import open_total, opened, sums, whole
from portfolio.views.gains_forms import ChoiceForm
from portfolio.views.page import Request, now, page

PAGE = 50
LAST_YEAR = 9999
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
        "years": [(each, year_label(each, choices)) for each in years],
        "year": year,
        "label": year_label(year, choices),
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
    rows = GainLot.objects.of(state.report).filter(_behind(request.GET.get("after", "")))
    if asset:
        rows = rows.filter(asset=asset)
    found = opened(rows.order_by("asset", "account", "number", "tie")[: PAGE + 1])
    context = {
        "state": state,
        "asset": asset,
        "lots": found[:PAGE],
        "next": _place(found[PAGE - 1].row) if len(found) > PAGE else None,
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
        since = form.cleaned_data["since_year"]
        GainsChoice.objects.for_user(request.user).filter(since_year=since).delete()
    else:
        since = form.cleaned_data.pop("since_year")
        GainsChoice.objects.update_or_create(user=request.user, since_year=since, defaults=form.cleaned_data)
    again(request.user, since=stage.start_of(date(since, 1, 1)) if since else None)
    messages.success(request, "Your choice is kept. The gains are being found again.")
    return redirect("gains")


@require_POST
def recompute(request: Request) -> HttpResponseRedirect:
    """Find the gains again now."""
    again(request.user)
    messages.success(request, "The gains are being found again.")
    return redirect(f"{reverse('gains')}?year={request.POST.get('year', '')[:4]}")


def again(user: User, *, since: datetime | None = None) -> None:
    """Let a worker find the gains again, since a moment or from the beginning; the database remembers the wish."""
    stage.want(user, now(), since=since)
    with suppress(OperationalError):
        compute_gains.delay_on_commit(user.pk)


def price_said(user: User, since: date) -> None:
    """A price of one's own counts from a day on: the database remembers it, and workers tell the figures again."""
    accounts = user.connections.all()
    accounts.fall_behind(since)
    for pk in accounts.values_list("pk", flat=True):
        tell_figures.delay_on_commit(pk)
    again(user, since=stage.start_of(since))


def state_of(user: User) -> GainsState:
    """Which report is shown; an unsaved empty one before the first."""
    found = GainsState.objects.for_user(user).select_related("report").first()
    return found or GainsState(user=user)


def chosen_year(request: Request, years: list[int]) -> int:
    """The year that the address names, else the last one with gains, else this one."""
    text = request.GET.get("year", "")
    if text.isascii() and text.isdigit() and len(text) == 4 and int(text):
        return int(text)
    return years[0] if years else now().year


def year_label(year: int, choices: list[GainsChoice]) -> str:
    """How a year is called: 2024, or 2024/25 where the UK's tax year counts."""
    made = [stage.Choice(since_year=choice.since_year, method=Method(choice.method)) for choice in choices]
    is_uk = year < LAST_YEAR and stage.is_tax_year(year, made)
    return f"{year}/{(year + 1) % 100:02}" if is_uk else str(year)


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


def _place(lot: GainLot) -> str:
    """Where a page of lots ends."""
    return json.dumps([lot.asset, lot.account, lot.number, lot.tie])


def _behind(text: str) -> Q:
    """The lots behind a place; all of them for anything that is none."""
    try:
        asset, account, number, tie = json.loads(text[:400])
    except ValueError:
        return Q()
    words, numbers = (asset, account), (number, tie)
    if not all(type(word) is str for word in words) or not all(type(n) is int and n < 2**31 for n in numbers):
        return Q()
    within = Q(number__gt=number) | Q(number=number, tie__gt=tie)
    later = (
        Q(asset__gt=asset) | Q(asset=asset, account__gt=account) | Q(asset=asset, account=account) & within
    )
    return Q(asset__gte=asset) & later
