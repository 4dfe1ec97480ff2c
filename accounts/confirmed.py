"""Asks for the password or second factor again before something that a stolen session must not do.

Allauth's own decorator keeps an interrupted form in the session, in clear; a form with a key must never be kept, so this
one lets the form go and comes back to the empty page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

View = Callable[..., HttpResponseBase]


def confirmed_recently(request: HttpRequest) -> bool:
    """Whether this session proved within the last minutes (ACCOUNT_REAUTHENTICATION_TIMEOUT) who it is."""
    records = get_authentication_records(request, request.user)
    newest = max((record["at"] for record in records), default=0)
    return bool(time.time() - newest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def ask_to_confirm(request: HttpRequest) -> HttpResponseBase:
    """Off to the page that asks, and back to this address."""
    address = f"{reverse('account_reauthenticate')}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponseRedirect(address, status=200, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def confirm_first(view: View) -> View:
    """A view that adds, replaces or removes a key: only for a session that was confirmed recently."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not confirmed_recently(request):
            return ask_to_confirm(request)
        return view(request, *args, **kwargs)

    return asked
