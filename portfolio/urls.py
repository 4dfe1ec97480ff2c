"""Which address leads where."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, register_converter
from health_check.views import HealthCheckView

from portfolio.converters import AssetName
from portfolio.views import (
    appearance,
    bridge,
    connection_keys,
    connections,
    corrections,
    derivation,
    derivation_time,
    gains,
    gains_export,
    holdings,
    imports,
    ledger,
    ledger_export,
    money,
    overview,
    prices,
    proofs,
    rates,
    recorder,
    returns,
    transfers,
    worth_export,
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
    path("<str:public_id>/proofs/", proofs.chain, name="connection_proofs"),
    path("<str:public_id>/recorder/", recorder.recorder, name="connection_recorder"),
    path("<str:public_id>/recorder/walk/", recorder.walk, name="connection_walk"),
    path("<str:public_id>/recorder/release/", recorder.release, name="connection_release"),
    path("quarantine/<int:pk>/again/", recorder.read_record, name="quarantine_again"),
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
    path("change/", derivation_time.change, name="derivation_change"),
    path("day/<str:day>/", derivation_time.day, name="derivation_day"),
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
gains_urls = [
    path("", gains.gains, name="gains"),
    path("lots/", gains.lots, name="gains_lots"),
    path("questions/", gains.problems, name="gains_problems"),
    path("choose/", gains.choose, name="gains_choose"),
    path("compute/", gains.recompute, name="gains_recompute"),
    path("bundle.zip", gains_export.accountants, name="gains_bundle"),
    path("bundle/", gains_export.bundle_state, name="gains_bundle_state"),
    path("bundle/order/", gains_export.order_bundle, name="gains_bundle_order"),
    path("<str:what>.<str:form>", gains_export.table, name="gains_export"),
]
transfer_urls = [
    path("", transfers.transfers, name="transfers"),
    path("look/", transfers.look, name="transfers_look"),
    path("export.<str:form>", transfers.table, name="transfers_export"),
    path("<int:pk>/<str:decision>/", transfers.decide, name="transfer_decide"),
]
correction_urls = [
    path("", corrections.corrections, name="corrections"),
    path("export.<str:form>", corrections.table, name="corrections_export"),
    path("add/<str:kind>/", corrections.add, name="correction_add"),
    path("<int:pk>/undo/", corrections.undo, name="correction_undo"),
]
import_urls = [
    path("", imports.imports, name="imports"),
    path("export.<str:form>", imports.table, name="imports_export"),
    path("<int:pk>/", imports.preview, name="import_preview"),
    path("<int:pk>/columns/", imports.choose, name="import_columns"),
    path("<int:pk>/commit/", imports.commit, name="import_commit"),
    path("<int:pk>/undo/", imports.undo, name="import_undo"),
]
settings_urls = [
    path("", appearance.settings, name="settings"),
    path("theme/", appearance.theme, name="theme"),
    path("amounts/", appearance.hide_amounts, name="hide_amounts"),
    path("money/", money.money, name="money"),
    path("currency/", money.currency, name="currency"),
]
healthy = HealthCheckView.as_view(checks=("health_check.checks.Database", "health_check.checks.Cache"))
urlpatterns = [
    path("health/", login_not_required(healthy), name="health"),
    path("", overview.overview, name="overview"),
    path("worth/export.<str:form>", worth_export.worth, name="worth_export"),
    path("holdings/export.<str:form>", worth_export.holdings, name="holdings_export"),
    path("holdings/", holdings.holdings, name="holdings"),
    path("holdings/<asset:asset>/", holdings.asset, name="asset"),
    path("ledger/", include(ledger_urls)),
    path("connections/", include(connection_urls)),
    path("gains/", include(gains_urls)),
    path("transfers/", include(transfer_urls)),
    path("corrections/", include(correction_urls)),
    path("import/", include(import_urls)),
    path("rates/", rates.rates, name="rates"),
    path("rates/<asset:asset>/", rates.rate, name="rate"),
    path("", include(performance_urls)),
    path("proofs/", proofs.proofs, name="proofs"),
    path("proofs/<int:pk>/", proofs.proof, name="proof"),
    path("derivation/", include(derivation_urls)),
    path("settings/", include(settings_urls)),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
]
