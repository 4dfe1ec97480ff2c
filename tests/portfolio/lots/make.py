"""Movements in few words, for the tests of the lot engine."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from portfolio.lots import Gains, Kind, Method, Movement, settle

START = datetime(2020, 1, 1, tzinfo=UTC)


def at(day: str) -> datetime:
    """Midnight UTC of an ISO date."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def move(when: datetime | str | int, kind: str, quantity: Any, value: Any = 0, **fields: Any) -> Movement:
    """A movement of BTC in account A; `when` is a time, an ISO date, or a day number of 2020."""
    if isinstance(when, int):
        when = START + timedelta(days=when)
    fields = {"asset": "BTC", "account": "A"} | fields
    fields["fee"] = Decimal(fields.get("fee", 0))
    return Movement(
        time=at(when) if isinstance(when, str) else when,
        kind=Kind(kind),
        quantity=Decimal(quantity),
        value=Decimal(value),
        **fields,
    )


def shown(gains: Gains) -> list[tuple[str, str, str]]:
    """Quantity, proceeds and cost of each disposed part, as text."""
    return [tuple(f"{n.normalize():f}" for n in (d.quantity, d.proceeds, d.cost)) for d in gains.disposals]  # type: ignore[misc]


def total_gain(movements: list[Movement], method: Method, *, per_account: bool = False) -> Decimal:
    """The sum of all gains."""
    disposals = settle(movements, method, per_account=per_account).disposals
    return sum((disposal.gain for disposal in disposals), Decimal(0))
