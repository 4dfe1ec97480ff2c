"""How figures are written: amounts with sensible digits and all of them in the title, USD, shares, ages.

Knows no model; a value that is missing arrives as None or as the template's empty text. What an exchange sent passes through `format_html` only, so it stays text.
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portfolio.fields import plain

register = template.Library()

MINUS = "\N{MINUS SIGN}"
UNPRICED = format_html('<span class="unpriced" title="{}">unpriced</span>', "No price is known for it.")
STEPS = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"), (86_400 * 60, 86_400, "days"))


def digits(value: Decimal, places: int, *, least: int = 0) -> str:
    """At most `places` and at least `least` digits after the point, thousands apart, a real minus sign."""
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    text = f"{abs(rounded):,f}"
    if "." in text and places > least:
        whole, _, part = text.partition(".")
        part = part.rstrip("0").ljust(least, "0")
        text = f"{whole}.{part}" if part else whole
    return MINUS + text if rounded < 0 else text


def places_of(value: Decimal) -> int:
    """How many digits after the point are worth reading: few for large amounts, enough for small ones."""
    size = abs(value)
    if size >= 1000:
        return 2
    if size >= 1:
        return 4
    if size == 0:
        return 0
    return min(18, max(6, 3 - size.adjusted()))


@register.filter
def amount(value: Decimal | None) -> str:
    """A quantity: sensible digits, all of them in the title."""
    if not isinstance(value, Decimal):
        return "–"
    return format_html(
        '<span class="private" title="{}">{}</span>', plain(value), digits(value, places_of(value))
    )


@register.filter
def signed(value: Decimal) -> str:
    """A quantity that came (+) or went (−)."""
    sign = "+" if value > 0 else ""
    tone = "good" if value > 0 else ""
    return format_html(
        '<span class="private {}" title="{}">{}{}</span>',
        tone,
        plain(value),
        sign,
        digits(value, places_of(value)),
    )


def dollars(value: Decimal, *, sign: bool = False) -> str:
    """USD to the cent; what is smaller says so."""
    before = MINUS if value < 0 else "+" if sign and value > 0 else ""
    if value and abs(value) < Decimal("0.005"):
        return f"{before}<$0.01"
    return f"{before}${abs(value).quantize(Decimal('0.01'), rounding=ROUND_HALF_EVEN):,f}"


@register.filter
def usd(value: Decimal | None) -> str:
    """A value in USD, or that it is unpriced."""
    if not isinstance(value, Decimal):
        return UNPRICED
    return format_html('<span class="private" title="{} USD">{}</span>', plain(value), dollars(value))


@register.filter
def usd_change(value: Decimal | None) -> str:
    """A change in USD with its sign and its tone."""
    if not isinstance(value, Decimal):
        return "–"
    tone = "good" if value > 0 else "bad" if value < 0 else ""
    return format_html(
        '<span class="private {}" title="{} USD">{}</span>', tone, plain(value), dollars(value, sign=True)
    )


@register.filter
def price(value: Decimal | None) -> str:
    """A price in USD: public, so it is never hidden; small prices keep their digits."""
    if not isinstance(value, Decimal):
        return UNPRICED
    if value and abs(value) < 1:
        return format_html('<span title="{} USD">${}</span>', plain(value), digits(value, places_of(value)))
    places = 2 if abs(value) >= 100 else 4
    return format_html('<span title="{} USD">${}</span>', plain(value), digits(value, places, least=2))


@register.filter
def share(value: Decimal | None) -> str:
    """A part of one, in percent."""
    if not isinstance(value, Decimal):
        return "–"
    hundredfold = value * 100
    if hundredfold and abs(hundredfold) < Decimal("0.1"):
        return f"<{MINUS}0.1 %" if hundredfold < 0 else "<0.1 %"
    places = 0 if value in (0, 1) else 1
    return f"{digits(hundredfold, places, least=places)} %"


@register.filter
def percent_change(value: Decimal | None) -> str:
    """A change in percent with its sign and its tone."""
    if not isinstance(value, Decimal):
        return "–"
    tone = "good" if value > 0 else "bad" if value < 0 else ""
    sign = "+" if value > 0 else ""
    return format_html(
        '<span class="{}" title="{} %">{}{} %</span>',
        tone,
        plain(value),
        sign,
        digits(value, 2, least=2),
    )


@register.filter
def percent_text(value: Decimal) -> str:
    """A change in percent as plain text, for labels that are read out."""
    return f"{'+' if value > 0 else ''}{digits(value, 2, least=2)} %"


@register.filter
def usd_flow(value: Decimal) -> str:
    """A flow in USD with its sign; neither good nor bad."""
    return format_html(
        '<span class="private" title="{} USD">{}</span>', plain(value), dollars(value, sign=True)
    )


@register.filter
def exact(value: Decimal | None) -> str:
    """All digits, thousands apart; no tag around it."""
    return digits(value, 18) if isinstance(value, Decimal) else "–"


@register.filter
def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago (or until when), with the exact time in the title."""
    if not isinstance(moment, datetime):
        return "never"
    seconds = int(((now or timezone.now()) - moment).total_seconds())
    if abs(seconds) < 5:
        return _time(moment, "now" if seconds < 0 else "just now")
    for limit, unit, name in STEPS:
        if abs(seconds) < limit:
            count = abs(seconds) // unit
            words = f"{count} {'day' if name == 'days' and count == 1 else name}"
            return _time(moment, f"in {words}" if seconds < 0 else f"{words} ago")
    return _time(moment, f"{moment:%Y-%m-%d}")


@register.filter
def due(moment: datetime, now: datetime | None = None) -> str:
    """When something is to happen; what is past is due now."""
    return _time(moment, "due now") if moment <= (now or timezone.now()) else ago(moment, now)


@register.filter
def day(moment: datetime) -> str:
    """A day, with the exact time in the title."""
    return _time(moment, f"{moment:%Y-%m-%d}")


@register.filter
def when(moment: datetime | None) -> str:
    """A moment, to the minute, in UTC; the seconds are in the title."""
    if not isinstance(moment, datetime):
        return "–"
    parts = format_html(
        '<span class="nowrap">{}</span> <span>{}</span>', f"{moment:%Y-%m-%d}", f"{moment:%H:%M}"
    )
    return _time(moment, parts)


@register.filter
def words(name: str) -> str:
    """A name of a stream as a person would write it."""
    return name.replace("_", " ").capitalize()


def _time(moment: datetime, words: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(),
        f"{moment:%Y-%m-%d %H:%M:%S}",
        words,
    )
