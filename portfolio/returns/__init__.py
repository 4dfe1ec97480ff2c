"""How it did: time-weighted, money-weighted and simple return, drawdown and volatility, or the reason why not.

Pure: knows days with values and flows, nothing of where they come from. Conventions: docs/returns.md.
"""

from portfolio.returns.growth import Drawdown, Growth, chain, growths, max_drawdown, volatility
from portfolio.returns.measure import Brief, Returns, measure, measure_briefly
from portfolio.returns.money import Flow, modified_dietz, money_weighted, yearly
from portfolio.returns.reader import read_days
from portfolio.returns.records import Day, DayReturn, Figure, Refused

__all__ = [
    "Brief",
    "Day",
    "DayReturn",
    "Drawdown",
    "Figure",
    "Flow",
    "Growth",
    "Refused",
    "Returns",
    "chain",
    "growths",
    "max_drawdown",
    "measure",
    "measure_briefly",
    "modified_dietz",
    "money_weighted",
    "read_days",
    "volatility",
    "yearly",
]
