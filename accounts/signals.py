"""What else happens when an account changes: a new second factor ends all other sessions."""

from __future__ import annotations

from typing import Any

from allauth.mfa.signals import authenticator_added, authenticator_removed
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User


@receiver([authenticator_added, authenticator_removed])
def end_sessions_without_it(request: HttpRequest, user: User, **_: Any) -> None:
    """A session opened before the factor existed (or after its theft) must not go on without it."""
    end_other_sessions(request, user)
