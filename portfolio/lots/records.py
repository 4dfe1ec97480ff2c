"""The words of the lot engine: what goes in (movements) and what comes out (disposals, lots, shortfalls).

Movement and Disposal are named tuples: as immutable as a frozen dataclass, and made five times as fast,
which is what a run over a million rows mostly does. Make them by keyword.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What a movement does to the holding; a fee paid in the asset itself is a spend."""

    BUY = "buy"
    SELL = "sell"
    INCOME = "income"
    SPEND = "spend"
    TRANSFER = "transfer"


ACQUISITIONS = frozenset({Kind.BUY, Kind.INCOME})
DISPOSALS = frozenset({Kind.SELL, Kind.SPEND})


class Method(StrEnum):
    """How a disposal finds its cost."""

    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    AVERAGE = "average"
    UK = "uk"


class Match(StrEnum):
    """Where the cost of one disposed part came from."""

    LOT = "lot"
    POOL = "pool"
    SAME_DAY = "same_day"
    THIRTY_DAYS = "thirty_days"
    MISSING = "missing"


class Term(StrEnum):
    """How long a disposed part had been held; a pool has no single age."""

    SHORT = "short"
    LONG = "long"
    UNKNOWN = "unknown"


class Movement(NamedTuple):
    """One row that changes a holding: time in UTC, value without fee, fee in the same currency as the value."""

    time: datetime
    kind: Kind
    asset: str
    quantity: Decimal
    value: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    account: str = ""
    to_account: str = ""


class Disposal(NamedTuple):
    """One disposed part and the cost it was matched with; `acquired` is None for a pool or a missing part."""

    asset: str
    account: str
    acquired: datetime | None
    disposed: datetime
    quantity: Decimal
    proceeds: Decimal
    cost: Decimal
    gain: Decimal
    match: Match


Worked = tuple[Any, Sequence[Disposal]]
"""A tag that was fed with its movement, and what the movement disposed of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What is still held of one acquisition; `account` is empty when lots are kept across all accounts."""

    asset: str
    account: str
    acquired: datetime | None
    quantity: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """More was sold or moved than was held: the missing quantity, taken at zero cost."""

    time: datetime
    kind: Kind
    asset: str
    account: str
    quantity: Decimal


def holding_term(acquired: datetime | None, disposed: datetime, *, years: int = 1) -> Term:
    """Long when the disposal falls after the day on which the holding became `years` old."""
    if acquired is None:
        return Term.UNKNOWN
    return Term.LONG if disposed.date() > _anniversary(acquired.date(), years) else Term.SHORT


def _anniversary(day: date, years: int) -> date:
    if day.month == 2 and day.day == 29:
        return date(day.year + years, 2, 28)
    return day.replace(year=day.year + years)
