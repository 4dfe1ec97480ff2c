"""What is looked at: whose, which connection, which asset, from when to when; and in which currency it is shown."""

from portfolio.looks.bounds import Bounds, bounds
from portfolio.looks.look import Look, Period, UnknownConnection, look
from portfolio.looks.money import CURRENCIES, USDT, Money, choose, money_of, par_difference

__all__ = [
    "CURRENCIES",
    "USDT",
    "Bounds",
    "Look",
    "Money",
    "Period",
    "UnknownConnection",
    "bounds",
    "choose",
    "look",
    "money_of",
    "par_difference",
]
