"""How allauth behaves here: who may sign up, who becomes the owner, how limits count, how second factors are stored."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from accounts.keys import vault
from accounts.models import User
from accounts.sealing import Context, SealError

FACTOR = Context(user_id=0, connection="mfa", field="secret")
"""What sealed second factors are bound to: allauth does not say whose they are."""


class AccountAdapter(DefaultAccountAdapter):
    """Makes the first visitor the owner and closes sign-up behind them."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether this visitor may make an account."""
        return bool(settings.SIGNUP_OPEN) or not User.objects.exists()

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Store a new account; of two first visitors at the same moment the database lets one be the owner."""
        first = not User.objects.exists()
        user.is_owner = user.is_staff = user.is_superuser = first
        try:
            with transaction.atomic():
                saved: User = super().save_user(request, user, form, commit)
        except IntegrityError as error:
            closed = render(request, "account/signup_closed.html", status=409)
            raise ImmediateHttpResponse(closed) from error
        return saved

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """The owner is led to a second factor first: the admin pages ask for it."""
        return reverse("mfa_index" if request.user.is_staff else settings.LOGIN_REDIRECT_URL)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # With the address in it: who tries passwords locks out himself, not the account.
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{self.get_client_ip(request)}"


class SealedFactors(DefaultMFAAdapter):
    """Stores the secrets of authenticator apps and recovery codes sealed."""

    @sensitive_variables()
    def encrypt(self, text: str) -> str:
        """Seal with the vault's newest key."""
        return vault().seal(text, FACTOR)

    @sensitive_variables()
    def decrypt(self, encrypted_text: str) -> str:
        """Open; a factor that does not open is replaced by a random one, so that no code fits it."""
        try:
            return vault().open(encrypted_text, FACTOR)
        except SealError:
            return base64.b32encode(secrets.token_bytes(20)).decode()
