"""How it did over any span, for all, one connection or one asset: the days that `returns` measures, and comparisons.

`series` reads the days; `benchmarks` and `cards` are pure; `report` puts a page's figures together.
"""

from portfolio.performance.benchmarks import BENCHMARKS, Benchmark, compare
from portfolio.performance.cards import CARDS, Card, card
from portfolio.performance.report import Report, compared, report
from portfolio.performance.series import Series, parts, series

__all__ = [
    "BENCHMARKS",
    "CARDS",
    "Benchmark",
    "Card",
    "Report",
    "Series",
    "card",
    "compare",
    "compared",
    "parts",
    "report",
    "series",
]
