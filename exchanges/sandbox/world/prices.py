"""What things cost in the invented world: a seeded random walk per asset, at any moment, without state.

The walk is a sum of noises whose periods double from a minute to years and whose heights grow with the root of
the period, as a random walk's do. Integers and Decimals only. Knows no account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import lru_cache

from exchanges.sandbox.world.dice import draw

SCALE = 10**6
PERIODS = tuple(60 * 4**n for n in range(11))  # seconds: one minute … two years
_MATH = Context(prec=16)


@dataclass(frozen=True, slots=True)
class Level:
    """Around which price in USD an asset moves, and how wildly (height of the yearly swing, per mille)."""

    usd: Decimal
    wild: int


LEVELS = {
    "BTC": Level(Decimal("61000"), 330),
    "ETH": Level(Decimal("2600"), 420),
    "SOL": Level(Decimal("140"), 560),
    "LTC": Level(Decimal("84"), 400),
    "XRP": Level(Decimal("0.74"), 480),
    "DTR": Level(Decimal("0.0134"), 600),
    "XAUT": Level(Decimal("2450"), 110),
    "EUR": Level(Decimal("1.085"), 30),
    "EURT": Level(Decimal("1.083"), 31),
    "GBP": Level(Decimal("1.27"), 30),
    "USDC": Level(Decimal("0.99995"), 1),
    "USDT": Level(Decimal("0.99985"), 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One stretch of a market: time is its beginning."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@lru_cache(maxsize=1 << 17)
def _node(seed: str, asset: str, period: int, index: int) -> int:
    return draw(seed, asset, period, index) % (2 * SCALE + 1) - SCALE


def _height(period: int, wild: int) -> Decimal:
    return _MATH.multiply(
        Decimal(wild) / 1000, _MATH.sqrt(_MATH.divide(Decimal(period), Decimal(31_557_600)))
    )


@lru_cache(maxsize=64)
def _heights(wild: int) -> tuple[Decimal, ...]:
    return tuple(_height(period, wild) for period in PERIODS)


def _noise(seed: str, asset: str, period: int, second: int) -> int:
    index, inside = divmod(second, period)
    before, after = _node(seed, asset, period, index), _node(seed, asset, period, index + 1)
    return before + (after - before) * inside // period


class Prices:
    """The price list of one world."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def usd(self, asset: str, at: datetime) -> Decimal | None:
        """What one unit costs in USD with twelve digits; None where nobody has a price."""
        if asset == "USD":
            return Decimal(1)
        level = LEVELS.get(asset)
        if level is None:
            return None
        second = int(at.timestamp())
        walk = sum(
            (
                height * _noise(self._seed, asset, period, second)
                for height, period in zip(_heights(level.wild), PERIODS, strict=True)
            ),
            Decimal(0),
        )
        return Context(prec=12).multiply(level.usd, _MATH.exp(_MATH.divide(walk, Decimal(SCALE))))

    def pair(self, base: str, quote: str, at: datetime) -> Decimal | None:
        """What one unit of `base` costs in `quote`."""
        above, below = self.usd(base, at), self.usd(quote, at)
        return None if above is None or below is None else Context(prec=12).divide(above, below)

    def bar(self, base: str, quote: str, start: datetime, length: timedelta, now: datetime) -> Bar | None:
        """How the market moved from `start` on, as far as `now` knows; None for the future and the unpriced."""
        end = min(start + length, now)
        if end < start:
            return None
        seen = [self.pair(base, quote, start + (end - start) * step / 6) for step in range(7)]
        known = [price for price in seen if price is not None]
        if not known:
            return None
        return Bar(at=start, open=known[0], high=max(known), low=min(known), close=known[-1])


def from_seconds(seconds: int) -> datetime:
    """The moment of a Unix time."""
    return datetime.fromtimestamp(seconds, tz=UTC)
