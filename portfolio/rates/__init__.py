"""What one unit of an asset is worth in USD: by which route, from whom, how old. Unpriced is absence, never zero.

`routes` chooses among quotes and is pure; `store` asks the database. Nothing here knows who holds what.
"""

from portfolio.rates.reasons import why_unpriced
from portfolio.rates.routes import ECB, FIAT, HUBS, USD, Price, Quoted, closing_time, nodes, price, prices
from portfolio.rates.routes import OLDEST_FIAT_DAYS as CARRIED_DAYS
from portfolio.rates.store import (
    DayPrice,
    Repriced,
    at_moments,
    closes,
    current,
    daily,
    days,
    settle,
    settle_again,
)

__all__ = [
    "CARRIED_DAYS",
    "ECB",
    "FIAT",
    "HUBS",
    "USD",
    "DayPrice",
    "Price",
    "Quoted",
    "Repriced",
    "at_moments",
    "closes",
    "closing_time",
    "current",
    "daily",
    "days",
    "nodes",
    "price",
    "prices",
    "settle",
    "settle_again",
    "why_unpriced",
]
