"""The small lines beside holdings: a month of daily prices as the path of an SVG, and the change over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from portfolio import charts, valuation

WIDTH, HEIGHT = 100, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """A path in a box of 100 × 28, which way it went, and by how many percent."""

    path: str
    change: Decimal

    @property
    def tone(self) -> str:
        """The class that colours it."""
        return "up" if self.change > 0 else "down" if self.change < 0 else ""


def sparklines(assets: Iterable[str], now: datetime) -> dict[str, Sparkline]:
    """A line for each asset that has at least two daily prices in the last month; one query."""
    values = valuation.sparks(sorted(set(assets)), now.date())
    return {asset: line for asset, prices in values.items() if (line := sparkline(prices))}


@lru_cache(maxsize=512)
def sparkline(values: tuple[Decimal | None, ...]) -> Sparkline | None:
    """The line through the values; none where there are fewer than two. Kept by its values, so it is never an old one."""
    known = [value for value in values if value is not None]
    path = charts.sparkline(values, WIDTH, HEIGHT)
    if not path or not known[0]:
        return None
    return Sparkline(path=path, change=(known[-1] - known[0]) * 100 / known[0])
