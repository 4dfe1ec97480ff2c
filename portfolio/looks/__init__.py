"""What is looked at: whose, which connection, which asset, from when to when; and in which currency it is shown."""

from portfolio.looks.look import Look, Period, look
from portfolio.looks.money import CURRENCIES, USDT, Money, choose, money_of, par_difference

__all__ = [
    "CURRENCIES",
    "USDT",
    "Look",
    "Money",
    "Period",
    "choose",
    "look",
    "money_of",
    "par_difference",
]
