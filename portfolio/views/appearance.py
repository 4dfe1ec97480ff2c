"""How pages look to one browser: theme, and whether amounts are hidden. Kept in cookies, never in the store."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from portfolio.views.money import par_context
from portfolio.views.page import Request, back, now, page

YEAR = 60 * 60 * 24 * 365


class ThemeForm(forms.Form):
    """Which colours to use."""

    theme = forms.ChoiceField(
        choices=[("system", "As the system says"), ("light", "Light"), ("dark", "Dark")],
        widget=forms.RadioSelect,
    )


class AmountsForm(forms.Form):
    """Whether amounts can be read."""

    amounts = forms.ChoiceField(choices=[("shown", "Shown"), ("hidden", "Hidden")])


@require_safe
def settings(request: Request) -> HttpResponse:
    """The page with what a user may set, for this browser and for all, and the ways to the account's pages."""
    form = ThemeForm(initial={"theme": request.COOKIES.get("theme", "system")})
    context = {"form": form, **par_context(request.user, now())}
    return page(request, "settings.html", context, section="settings")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme."""
    form = ThemeForm(request.POST)
    return _remember(request, "theme", form.cleaned_data["theme"] if form.is_valid() else "system")


@require_POST
def hide_amounts(request: HttpRequest) -> HttpResponse:
    """Remember whether amounts are hidden."""
    form = AmountsForm(request.POST)
    return _remember(request, "amounts", form.cleaned_data["amounts"] if form.is_valid() else "shown")


def _remember(request: HttpRequest, name: str, value: str) -> HttpResponseRedirect:
    response = redirect(back(request))
    response.set_cookie(name, value, max_age=YEAR, secure=request.is_secure(), httponly=True, samesite="Lax")
    return response
