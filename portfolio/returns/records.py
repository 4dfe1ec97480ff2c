"""The words of the return engine: days in, figures out, and the refusal that says why there is none."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal

PLACES = Decimal("1e-12")
"""Figures are rounded half-even to 12 decimals, once, at the end."""

WORKING = Context(prec=50, rounding=ROUND_HALF_EVEN)
"""All arithmetic in between carries 50 digits, whatever context the caller has."""

ZERO = Decimal(0)
ONE = Decimal(1)


class Refused(ValueError):
    """A figure would be a guess; the text says why, in one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What the portfolio was worth at the end of a day (None: unknown) and what came in on it (negative: went out)."""

    on: date
    value: Decimal | None
    flow: Decimal = ZERO

    @property
    def came_in(self) -> Decimal:
        """Money that came in, at the start of the day."""
        return max(self.flow, ZERO)

    @property
    def went_out(self) -> Decimal:
        """Money that went out, at the end of the day."""
        return max(self.flow.copy_negate(), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number, or the reason why there is none."""

    value: Decimal | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReturn:
    """What one day brought, as a share of what was there when it began."""

    on: date
    value: Decimal


def rounded(number: Decimal) -> Decimal:
    """The figure as it is shown everywhere."""
    with_room = Context(prec=max(50, number.adjusted() + 14), rounding=ROUND_HALF_EVEN)
    return with_room.add(with_room.quantize(number, PLACES), ZERO)  # the sum has no negative zero
