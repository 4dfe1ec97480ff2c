"""What one unit was worth on the day of a movement: the day's close (or the user's own price), else the price now.

Remembers which prices were used and which were missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from accounts.models import User
from portfolio import rates
from portfolio.rates import FIAT, USD, DayPrice, Price
from portfolio.valuation import own

PAR = {"USDT": "USD", "EURT": "EUR", "CNHT": "CNY", "MXNT": "MXN", "USDC": "USD", "TUSD": "USD", "DAI": "USD"}
"""Tokens that promise one unit of a currency, and which."""
ONE = Decimal(1)
Daily = Callable[[Collection[str], date, date], Mapping[tuple[str, date], DayPrice]]
Current = Callable[[str], Price | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedPrice:
    """A price that a value rests on."""

    asset: str
    day: date
    usd: Decimal
    source: str
    carried_days: int = 0


class Prices:
    """Prices by asset and day, a month at a time; `daily` and `current` ask for them."""

    def __init__(self, daily: Daily, today: date, current: Current) -> None:
        self.used: dict[tuple[str, date], UsedPrice] = {}
        self.missing: dict[str, date] = {}
        self._ask = daily
        self._today = today
        self._ask_now = current
        self._month = date.min
        self._known: Mapping[tuple[str, date], DayPrice] = {}
        self._asked: set[str] = set()
        self._wanted: set[str] = set()

    def usd(self, asset: str, at: datetime) -> Decimal | None:
        """What one unit was worth in USD on that day; None is unpriced."""
        if asset == USD:
            return ONE
        key = (asset, at.date())
        found = self.used.get(key)
        if found is None and (found := self._find(*key)) is not None:
            self.used[key] = found
        if found is not None:
            return found.usd
        self.missing[asset] = min(self.missing.get(asset, at.date()), at.date())
        return None

    def par(self, asset: str, at: datetime) -> Decimal | None:
        """What one unit promises to be worth: one unit of its currency; None where it promises nothing."""
        currency = PAR.get(asset)
        return None if currency is None else self.usd(currency, at)

    def _find(self, asset: str, day: date) -> UsedPrice | None:
        self._turn_to(asset, day)
        close = self._known.get((asset, day))
        if close is not None:
            return UsedPrice(
                asset=asset, day=day, usd=close.usd, source=close.source, carried_days=close.carried_days
            )
        if day == self._today and (price := self._ask_now(asset)) is not None:
            return UsedPrice(asset=asset, day=day, usd=price.usd, source=price.source)
        return None

    def _turn_to(self, asset: str, day: date) -> None:
        """Have the month of a day at hand, for all assets that have been asked for."""
        month = day.replace(day=1)
        self._wanted.add(asset)
        if month != self._month:
            self._month, self._known, self._asked = month, {}, set()
        if lacking := self._wanted - self._asked:
            end = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            self._known = {**self._known, **self._ask(lacking, month, min(end, self._today))}
            self._asked |= lacking


def prices_of(user: User, now: datetime) -> Prices:
    """The prices that count for a user: the day's, with the user's own over them."""
    today = now.date()

    def daily(assets: Collection[str], start: date, end: date) -> Mapping[tuple[str, date], DayPrice]:
        return own.over(user, rates.daily(assets, start, end), assets, start, today, end=end)

    return Prices(daily, today, lambda asset: rates.current({asset}, now).get(asset))


def is_money(asset: str) -> bool:
    """Fiat is what gains are counted in or beside; it has no lots."""
    return asset in FIAT
