"""The admin site: for staff with a second factor only, and nothing sealed can be asked about."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator

SEALED = frozenset({"sealed_key", "sealed_secret", "password", "data", "session_key", "nonce", "facts"})
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class SecondFactorAdminSite(admin.AdminSite):
    """Django's admin under our name, behind our own log-in."""

    site_header = site_title = "Holdfast"
    index_title = "Administration"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff who have set up an authenticator app or a security key."""
        return super().has_permission(request) and is_mfa_enabled(request.user, FACTORS) is True

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Lead to what is missing: the log-in, or the second factor; refuse those who are no staff."""
        wanted = request.GET.get("next") or reverse("admin:index")
        if request.user.is_anonymous:
            return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': wanted})}")
        if not (request.user.is_active and request.user.is_staff):
            raise PermissionDenied
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        messages.warning(request, "Set up a second factor first: the administration pages ask for it.")
        return HttpResponseRedirect(reverse("mfa_index"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The password is changed in one place only."""
        return HttpResponseRedirect(reverse("account_change_password"))


class Discreet(admin.ModelAdmin[Any]):
    """Admin pages that cannot be used to guess a sealed field letter by letter."""

    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """No filter in the address may name a sealed field, of this or of a related row."""
        if SEALED.intersection(lookup.split("__")):
            return False
        return super().lookup_allowed(lookup, value, request)


class ReadOnly(Discreet):
    """Rows that only a sync may write."""

    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


def counted_only(model_admin: admin.ModelAdmin[Any], objects: Any) -> Any:
    """What a deletion page lists: the rows themselves, not the million that hang on them."""
    return [str(each) for each in objects], {model_admin.opts.verbose_name_plural: len(objects)}, set(), []
