"""How amounts of a display currency and shares of one are written. Knows no model; missing values arrive as None.

`money` and its kin write an amount that is in its currency already; `shown` and its kin take dollars of now and the
`Money` of the look, and convert. Where the page has none, dollars stay dollars.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from django import template
from django.utils.html import format_html

from portfolio.fields import plain
from portfolio.looks import COINS, Money
from portfolio.templatetags.figures import MINUS, UNPRICED, digits, places_of

register = template.Library()


def written(value: Decimal, currency: str, *, sign: bool = False) -> str:
    """An amount with its currency: dollars with their sign in front, coins with eight places."""
    places = 8 if currency in COINS else 2
    before = MINUS if value < 0 else "+" if sign and value > 0 else ""
    size = abs(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    if value and not size:
        return f"{before}<{'$' if currency == 'USD' else ''}{digits(Decimal(1).scaleb(-places), places)}{'' if currency == 'USD' else ' ' + currency}"
    return f"{before}${size:,f}" if currency == "USD" else f"{before}{size:,f} {currency}"


@register.filter
def money(value: Decimal | None, currency: str) -> str:
    """An amount; all its digits are in the title."""
    if not isinstance(value, Decimal):
        return "–"
    return format_html(
        '<span class="private" title="{} {}">{}</span>', plain(value), currency, written(value, currency)
    )


@register.filter
def shown(usd: Decimal | None, look: Money | str) -> str:
    """Dollars of now in the currency of the look; all digits are in the title."""
    if not isinstance(usd, Decimal):
        return UNPRICED
    seen = _seen(look)
    value = seen.shown(usd)
    return unpriced_in(seen.currency) if value is None else money(value, seen.currency)


@register.filter
def shown_price(usd: Decimal | None, look: Money | str) -> str:
    """A price in dollars of now in the currency of the look: public, so it is never hidden."""
    if not isinstance(usd, Decimal):
        return UNPRICED
    seen = _seen(look)
    value = seen.shown(usd)
    if value is None:
        return unpriced_in(seen.currency)
    text = _price(value)
    text = f"${text}" if seen.is_usd else f"{text} {seen.currency}"
    return format_html('<span title="{} {}">{}</span>', plain(value), seen.currency, text)


@register.filter
def all_digits(value: Decimal | None) -> str:
    """All digits there are, thousands apart; no tag around it."""
    if not isinstance(value, Decimal):
        return "–"
    whole, _, part = plain(value).lstrip("-").partition(".")
    text = f"{int(whole):,}" + (f".{part}" if part else "")
    return MINUS + text if value < 0 else text


@register.filter
def known(value: Decimal | None, currency: str) -> str:
    """An amount in its currency, or that there is none for want of a rate."""
    return money(value, currency) if isinstance(value, Decimal) else unpriced_in(currency)


@register.filter
def money_flow(value: Decimal | None, currency: str) -> str:
    """A flow with its sign; neither good nor bad."""
    if not isinstance(value, Decimal):
        return "–"
    text = written(value, currency, sign=True)
    return format_html('<span class="private" title="{} {}">{}</span>', plain(value), currency, text)


def unpriced_in(currency: str) -> str:
    """That nobody knows what it is in this currency."""
    if currency == "USD":
        return UNPRICED
    reason = f"There is no rate of {currency} now."
    return format_html('<span class="unpriced" title="{}">unpriced in {}</span>', reason, currency)


def _seen(look: Money | str) -> Money:
    return look if isinstance(look, Money) else Money()


def _price(value: Decimal) -> str:
    """Small prices keep their digits."""
    if value and abs(value) < 1:
        return digits(value, places_of(value))
    return digits(value, 2 if abs(value) >= 100 else 4, least=2)


@register.filter
def money_change(value: Decimal | None, currency: str) -> str:
    """A change with its sign and its tone."""
    if not isinstance(value, Decimal):
        return "–"
    tone = "good" if value > 0 else "bad" if value < 0 else ""
    text = written(value, currency, sign=True)
    return format_html('<span class="private {}" title="{} {}">{}</span>', tone, plain(value), currency, text)


@register.filter
def of_one(value: Decimal | None) -> str:
    """A share of one as a change in percent, with its sign and its tone."""
    if not isinstance(value, Decimal):
        return "–"
    hundredfold = value * 100
    tone = "good" if value > 0 else "bad" if value < 0 else ""
    sign = "+" if value > 0 else ""
    title = plain(hundredfold)
    return format_html(
        '<span class="{}" title="{} %">{}{} %</span>', tone, title, sign, digits(hundredfold, 2, least=2)
    )


@register.filter
def level_of_one(value: Decimal | None) -> str:
    """A share of one in percent, neither good nor bad."""
    if not isinstance(value, Decimal):
        return "–"
    return format_html('<span title="{} %">{} %</span>', plain(value * 100), digits(value * 100, 2, least=2))
