"""In which currency a user looks, and whether USDT counts as a dollar. What is stored stays in USD at the market.

An amount of a day is shown at the rate of that day, never at today's; what is worth something now, at the rate of now.
Where a rate is missing there is no figure: never one for one, never nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any

from accounts.models import Connection
from portfolio import rates
from portfolio.looks.look import Look
from portfolio.models import DailyWorth, MoneyChoice
from portfolio.rates import FIAT, USD, Price, closing_time
from portfolio.valuation import Portfolio, par, portfolio_of, portfolio_of_connections, want_prices

ONE = Decimal(1)
COINS = ("BTC", "ETH")
USUAL = (USD, "EUR", "GBP")
OTHERS = tuple(sorted(FIAT - set(USUAL)))
CURRENCIES = (*USUAL, *COINS, *OTHERS)
_RATES = Context(prec=20)
"""Digits of a rate: few enough that quantity x price x rate is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The currency of a look: `now` is its price in USD now, `moments` at some moments within a day.

    `rates` says what one dollar was in it on each day that is known.
    """

    currency: str = USD
    at_par: bool = False
    rates: Mapping[date, Decimal] = field(default_factory=dict)
    moments: Mapping[datetime, Price] = field(default_factory=dict)
    now: Price | None = None

    @property
    def is_usd(self) -> bool:
        """Whether nothing is converted."""
        return self.currency == USD

    @property
    def rate_now(self) -> Decimal | None:
        """What one dollar is worth now; None where nobody knows."""
        if self.is_usd:
            return ONE
        return per_dollar(self.now.usd) if self.now else None

    @property
    def is_plain(self) -> bool:
        """Whether it is what is stored: USD at the market."""
        return self.currency == USD and not self.at_par

    def rate(self, day: date) -> Decimal | None:
        """What one dollar was worth on a day; None where nobody knows."""
        return ONE if self.is_usd else self.rates.get(day)

    def rate_at(self, moment: datetime) -> Decimal | None:
        """What one dollar was worth at a moment: its own rate where there is one, else that of its day."""
        if moment in self.moments:
            return per_dollar(self.moments[moment].usd)
        if not self.is_usd and self.currency in COINS and moment != closing_time(moment.date()):
            return None
        return self.rate(moment.date())

    def price(self, asset: str, price: Decimal | None) -> Decimal | None:
        """The market's price in USD, or the par of USDT where that is wanted."""
        return ONE if self.at_par and asset == par.USDT else price

    def shown(self, usd: Decimal | None) -> Decimal | None:
        """What some dollars are in it now."""
        return times(usd, self.rate_now)

    def over(self, since: date, until: date, *, ends_now: bool) -> Money:
        """The same with the rate of each of these days, the last one that of now where it ends now: one query."""
        if self.is_usd:
            return self
        known = rates.closes([self.currency], since, until)[self.currency]
        by_day = {day: per_dollar(usd) for day, usd in known.items()}
        if ends_now and self.rate_now is not None:
            by_day[until] = self.rate_now
        return replace(self, rates=by_day)

    def with_moments(self, moments: Iterable[datetime]) -> Money:
        """The same with the rates of moments within days: only coins move within a day, so only they cost a query."""
        if self.currency not in COINS:
            return self
        within = [moment for moment in moments if moment != closing_time(moment.date())]
        return replace(self, moments=rates.at_moments(self.currency, within))


def times(usd: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """Dollars at a rate, exactly: parts add up to their total in any currency."""
    return None if usd is None or rate is None else usd * rate


def per_dollar(usd: Decimal) -> Decimal:
    """What one dollar is in something that costs so many."""
    return _RATES.divide(ONE, usd)


def choice_of(user: Any) -> MoneyChoice:
    """What the user chose, or what counts before anything was: one query for each request."""
    try:
        chosen: MoneyChoice = user.money_choice
    except MoneyChoice.DoesNotExist:
        return MoneyChoice(user=user)
    return chosen


def money_now(user: Any, now: datetime) -> Money:
    """How the user looks at what is there now: one query, with another currency than USD two."""
    choice = choice_of(user)
    if choice.currency == USD:
        return Money(at_par=choice.usdt_at_par)
    current = rates.current([choice.currency], now).get(choice.currency)
    return Money(currency=choice.currency, at_par=choice.usdt_at_par, now=current)


def money_of(look: Look) -> Money:
    """How the user looks at this span: one query, with another currency than USD three."""
    return money_now(look.user, look.now).over(look.since, look.until, ends_now=look.today)


def valued_now(
    user: Any, now: datetime, connections: Iterable[Connection] | None = None
) -> tuple[Portfolio, Money]:
    """What the user owns as the user counts it, and the currency in which to say it: what every page asks.

    A page that has all of the user's connections at hand gives them.
    """
    money = money_now(user, now)
    if connections is None:
        return portfolio_of(user, now, at_par=money.at_par), money
    return portfolio_of_connections(connections, now, at_par=money.at_par), money


def choose(user: Any, currency: str, *, at_par: bool | None = None) -> None:
    """Remember the choice (None: par as before), and ask for the rates that it needs; ValueError for no currency."""
    if currency not in CURRENCIES:
        raise ValueError(currency)
    chosen: dict[str, Any] = {"currency": currency}
    if at_par is not None:
        chosen["usdt_at_par"] = at_par
    user.money_choice, _ = MoneyChoice.objects.update_or_create(user=user, defaults=chosen)
    first = DailyWorth.objects.for_user(user).order_by("day").values_list("day", flat=True).first()
    if first is not None:
        want_prices({currency: first})


def par_difference(whole: Portfolio) -> Decimal:
    """What a total at the market would be more (or less) if each USDT were a dollar; unpriced ones gain their par."""
    held = [h for h in whole.holdings if h.asset == par.USDT]
    return sum((par.of_holding(h.quantity, h.value_usd).value for h in held), Decimal(0))
