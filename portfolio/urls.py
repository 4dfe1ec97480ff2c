"""Which address leads where."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from portfolio.views import appearance, connections, holdings, ledger, overview, rates

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("holdings/", holdings.holdings, name="holdings"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("connections/", connections.connections, name="connections"),
    path("rates/", rates.rates, name="rates"),
    path("settings/", appearance.settings, name="settings"),
    path("settings/theme/", appearance.theme, name="theme"),
    path("settings/amounts/", appearance.hide_amounts, name="hide_amounts"),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
]
