"""The prices that a user gave: at the end of their day they come before all others, for that user alone.

Carried forward like any other price where there is no other: two days, between fiat currencies five. As long as a day
is not over, they count only where there is no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from portfolio import rates
from portfolio.models import Correction, CorrectionKind
from portfolio.rates import FIAT, DayPrice, Price, closing_time
from portfolio.rates.routes import OLDEST_FIAT_DAYS

SOURCE = "your own price"
CARRIED_CRYPTO_DAYS = 2
Daily = Mapping[tuple[str, date], DayPrice]


def over(
    user: Any, known: Daily, assets: Iterable[str], start: date, today: date, *, end: date | None = None
) -> Daily:
    """The daily prices `known` to all, up to `end` or today, with those of this user put over them: one query."""
    last = end or today
    theirs = _said(assets, start, last, users=[user])
    return next((laid_over(said, known, start, last, today) for said in theirs.values()), known)


def closes(user: Any, assets: Iterable[str], start: date, today: date) -> dict[tuple[str, date], Decimal]:
    """What `over` comes to as bare numbers: two queries, and one more where the user gave a price."""
    names = list(assets)
    if _said(names, start, today, users=[user]):
        known = over(user, rates.daily(names, start, today), names, start, today)
        return {key: price.usd for key, price in known.items()}
    bare = rates.closes(names, start, today)
    return {(asset, day): usd for asset, by_day in bare.items() for day, usd in by_day.items()}


def laid_over(said: Daily, known: Daily, start: date, end: date, today: date) -> Daily:
    """A user's prices over all others, carried on where there is none."""
    merged = dict(known)
    for (asset, day), price in sorted(said.items(), key=lambda item: item[0][1]):
        for n in range(carried_days(asset) + 1):
            later = day + timedelta(days=n)
            taken = (asset, later) in known or (n > 0 and (asset, later) in said)
            if start <= later <= end and (not taken or (n == 0 and later < today)):
                merged[asset, later] = replace(price, day=later, carried_days=n)
    return merged


def current(users: Iterable[Any], assets: Iterable[str], now: datetime) -> dict[tuple[int, str], Price]:
    """Each user's own price of these assets where it is young enough; asked only for what has no other: one query."""
    today = now.date()
    return {
        (user, asset): Price(
            asset=asset, usd=price.usd, source=SOURCE, route=price.route, at=min(price.at, now)
        )
        for user, said in _said(assets, today, today, users=users).items()
        for (asset, _), price in laid_over(said, {}, today, today, today).items()
    }


def prices_now(user: Any, assets: Iterable[str], now: datetime) -> dict[str, Price]:
    """What each asset costs now, as it counts for this user: the market's price, or where there is none the user's own."""
    wanted = set(assets)
    known = rates.current(wanted, now)
    missing = wanted - known.keys()
    said = current([user.pk], missing, now) if missing else {}
    return known | {asset: price for (_, asset), price in said.items()}


def carried_days(asset: str) -> int:
    """How many days a price stands for those after it."""
    return OLDEST_FIAT_DAYS if asset in FIAT else CARRIED_CRYPTO_DAYS


def _said(
    assets: Iterable[str], start: date, end: date, users: Iterable[Any] | None = None
) -> dict[int, dict[tuple[str, date], DayPrice]]:
    rows = Correction.objects.active().filter(
        kind=CorrectionKind.PRICE,
        asset__in=list(assets),
        day__range=(start - timedelta(days=OLDEST_FIAT_DAYS), end),
    )
    if users is not None:
        rows = rows.filter(user__in=list(users))
    by_owner: dict[int, dict[tuple[str, date], DayPrice]] = {}
    for owner, asset, day, amount in rows.values_list("user", "asset", "day", "amount"):
        if asset != rates.USD and day is not None and amount:
            by_owner.setdefault(owner, {})[asset, day] = _price(asset, day, amount)
    return by_owner


def _price(asset: str, day: date, amount: Decimal) -> DayPrice:
    return DayPrice(
        asset=asset,
        day=day,
        usd=amount,
        source=SOURCE,
        route=(asset, rates.USD),
        at=closing_time(day),
        carried_days=0,
    )
