"""Days in few words, for the tests of the return engine."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from portfolio.returns import Day

START = date(2020, 1, 1)


def days(*rows: Any) -> list[Day]:
    """Successive days from 2020-01-01: each a value, or a value and a flow; None is an unknown value."""
    made = []
    for place, row in enumerate(rows):
        value, flow = row if isinstance(row, tuple) else (row, 0)
        made.append(
            Day(
                on=START + timedelta(days=place),
                value=None if value is None else Decimal(value),
                flow=Decimal(flow),
            )
        )
    return made


def dated(rows: Iterable[tuple[str, Any, Any]]) -> list[Day]:
    """Days with dates of their own."""
    return [
        Day(on=date.fromisoformat(on), value=Decimal(value), flow=Decimal(flow)) for on, value, flow in rows
    ]


def close(actual: Decimal | None, expected: str, tolerance: str) -> bool:
    """Whether a figure is there and as near as a publication tells it."""
    return actual is not None and abs(actual - Decimal(expected)) <= Decimal(tolerance)
