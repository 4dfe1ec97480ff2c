"""What else happens: a new second factor ends all other sessions; a migrated database has the cache's table."""

from __future__ import annotations

from typing import Any

from allauth.mfa.signals import authenticator_added, authenticator_removed
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from django.apps import AppConfig
from django.core.management import call_command
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User


@receiver([authenticator_added, authenticator_removed])
def end_sessions_without_it(request: HttpRequest, user: User, **_: Any) -> None:
    """A session opened before the factor existed (or after its theft) must not go on without it."""
    end_other_sessions(request, user)


@receiver(post_migrate)
def make_cache_table(*, app_config: AppConfig, using: str, **_: Any) -> None:
    """`migrate` alone makes a database that is ready: log-in limits live in the cache's table."""
    if app_config.name == "accounts":
        call_command("createcachetable", database=using, verbosity=0)
