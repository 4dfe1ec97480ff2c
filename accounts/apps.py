"""The Django app of users and keys."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who may look, and the keys they lent us."""

    name = "accounts"
