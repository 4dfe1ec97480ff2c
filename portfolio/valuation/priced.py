"""What prices make of the quantities of a day: its flow in dollars, as far as it entered or left the priced part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

from accounts.models import Connection
from portfolio.valuation import own
from portfolio.valuation.amounts import ZERO, usd
from portfolio.valuation.history import Moved

DAY = timedelta(days=1)


class Prices:
    """The daily prices of some assets, as the owner of a connection knows them."""

    def __init__(self, connection: Connection, assets: Iterable[str], start: date, today: date) -> None:
        self._known = own.closes(connection.user_id, assets, start, today)

    def of(self, asset: str, day: date) -> Decimal | None:
        """None where it is unpriced."""
        return self._known.get((asset, day))


class Flowed(Protocol):
    """A day of one asset: what it was before, what flowed, and what was exchanged for other assets."""

    @property
    def day(self) -> date: ...
    @property
    def opened(self) -> Decimal: ...
    @property
    def flow(self) -> Decimal: ...
    @property
    def bartered(self) -> Sequence[Moved]: ...


def flow_usd(asset: str, day: Flowed, prices: Prices) -> Decimal | None:
    """What entered (+) or left (-) the priced part of the portfolio on this day.

    Besides what came from outside: what was exchanged for something unpriced, and all of an asset on the day from
    which, or until which, it has a price. Otherwise a price that appears would look like a gain.
    """
    price, before = prices.of(asset, day.day), prices.of(asset, day.day - DAY)
    if price is None:
        left = usd(day.opened, before) if day.opened else None
        return None if left is None else -left
    bartered = sum(
        (m.amount for m in day.bartered if any(prices.of(other, day.day) is None for other in m.against)),
        ZERO,
    )
    entered = day.opened if before is None else ZERO
    return usd(day.flow + bartered + entered, price)
