"""Adding a connection, checking and replacing its key, removing it: the pages that touch secrets."""

from __future__ import annotations

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exchanges.catalog import EXCHANGES, Exchange, exchange
from exchanges.errors import ExchangeError
from portfolio import sync
from portfolio.views.connection_forms import AddForm, KeyForm, RemoveForm
from portfolio.views.connections import read_from, sync_now
from portfolio.views.page import Request, page
from portfolio.views.recent import recently_proved


@require_safe
def choose(request: Request) -> HttpResponse:
    """Which exchange is to be connected."""
    return page(request, "connection_choose.html", {"exchanges": EXCHANGES.values()}, section="connections")


@sensitive_post_parameters("key", "secret")
@require_http_methods(["GET", "HEAD", "POST"])
@recently_proved
def add(request: Request, name: str) -> HttpResponse:
    """The guide to a key at that exchange, and the form that takes it; the key is tried before it is stored."""
    known = _known(name)
    form = AddForm(known, request.user, request.POST or None, initial={"label": known.label})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = sync.add_connection(
                request.user, known.name, given["label"], given["key"], given["secret"]
            )
        except (ExchangeError, sync.InputRefused) as error:
            refuse(form, error)
        else:
            messages.success(request, f"“{made.label}” is connected. Its first sync has begun.")
            return sync_now(request, made.public_id)
    context = {"exchange": known, "form": form}
    return page(request, "connection_add.html", context, section="connections")


@sensitive_post_parameters("key", "secret")
@require_http_methods(["GET", "HEAD", "POST"])
@recently_proved
def replace_key(request: Request, public_id: str) -> HttpResponse:
    """Another key for the same account; the history stays."""
    found = read_from(request, public_id)
    form = KeyForm(found.known, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sync.replace_key(found, form.cleaned_data["key"], form.cleaned_data["secret"])
        except (ExchangeError, sync.InputRefused) as error:
            refuse(form, error)
        else:
            messages.success(request, f"The key of “{found.label}” is replaced.")
            return sync_now(request, public_id)
    context = {"connection": found, "exchange": found.known, "form": form}
    return page(request, "connection_key.html", context, section="connections")


@require_POST
@recently_proved
def check(request: Request, public_id: str) -> HttpResponseRedirect:
    """Try the stored key with a real call and say what came of it; one that serves is read again."""
    found = read_from(request, public_id)
    if not found.has_key:
        return redirect("connection_key", public_id)
    try:
        report = sync.check(found)
    except ExchangeError as error:
        messages.error(request, told(error))
    else:
        messages.success(request, "The exchange accepts the key.")
        for warning in report.warnings:
            messages.warning(request, warning)
    return redirect("connection", public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@recently_proved
def remove(request: Request, public_id: str) -> HttpResponse:
    """Part with a connection, with or without its history, once its name is typed."""
    found = read_from(request, public_id)
    form = RemoveForm(found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        keep = form.cleaned_data["history"] == "keep"
        sync.remove(found, keep_history=keep)
        kept = "its history stays" if keep else "its history is deleted"
        messages.success(request, f"“{found.label}” is removed; {kept}.")
        return redirect("connections")
    return page(request, "connection_remove.html", {"connection": found, "form": form}, section="connections")


def refuse(form: Form, error: Exception) -> None:
    """Say on the form what was wrong with what was given."""
    form.add_error(None, told(error))


def told(error: Exception) -> str:
    """What happened and what to do, in one or two sentences."""
    if not isinstance(error, ExchangeError):
        return str(error)
    return error.sentence if error.advice in error.sentence else f"{error.sentence} {error.advice}"


def _known(name: str) -> Exchange:
    try:
        return exchange(name)
    except KeyError:
        raise Http404 from None
