"""What the valuation says, in the currency of its user: the same figures times the rates of their days, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from portfolio.looks.money import Money, times
from portfolio.valuation import AssetDay, Change, Part, Span, WorthAt
from portfolio.valuation.change import paid, percent_of

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """All of a user at a moment; no value means a gap."""

    at: datetime
    value: Decimal | None
    uncertain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPoint:
    """All of one asset at the end of a day; no value means that it is unpriced, or that its currency is."""

    day: date
    quantity: Decimal
    value: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """A change in a currency: its opening at the rate of its day, each flow at that of its own, its closing at today's.

    So what the exchange rate did is a part of the gain, as everybody sees it who counts in that currency.
    """

    span: Span
    currency: str
    since: datetime | None
    opening: Decimal | None
    closing: Decimal | None
    paid_in: Decimal
    paid_out: Decimal
    gain: Decimal | None
    percent: Decimal | None
    left_out: tuple[str, ...]
    reason: str

    @property
    def flows(self) -> Decimal:
        """What came in less what went out."""
        return self.paid_in - self.paid_out

    @property
    def basis(self) -> Decimal:
        """What the gain was made with."""
        return (self.opening or ZERO) + self.paid_in


def line(points: Sequence[WorthAt], money: Money) -> tuple[Point, ...]:
    """The line of worth; its last point is the headline, at the rate of now."""
    past = [
        Point(at=p.at, value=times(p.value_usd, money.rate_at(p.at)), uncertain=p.uncertain)
        for p in points[:-1]
    ]
    last = [Point(at=p.at, value=money.shown(p.value_usd), uncertain=p.uncertain) for p in points[-1:]]
    return (*past, *last)


def asset_line(days: Sequence[AssetDay], money: Money, part: Part | None, today: date) -> list[AssetPoint]:
    """The line of one asset; where it ends today it ends with what it is worth now, `part`."""
    shown = [
        AssetPoint(day=d.day, quantity=d.quantity, value=times(d.value_usd, money.rate(d.day)))
        for d in days
        if part is None or d.day != today
    ]
    if part is not None:
        is_whole = all(h.value_usd is not None for h in part.holdings if h.is_held)
        value = money.shown(part.value_usd) if is_whole else None
        shown.append(AssetPoint(day=today, quantity=part.quantity, value=value))
    return shown


def rated(money: Money, points: Sequence[WorthAt], told: Change | None, now: datetime) -> Money:
    """The currency with every rate that a line and a change need: one query, two for coins within days."""
    openings = [at for at, _ in told.openings] if told else []
    flowed = told.flowed if told else ()
    first = min([now.date(), *(p.at.date() for p in points[:1]), *(at.date() for at in openings), *flowed])
    over = money.over(first, now.date(), ends_now=True)
    return over.with_moments([*(point.at for point in points[:-1]), *openings])


def change_in(told: Change, money: Money) -> ShownChange:
    """A change in the currency of the look; a rate that is missing is a reason why there is none."""
    openings = [(at, times(value, money.rate_at(at))) for at, value in told.openings]
    rates = {day: money.rate(day) for day, flow in told.flowed.items() if flow}
    closing = money.shown(told.closing)
    missing = [at.date() for at, value in openings if value is None]
    missing += [day for day, rate in rates.items() if rate is None]
    known = [value for _, value in openings if value is not None]
    opening = sum(known, ZERO) if len(known) == len(openings) else None
    paid_in, paid_out = paid({day: told.flowed[day] * (rate or ZERO) for day, rate in rates.items()})
    reason = told.reason if told.gain is None else _unknown(money, missing, closing)
    gain = None
    if not reason and opening is not None and closing is not None:
        gain = closing - opening - paid_in + paid_out
    return ShownChange(
        span=told.span,
        currency=money.currency,
        since=told.since,
        opening=opening,
        closing=closing,
        paid_in=paid_in,
        paid_out=paid_out,
        gain=gain,
        percent=percent_of(gain, (opening or ZERO) + paid_in),
        left_out=told.left_out,
        reason=reason or told.reason,
    )


def _unknown(money: Money, missing: Sequence[date], closing: Decimal | None) -> str:
    if closing is None:
        return f"Unpriced in {money.currency}: nobody says now what it costs."
    if missing:
        return f"Unpriced in {money.currency}: there is no rate for {min(missing)}."
    return ""
