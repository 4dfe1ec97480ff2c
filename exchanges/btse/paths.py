"""Which paths of BTSE may be asked, and which of them are signed.

The document is the project's copy of BTSE's wallet API 1.1.0; what it does not hold is marked, and may be missing
on the other side. See docs/exchanges/btse.md.
"""

from __future__ import annotations

PREFIX = "/spot"
"""Belongs to the host: on the wire, never signed."""

WALLET = "/api/v3.2/user/wallet"
HISTORY = "/api/v3.2/user/wallet_history"
ADDRESS = "/api/v3.2/user/wallet/address"
FILLS = "/api/v3.2/user/trade_history"
"""Not in the document."""
CURRENCIES = "/api/v3.2/availableCurrencies"
SIGNED = (WALLET, HISTORY, ADDRESS, FILLS, CURRENCIES)

TIME = "/api/v3.2/time"
"""Not in the document."""
MARKETS = "/api/v3.2/market_summary"
"""Not in the document."""
CANDLES = "/api/v3.2/ohlcv"
"""Not in the document."""
NETWORKS = "/api/v3.2/availableCurrencyNetworks"
RATE = "/api/v3.2/exchangeRate"
OPEN = (TIME, MARKETS, CANDLES, NETWORKS, RATE)

NEW_RATE = "/public-api/wallet/v1/assets/exchangeRate"
"""Not in the document: the successor of `RATE`, on the bare host."""
BARE = (NEW_RATE,)
