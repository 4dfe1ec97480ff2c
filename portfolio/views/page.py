"""How a page is answered: whole, or as the fragment that htmx asked for. Knows no model."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from accounts.models import User

STOP_POLLING = 286
"""The status by which htmx learns that there is nothing more to ask for."""


class Request(HttpRequest):
    """A request of somebody who is logged in, as the middleware leaves it."""

    user: User
    htmx: HtmxDetails


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, section: str = "", part: str = ""
) -> HttpResponse:
    """The whole page, or its partial `part` when htmx asks for a fragment."""
    htmx: HtmxDetails | bool = getattr(request, "htmx", False)
    name = f"{template}#{part}" if part and htmx else template
    return render(request, name, {"now": now(), "section": section} | context)


def now() -> datetime:
    """The time at which a page is made."""
    return timezone.now()


def back(request: HttpRequest) -> str:
    """Where a form wants to lead back to, if that is one of our own pages; else the first page."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours else "overview"
