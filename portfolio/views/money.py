"""In which currency pages speak, and whether USDT counts as one dollar: the switch on every page, and the form."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_POST
from kombu.exceptions import OperationalError

from portfolio import tasks, valuation
from portfolio.looks import COINS, CURRENCIES, OTHERS, USUAL, choice_of, choose, money_now, par_difference
from portfolio.models import MoneyChoice
from portfolio.views.page import Request, back

GROUPS = (("Usual", USUAL), ("Coins", COINS), ("Others", OTHERS))


class CurrencyForm(forms.Form):
    """In which currency one looks."""

    currency = forms.ChoiceField(choices=[(name, name) for name in CURRENCIES])


class MoneyForm(CurrencyForm):
    """The same, and whether USDT counts as a dollar."""

    usdt_at_par = forms.BooleanField(required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """What the switch of every page shows."""

    choice: MoneyChoice
    groups: tuple[tuple[str, tuple[str, ...]], ...] = GROUPS


def switch(request: HttpRequest) -> dict[str, Any]:
    """The switch for every template that shows it; nothing is asked for where none does."""
    return {"money_switch": SimpleLazyObject(lambda: Switch(choice=choice_of(request.user)))}


def par_context(user: Any, moment: datetime) -> dict[str, Any]:
    """What USDT at par makes of the total at the market, in the currency of the look where it has a rate."""
    difference = par_difference(valuation.portfolio_of(user, moment))
    money = money_now(user, moment)
    shown = money.shown(difference)
    if shown is None:
        return {"par": difference, "par_currency": "USD"}
    return {"par": shown, "par_currency": money.currency}


@require_POST
def currency(request: Request) -> HttpResponse:
    """Remember the currency; the par stays as it is."""
    return _remember(request, CurrencyForm(request.POST))


@require_POST
def money(request: Request) -> HttpResponse:
    """Remember the currency and the par."""
    return _remember(request, MoneyForm(request.POST))


def _remember(request: Request, form: forms.Form) -> HttpResponseRedirect:
    if not form.is_valid():
        messages.error(request, "There is no such currency.")
        return redirect(back(request))
    chosen = form.cleaned_data["currency"]
    choose(request.user, chosen, at_par=form.cleaned_data.get("usdt_at_par"))
    # The rates of past days that it needs are queued; where no broker answers, the next round works them off.
    with suppress(OperationalError):
        tasks.fill_prices.delay_on_commit()
    messages.success(request, f"Amounts are shown in {chosen} now.")
    return redirect(back(request))
