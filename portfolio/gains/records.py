"""The words between the ledger and the lot engine: rows as they are read, lines as they enter the engine, problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from portfolio.lots import Method, Movement

AWAY = "away"
"""The account of what was moved to where no connection looks."""


class Reason(StrEnum):
    """Why something was acquired or disposed of; totals are told apart by it."""

    BOUGHT = "bought"
    RECEIVED = "received"
    SALE = "sale"
    TRADE = "trade"
    REDEEMED = "redeemed"
    SPENT = "spent"
    FEE = "fee"
    INCOME = "income"
    MOVED = "moved"


class Basis(StrEnum):
    """How the value of a line was found."""

    COUNTER = "counter"
    PAR = "par"
    MARKET = "market"
    OWN = "own"
    NONE = "none"


class Code(StrEnum):
    """What a problem is about."""

    UNPRICED = "unpriced"
    COST_UNKNOWN = "cost_unknown"
    MOVED_AWAY = "moved_away"
    ONE_SIDED = "one_sided"
    SHORT = "short"
    PAR_ASSUMED = "par_assumed"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One signed amount of a row."""

    asset: str
    amount: Decimal
    is_fee: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A completed transaction of the ledger. `source` names it for links, such as "t17"."""

    pk: int
    source: str
    account: str
    external_id: str
    kind: str
    at: datetime
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One part of an own transfer as it came in."""

    account: str
    quantity: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A movement for the lot engine with where it came from and how its value was found."""

    movement: Movement
    reason: Reason
    source: str
    basis: Basis
    is_assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """Something earned, at its market value when it came; negative where an exchange took it back."""

    at: datetime
    asset: str
    quantity: Decimal
    value: Decimal
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that the figures rest on and nobody has said for sure."""

    code: Code
    at: datetime
    asset: str
    account: str
    quantity: Decimal | None
    value: Decimal | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How gains are found from the beginning of a year on."""

    since_year: int = 0
    method: Method = Method.FIFO
    per_account: bool = False
    spends_withdrawals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place between two days of London from which the gains can be found on; `turnover` is what was read before."""

    at: datetime
    turnover: Mapping[str, Decimal]


Item = Line | Income | Problem | Mark


def time_of(item: Item) -> datetime:
    """When it counts."""
    return item.movement.time if isinstance(item, Line) else item.at
