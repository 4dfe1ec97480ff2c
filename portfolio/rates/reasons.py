"""Why an asset has no price now: nobody quotes it, its quotes are too old, or none of them leads to the dollar."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from portfolio.models import Rate
from portfolio.rates.routes import FIAT, HUBS, Quoted, counts
from portfolio.rates.store import quoted


def why_unpriced(asset: str, now: datetime) -> str:
    """A sentence about an asset that `current` knows no price of: one query."""
    rows = Rate.objects.filter(Q(base=asset) | Q(counter=asset), newest=True, at__lte=now)
    quotes = list(quoted(rows))
    if not quotes:
        return f"Nobody has quoted {asset} so far."
    fresh = sorted({_other(q, asset) for q in quotes if counts(q, {q.base, q.counter} <= FIAT, now)})
    if fresh:
        ways = f"directly, or over {', '.join(HUBS[:-1])} or {HUBS[-1]}"
        return f"{asset} is quoted in {', '.join(fresh)}, but no quote leads from there to USD ({ways})."
    last = max(quotes, key=lambda quote: quote.at)
    return f"The last quote of {asset}, in {_other(last, asset)}, is of {last.at:%Y-%m-%d %H:%M} UTC: too old to be a price."


def _other(quote: Quoted, asset: str) -> str:
    return quote.counter if quote.base == asset else quote.base
