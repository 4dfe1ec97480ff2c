"""The admin site: for staff with a second factor only."""

from __future__ import annotations

from django.contrib import admin


class SecondFactorAdminSite(admin.AdminSite):
    """Django's admin under our name."""

    site_header = site_title = "Holdfast"
