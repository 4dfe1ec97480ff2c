"""The page holdings."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portfolio.views.page import page


@require_safe
def holdings(request: HttpRequest) -> HttpResponse:
    """The page."""
    return page(request, "holdings.html", {}, section="holdings")
