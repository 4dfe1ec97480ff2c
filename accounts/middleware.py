"""On every answer: personal ones are kept by nobody on the way, and the audit log learns who asked from where."""

from __future__ import annotations

from collections.abc import Callable

from allauth.core.internal.httpkit import get_client_ip
from auditlog.middleware import AuditlogMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers


class PrivateAnswers:
    """Marks every answer to somebody who is logged in as not to be stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """`get_response`: the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers on the way out."""
        response = self.get_response(request)
        patch_vary_headers(response, ("HX-Request", "Cookie"))
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        return response


class AuditTrail(AuditlogMiddleware):
    """Auditlog's middleware, which believes an address in a header only from our own proxies."""

    @staticmethod
    def _get_remote_addr(request: HttpRequest) -> str | None:
        address: str | None = get_client_ip(request)
        return address
