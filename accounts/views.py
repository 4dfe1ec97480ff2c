"""The way in: on an empty installation the first visitor is led to making the owner's account."""

from __future__ import annotations

from typing import Any

from allauth.account import views
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

from accounts.models import User


@method_decorator(login_not_required, name="dispatch")
class Login(views.LoginView):
    """The log-in page, or the sign-up page while nobody has an account."""

    extra_context = {"signup_open": settings.SIGNUP_OPEN}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the form where there is somebody who can fill it in."""
        if not User.objects.exists():
            return redirect("account_signup")
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        return response


@method_decorator(login_not_required, name="dispatch")
class Signup(views.SignupView):
    """Sign-up that tells the first visitor that this account will be the owner's."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Allauth's, and whether nobody has an account yet."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"first_account": not User.objects.exists()}
