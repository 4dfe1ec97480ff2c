"""What the holdings are worth: now, on each day, at each moment of the last week, and how that changed.

`holdings` answers for now; `history` (pure) finds the quantity of each day; `update` keeps the daily rows; `points` the
hourly ones; `worth` reads them for charts; `change` takes flows out of gains.
"""

from portfolio.valuation.amounts import usd
from portfolio.valuation.assets import AssetDay, asset_days, sparks
from portfolio.valuation.change import Change, change
from portfolio.valuation.gaps import unpriced
from portfolio.valuation.holdings import Holding, Part, Portfolio, portfolio_of, portfolio_of_connections
from portfolio.valuation.points import mark
from portfolio.valuation.reprice import reprice
from portfolio.valuation.update import close_day, derive, is_told, told_until, update, want_prices
from portfolio.valuation.worth import NetworthDay, Span, WorthAt, kept_days, networth, worth

__all__ = [
    "AssetDay",
    "Change",
    "Holding",
    "NetworthDay",
    "Part",
    "Portfolio",
    "Span",
    "WorthAt",
    "asset_days",
    "change",
    "close_day",
    "derive",
    "is_told",
    "kept_days",
    "mark",
    "networth",
    "portfolio_of",
    "portfolio_of_connections",
    "reprice",
    "sparks",
    "told_until",
    "unpriced",
    "update",
    "usd",
    "want_prices",
    "worth",
]
