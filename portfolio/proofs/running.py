"""Where the balances that an exchange writes beside its rows do not follow from one row to the next. Pure.

Tether tells with each row the balance after it. Where one is not the one before plus what the row moved, a row between
the two is missing, or was read wrongly: that is narrower than the interval whose sum does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A completed row: what it moved, and the balance after it as the exchange says."""

    transaction: int
    external_id: str
    at: datetime
    amount: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Between two rows the balance changed by `amount` more than the later one moved."""

    before: Running
    row: Running
    amount: Decimal


def breaks(rows: Iterable[Running]) -> Iterator[Break]:
    """Every place where the balances do not follow. Rows of one moment may have happened in any order."""
    last: Running | None = None
    for _, group in groupby(sorted(rows, key=lambda row: (row.at, row.transaction)), lambda row: row.at):
        same = list(group)
        if last is not None:
            ends = {row.after: row for row in same}
            expected = last.after + sum((row.amount for row in same), Decimal(0))
            if expected not in ends:
                yield Break(before=last, row=same[-1], amount=same[-1].after - expected)
            last = ends.get(expected, same[-1])
        else:
            last = same[-1]
