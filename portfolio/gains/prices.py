"""What one unit was worth on the day of a movement: the day's close (or the user's own price), else the price now.

Remembers which prices were used and which were missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from accounts.models import User
from portfolio import rates
from portfolio.rates import FIAT, USD, DayPrice, Price
from portfolio.valuation import own

PAR = {"USDT": "USD", "EURT": "EUR", "CNHT": "CNY", "MXNT": "MXN", "USDC": "USD", "TUSD": "USD", "DAI": "USD"}
"""Tokens that promise one unit of a currency, and which."""
ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedPrice:
    """A price that a value rests on."""

    asset: str
    day: date
    usd: Decimal
    source: str
    carried_days: int = 0


class Prices:
    """The prices of some assets between two days; looked up in memory."""

    def __init__(
        self,
        daily: Mapping[tuple[str, date], DayPrice],
        today: date,
        current: Mapping[str, Price],
    ) -> None:
        self.used: dict[tuple[str, date], UsedPrice] = {}
        self.missing: dict[str, date] = {}
        self._daily = daily
        self._today = today
        self._current = current

    def usd(self, asset: str, at: datetime) -> Decimal | None:
        """What one unit was worth in USD on that day; None is unpriced."""
        if asset == USD:
            return ONE
        key = (asset, at.date())
        if key not in self.used and (found := self._find(*key)) is not None:
            self.used[key] = found
        if key in self.used:
            return self.used[key].usd
        self.missing[asset] = min(self.missing.get(asset, at.date()), at.date())
        return None

    def par(self, asset: str, at: datetime) -> Decimal | None:
        """What one unit promises to be worth: one unit of its currency; None where it promises nothing."""
        currency = PAR.get(asset)
        return None if currency is None else self.usd(currency, at)

    def _find(self, asset: str, day: date) -> UsedPrice | None:
        close = self._daily.get((asset, day))
        if close is not None:
            return UsedPrice(
                asset=asset, day=day, usd=close.usd, source=close.source, carried_days=close.carried_days
            )
        if day == self._today and (price := self._current.get(asset)) is not None:
            return UsedPrice(asset=asset, day=day, usd=price.usd, source=price.source)
        return None


def prices_of(user: User, assets: Iterable[str], start: date | None, now: datetime) -> Prices:
    """The prices since `start`, with the user's own over them: three queries."""
    wanted = (frozenset(assets) | FIAT.intersection(PAR.values())) - {USD}
    today = now.date()
    since = start or today
    return Prices(
        daily=own.over(user, rates.daily(wanted, since, today), wanted, since, today),
        today=today,
        current=rates.current(wanted, now),
    )


def is_money(asset: str) -> bool:
    """Fiat is what gains are counted in or beside; it has no lots."""
    return asset in FIAT
