"""What is looked at: whose, which connection, which asset, from when to when; and in which currency it is shown."""

from portfolio.looks.bounds import Bounds, bounds
from portfolio.looks.look import Look, Period, UnknownConnection, look
from portfolio.looks.money import (
    COINS,
    CURRENCIES,
    OTHERS,
    USUAL,
    Money,
    choice_of,
    choose,
    money_now,
    money_of,
    par_difference,
    times,
    valued_now,
)
from portfolio.looks.shown import (
    AssetPoint,
    Point,
    ShownChange,
    asset_line,
    change_in,
    line,
    rated,
)
from portfolio.valuation.par import USDT

__all__ = [
    "COINS",
    "CURRENCIES",
    "OTHERS",
    "USDT",
    "USUAL",
    "AssetPoint",
    "Bounds",
    "Look",
    "Money",
    "Period",
    "Point",
    "ShownChange",
    "UnknownConnection",
    "asset_line",
    "bounds",
    "change_in",
    "choice_of",
    "choose",
    "line",
    "look",
    "money_now",
    "money_of",
    "par_difference",
    "rated",
    "times",
    "valued_now",
]
