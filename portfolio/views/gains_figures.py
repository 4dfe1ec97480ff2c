"""Sums of totals for the gains pages, and what open lots would bring now: exact, so that parts sum to the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portfolio import rates
from portfolio.models import GainHolding, GainLot, GainTotal
from portfolio.rates import Price
from portfolio.views.page import now

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Totals of several rows; income has only a value."""

    label: str
    count: int
    proceeds: Decimal
    cost: Decimal
    gain: Decimal
    short_gain: Decimal
    long_gain: Decimal
    undated_gain: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Lots that are still held with what they would bring now; None where there is no price."""

    asset: str
    quantity: Decimal
    cost: Decimal
    value: Decimal | None
    row: Any

    @property
    def gain(self) -> Decimal | None:
        """What is not realised yet: exact, so that lots sum to their asset."""
        return None if self.value is None else self.value - self.cost


def opened(rows: Iterable[GainHolding | GainLot]) -> list[Open]:
    """Each row with its value at the price of now: one query for all prices."""
    found = list(rows)
    prices: dict[str, Price] = rates.current({row.asset for row in found}, now())
    return [
        Open(
            asset=row.asset,
            quantity=row.quantity,
            cost=row.cost,
            value=row.quantity * prices[row.asset].usd if row.asset in prices else None,
            row=row,
        )
        for row in found
    ]


def sums(totals: Iterable[GainTotal], by: str) -> list[Sum]:
    """One sum for each asset or reason."""
    groups: dict[str, list[GainTotal]] = {}
    for total in totals:
        groups.setdefault(getattr(total, by), []).append(total)
    return [whole(group, label) for label, group in sorted(groups.items())]


def whole(totals: Iterable[GainTotal], label: str = "") -> Sum:
    """All of them together."""
    found = list(totals)

    def of(name: str) -> Decimal:
        return sum((getattr(total, name) for total in found), ZERO)

    return Sum(
        label=label,
        count=sum(total.count for total in found),
        proceeds=of("proceeds"),
        cost=of("cost"),
        gain=of("gain"),
        short_gain=of("short_gain"),
        long_gain=of("long_gain"),
        undated_gain=of("undated_gain"),
    )


def open_total(held: Iterable[Open]) -> dict[str, Any]:
    """All that is priced together, and what is not."""
    priced = [one for one in held if one.value is not None]
    return {
        "cost": sum((one.cost for one in priced), ZERO),
        "value": sum((one.value or ZERO for one in priced), ZERO),
        "gain": sum((one.gain or ZERO for one in priced), ZERO),
        "unpriced": [one.asset for one in held if one.value is None],
    }
