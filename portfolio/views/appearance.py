"""How pages look to one browser: theme, and whether amounts are hidden. Kept in cookies, never in the store."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from portfolio.views.page import page

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
def settings(request: HttpRequest) -> HttpResponse:
    """The page with what a user may set for this browser, and the ways to the account's pages."""
    form = ThemeForm(initial={"theme": request.COOKIES.get("theme", "system")})
    return page(request, "settings.html", {"form": form}, section="settings")


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
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "overview"
    response = redirect(target)
    response.set_cookie(name, value, max_age=YEAR, secure=request.is_secure(), httponly=True, samesite="Lax")
    return response
