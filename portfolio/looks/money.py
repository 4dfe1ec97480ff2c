"""In which currency a user looks, and whether USDT counts as a dollar. What is stored stays in USD at the market.

An amount of a day is shown at the rate of that day, never at today's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from typing import Any

from portfolio import rates, valuation
from portfolio.looks.look import Look
from portfolio.models import DailyWorth, MoneyChoice
from portfolio.rates import FIAT, USD
from portfolio.valuation import Portfolio

USDT = "USDT"
ONE = Decimal(1)
CURRENCIES = (USD, "EUR", "GBP", *sorted(FIAT - {USD, "EUR", "GBP"}), "BTC", "ETH")
_RATES = Context(prec=20)
"""Digits of a rate: few enough that quantity x price x rate is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The currency of a look; `rates` says what one dollar was in it on each day that is known."""

    currency: str = USD
    at_par: bool = False
    rates: Mapping[date, Decimal] = field(default_factory=dict)

    def rate(self, day: date) -> Decimal | None:
        """What one dollar was worth on a day; None where nobody knows."""
        return ONE if self.currency == USD else self.rates.get(day)

    def price(self, asset: str, price: Decimal | None) -> Decimal | None:
        """The market's price in USD, or the par of USDT where that is wanted."""
        return ONE if self.at_par and asset == USDT else price


def money_of(look: Look) -> Money:
    """How the user looks at this span: one query, with another currency than USD three."""
    choice = MoneyChoice.objects.for_user(look.user).first()
    if choice is None:
        return Money()
    if choice.currency == USD:
        return Money(at_par=choice.usdt_at_par)
    known = rates.daily([choice.currency], look.since, look.until)
    by_day = {day: _RATES.divide(ONE, price.usd) for (_, day), price in known.items()}
    if look.today:
        current = rates.current([choice.currency], look.now).get(choice.currency)
        if current:
            by_day[look.until] = _RATES.divide(ONE, current.usd)
    return Money(currency=choice.currency, at_par=choice.usdt_at_par, rates=by_day)


def choose(user: Any, currency: str, *, at_par: bool) -> None:
    """Remember the choice, and ask for the rates that it needs; raises ValueError for an unknown currency."""
    if currency not in CURRENCIES:
        raise ValueError(currency)
    MoneyChoice.objects.update_or_create(user=user, defaults={"currency": currency, "usdt_at_par": at_par})
    first = DailyWorth.objects.for_user(user).order_by("day").values_list("day", flat=True).first()
    if first is not None:
        valuation.want_prices({currency: first})


def par_difference(whole: Portfolio) -> Decimal:
    """What the total would be more (or less) if each USDT were a dollar; what is unpriced gains its whole par."""
    held = [h for h in whole.holdings if h.asset == USDT]
    return sum((h.quantity - (h.value_usd or Decimal(0)) for h in held), Decimal(0))
