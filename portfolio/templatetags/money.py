"""How amounts of a display currency and shares of one are written. Knows no model; missing values arrive as None."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from django import template
from django.utils.html import format_html

from portfolio.fields import plain
from portfolio.templatetags.figures import MINUS, digits

register = template.Library()
COINS = frozenset({"BTC", "ETH"})


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
