"""How allauth treats sign-up here: open until the owner exists, then only where the settings say so."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Closes sign-up behind the first visitor."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether this visitor may make an account."""
        return bool(settings.SIGNUP_OPEN) or not User.objects.exists()
