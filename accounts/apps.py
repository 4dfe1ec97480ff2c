"""The Django app of users and keys."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who may look, and the keys they lent us."""

    name = "accounts"

    def ready(self) -> None:
        """Connect what listens: it needs the models, so it can only be loaded now."""
        for module in ("accounts.signals", "accounts.checks", "accounts.audit"):
            import_module(module)
