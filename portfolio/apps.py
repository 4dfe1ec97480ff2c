"""The Django app of the portfolio, and the admin site that asks staff for a second factor."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class PortfolioConfig(AppConfig):
    """What they own and what it is worth."""

    name = "portfolio"
    default = True


class AdminSite(admin_apps.AdminConfig):
    """Django's admin with our site class."""

    default = False
    default_site = "accounts.admin_site.SecondFactorAdminSite"
