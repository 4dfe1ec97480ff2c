"""What each figure is: its formula, the user's own numbers in it, and when it misleads. Pure.

The same card is shown on the page and answered as JSON, so that anybody can compute the figure again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from portfolio.returns import DayReturn, Figure, Growth, Returns

CARDS = ("twr", "twr_yearly", "xirr", "simple", "max_drawdown", "volatility", "best_day", "worst_day")
SHOWN = 2
"""Factors of a long product that are written out at each end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One figure with all that explains it; `note` says to which day or span it belongs."""

    name: str
    title: str
    figure: Figure
    formula: str
    working: str
    misleads: str
    note: str = ""


def card(name: str, steps: Sequence[Growth], returns: Returns) -> Card:
    """The card of one figure and of the growths it rests on; raises KeyError for a name that is none."""
    title, formula, misleads, work = _ABOUT[name]
    figure = _figure(name, returns)
    working = work([step for step in steps if step.held], returns) if figure.value is not None else ""
    return Card(
        name=name,
        title=title,
        figure=figure,
        formula=formula,
        working=working,
        misleads=misleads,
        note=_note(name, returns),
    )


def short(number: Decimal, places: int = 6) -> str:
    """A number as it is written into a formula."""
    text = f"{number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _figure(name: str, returns: Returns) -> Figure:
    if name in ("best_day", "worst_day"):
        day: DayReturn | None = getattr(returns, name)
        reason = returns.twr.reason or "There is no single day with a return."
        return Figure(value=day.value) if day else Figure(value=None, reason=reason)
    figure: Figure = getattr(returns, name)
    return figure


def _product(steps: list[Growth], returns: Returns) -> str:
    factors = [short(step.factor) for step in steps]
    if len(factors) > 2 * SHOWN + 1:
        factors = [*factors[:SHOWN], f"… {len(factors) - 2 * SHOWN} more …", *factors[-SHOWN:]]
    return f"{' × '.join(factors)} − 1 = {_said(returns.twr)}"


def _yearly(steps: list[Growth], returns: Returns) -> str:
    return f"(1 + {_said(returns.twr)})^(365 ÷ {returns.days}) − 1 = {_said(returns.twr_yearly)}"


def _dated(steps: list[Growth], returns: Returns) -> str:
    ends = f"−{_money(returns.opening)} at the beginning, +{_money(returns.closing)} the day after the end"
    moved = f"−{_money(returns.money_in)} paid in and +{_money(returns.money_out)} taken out, each on its day"
    return f"{ends}; {moved}; all meet at a yearly rate of {_said(returns.xirr)}"


def _simple(steps: list[Growth], returns: Returns) -> str:
    above = f"({_money(returns.closing)} + {_money(returns.money_out)})"
    below = f"({_money(returns.opening)} + {_money(returns.money_in)})"
    return f"{above} ÷ {below} − 1 = {_said(returns.simple)}"


def _fall(steps: list[Growth], returns: Returns) -> str:
    fall = returns.drawdown
    if fall is None or fall.low_on is None:
        return "The index never fell below an earlier high."
    index = peak = low = Decimal(1)
    for step in steps:
        index *= step.factor
        if fall.peak_on and step.until == fall.peak_on:
            peak = index
        if step.until == fall.low_on:
            low = index
    return f"{short(low)} ÷ {short(peak)} − 1 = {_said(returns.max_drawdown)}"


def _spread(steps: list[Growth], returns: Returns) -> str:
    return f"standard deviation of {len(steps)} daily log returns × √365 = {_said(returns.volatility)}"


def _one_day(steps: list[Growth], returns: Returns) -> str:
    return f"chosen from {sum(step.one_day for step in steps)} single days"


def _note(name: str, returns: Returns) -> str:
    fall = returns.drawdown
    if name == "max_drawdown" and fall and fall.low_on:
        since = f"from {fall.peak_on}" if fall.peak_on else "from the beginning"
        back = f"made good on {fall.recovered_on}" if fall.recovered_on else "not made good yet"
        return f"{since} to {fall.low_on}, {back}"
    day: DayReturn | None = getattr(returns, name, None) if name.endswith("_day") else None
    if day:
        return f"on {day.on}"
    return "a year" if name in ("xirr", "twr_yearly", "volatility") else f"in {returns.days} days"


def _said(figure: Figure) -> str:
    return "–" if figure.value is None else short(figure.value, 8)


def _money(amount: Decimal | None) -> str:
    return "–" if amount is None else short(amount, 2)


_ABOUT: dict[str, tuple[str, str, str, Callable[[list[Growth], Returns], str]]] = {
    "twr": (
        "Time-weighted return",
        "the product of each day's (value + out) ÷ (value before + in), less 1",
        "It says how well what was held did, not how well you did: money that came before a bad day counts no more "
        "than money that came after it.",
        _product,
    ),
    "twr_yearly": (
        "Time-weighted return, a year",
        "(1 + time-weighted return)^(365 ÷ days) − 1",
        "It speaks as if every year were like this span. At one year or less it is refused.",
        _yearly,
    ),
    "xirr": (
        "Money-weighted return (XIRR), a year",
        "the yearly rate r at which Σ amount ÷ (1 + r)^(days ÷ 365) = 0",
        "Over short spans it exaggerates: one percent in a week becomes far more in a year.",
        _dated,
    ),
    "simple": (
        "Simple return",
        "(closing + taken out) ÷ (opening + paid in) − 1",
        "Money that came late counts as if it had been there all the time.",
        _simple,
    ),
    "max_drawdown": (
        "Maximum drawdown",
        "the lowest (index ÷ highest index before it) − 1",
        "It sees the close of each day only; within a day it may have been deeper.",
        _fall,
    ),
    "volatility": (
        "Volatility, a year",
        "standard deviation (n − 1) of ln(a day's growth) × √365",
        "Good days count like bad ones, and the past says little about the next year.",
        _spread,
    ),
    "best_day": (
        "Best day",
        "the largest (value + out) ÷ (value before + in) − 1 of a single day",
        "It depends on where a day ends, which here is midnight UTC.",
        _one_day,
    ),
    "worst_day": (
        "Worst day",
        "the smallest (value + out) ÷ (value before + in) − 1 of a single day",
        "It depends on where a day ends, which here is midnight UTC.",
        _one_day,
    ),
}
