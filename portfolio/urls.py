"""Which address leads where."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, register_converter

from portfolio.converters import AssetName
from portfolio.views import (
    appearance,
    bridge,
    connection_keys,
    connections,
    derivation,
    holdings,
    ledger,
    ledger_export,
    overview,
    prices,
    rates,
    returns,
)

register_converter(AssetName, "asset")

connection_urls = [
    path("", connections.connections, name="connections"),
    path("add/", connection_keys.choose, name="connection_choose"),
    path("add/<str:name>/", connection_keys.add, name="connection_add"),
    path("<str:public_id>/", connections.connection, name="connection"),
    path("<str:public_id>/check/", connection_keys.check, name="connection_check"),
    path("<str:public_id>/key/", connection_keys.replace_key, name="connection_key"),
    path("<str:public_id>/remove/", connection_keys.remove, name="connection_remove"),
    path("<str:public_id>/sync/", connections.sync_now, name="connection_sync"),
    path("<str:public_id>/pause/", connections.pause, name="connection_pause"),
    path("<str:public_id>/resume/", connections.resume, name="connection_resume"),
]
ledger_urls = [
    path("", ledger.ledger, name="ledger"),
    path("<int:pk>/", ledger.transaction, name="transaction"),
    path("export.<str:form>", ledger_export.export, name="ledger_export"),
]
derivation_urls = [
    path("balance/<int:pk>/", derivation.balance, name="derivation_balance"),
    path("price/<asset:asset>/", derivation.price, name="derivation_price"),
    path("value/", derivation.value, name="derivation_total"),
    path("value/<asset:asset>/", derivation.value, name="derivation_value"),
]
performance_urls = [
    path("returns/", returns.returns, name="returns"),
    path("returns/export.<str:form>", returns.export, name="returns_export"),
    path("returns/method/<str:name>.json", returns.method, name="returns_method"),
    path("bridge/", bridge.page_of_bridge, name="bridge"),
    path("bridge/export.<str:form>", bridge.export, name="bridge_export"),
    path("prices/", prices.prices, name="prices"),
    path("prices/export.<str:form>", prices.export, name="prices_export"),
    path("prices/import/", prices.take, name="prices_import"),
    path("prices/order/", prices.order, name="prices_order"),
]
settings_urls = [
    path("", appearance.settings, name="settings"),
    path("theme/", appearance.theme, name="theme"),
    path("amounts/", appearance.hide_amounts, name="hide_amounts"),
    path("money/", prices.money, name="money"),
]
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("holdings/", holdings.holdings, name="holdings"),
    path("holdings/<asset:asset>/", holdings.asset, name="asset"),
    path("ledger/", include(ledger_urls)),
    path("connections/", include(connection_urls)),
    path("rates/", rates.rates, name="rates"),
    path("rates/<asset:asset>/", rates.rate, name="rate"),
    path("", include(performance_urls)),
    path("derivation/", include(derivation_urls)),
    path("settings/", include(settings_urls)),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
]
