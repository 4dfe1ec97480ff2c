"""The gate before keys: whoever changes one must have proved lately who they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect

from portfolio.views.page import Request

View = Callable[..., HttpResponseBase]


def recently_proved(view: View) -> View:
    """The view for those who logged in again lately; others are led there first.

    allauth would keep a posted form in the session to go on with it afterwards. These forms hold secrets: they are
    dropped, and the user is asked to send them again.
    """
    guarded = reauthentication_required(view)

    @wraps(view)
    def gate(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = guarded(request, *args, **kwargs)
        except ReauthenticationRequired:
            if request.method != "POST":
                raise
            messages.warning(request, "Confirm first that it is you, then fill in the form again.")
            return redirect(request.path)
        return response

    return gate
