"""Which markets an account may have traded in: those between two assets that it has held.

The list of all markets is large, so it is asked once a day and only our part of it is kept in the cursor.
"""

from __future__ import annotations

from exchanges import wire
from exchanges.btse import paths
from exchanges.btse.rows import listed
from exchanges.btse.windows import DAY
from exchanges.connector import JSONValue, Progress
from exchanges.transport import Transport


def symbols(public: Transport, stored: JSONValue, progress: Progress, now: int) -> dict[str, JSONValue]:
    """What to keep in the cursor: the markets' `symbols`, for which `assets`, asked when."""
    assets: list[JSONValue] = [*sorted(progress.assets)]
    if isinstance(stored, dict) and stored.get("assets") == assets and not progress.full:
        asked = stored.get("asked")
        if type(asked) is int and 0 <= now - asked < DAY:
            return stored
    found = between(public.get(paths.MARKETS).value, progress.assets) if assets else []
    return {"asked": now, "assets": assets, "symbols": [*found]}


def between(value: wire.Value, assets: frozenset[str]) -> list[str]:
    """The spot markets between two of `assets`, in order; rows that cannot be read are left out."""
    found = set()
    for row in listed(value):
        try:
            market = wire.fields(row)
            symbol = wire.identifier(market.get("symbol"))
            sides = {wire.asset(market.get("base")), wire.asset(market.get("quote"))}
        except ValueError:
            continue
        futures = market.get("futures") is True or market.get("timeBasedContract") is True
        if sides <= assets and not futures and len(symbol) <= 40:
            found.add(symbol)
    return sorted(found)
