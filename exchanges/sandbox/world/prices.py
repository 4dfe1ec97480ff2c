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
CURRENCIES = {
    name: Level(1 / Decimal(of_a_dollar), wild)
    for name, of_a_dollar, wild in [
        ("JPY", "150", 40), ("CZK", "21.8", 30), ("DKK", "6.88", 28), ("HUF", "355", 40), ("PLN", "3.85", 32),
        ("RON", "4.57", 25), ("SEK", "9.9", 35), ("CHF", "0.85", 30), ("ISK", "128", 25), ("NOK", "10.2", 40),
        ("TRY", "42", 60), ("AUD", "1.52", 35), ("BRL", "5.5", 50), ("CAD", "1.38", 22), ("CNY", "7.15", 12),
        ("HKD", "7.8", 2), ("IDR", "16400", 25), ("ILS", "3.5", 35), ("INR", "87", 15), ("KRW", "1390", 30),
        ("MXN", "18.8", 40), ("MYR", "4.25", 20), ("NZD", "1.7", 35), ("PHP", "57.5", 20), ("SGD", "1.3", 15),
        ("THB", "32.7", 25), ("ZAR", "17.8", 40),
    ]
}  # fmt: skip
"""What the ECB quotes beside dollar, pound and euro; no exchange of this world lists these."""


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


@lru_cache(maxsize=1 << 15)
def _usd(seed: str, asset: str, level: Level, second: int) -> Decimal:
    walk = sum(
        (
            height * _noise(seed, asset, period, second)
            for height, period in zip(_heights(level.wild), PERIODS, strict=True)
        ),
        Decimal(0),
    )
    return Context(prec=12).multiply(level.usd, _MATH.exp(_MATH.divide(walk, Decimal(SCALE))))


class Prices:
    """The price list of one world."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def usd(self, asset: str, at: datetime) -> Decimal | None:
        """What one unit costs in USD with twelve digits; None where nobody has a price."""
        if asset == "USD":
            return Decimal(1)
        level = LEVELS.get(asset) or CURRENCIES.get(asset)
        if level is None:
            return None
        return _usd(self._seed, asset, level, int(at.timestamp()))

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
