"""What a run of the gains begins with, what it tells, and to whom: states, chapters, sinks. Pure.

A chapter lies between two marks. Its beginning is a `State`; what changed in it is told to a `Sink` when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from portfolio.gains.records import Income, Line, Problem, Reason
from portfolio.gains.totals import Held as HeldAsset
from portfolio.gains.totals import KeptLot, Total, TotalKey
from portfolio.gains.years import UNDATED, Held
from portfolio.lots import Claim, Disposal, Key, Part, Term
from portfolio.lots.kept import Store

RULES = 3
"""Part of every fingerprint: raise it when the rules change, so that all reports are made again."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What was counted before a chapter."""

    number: int = 0
    at: datetime = UNDATED
    lines: int = 0
    disposals: int = 0
    problems: int = 0
    serial: int = 0
    acquisitions: int = 0
    ties: int = 0
    fees: Decimal = ZERO
    digest: str = str(RULES)
    codes: Mapping[str, int] = field(default_factory=dict)
    claims: Sequence[Claim] = ()
    turnover: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A state with all that stands in the store at that time."""

    state: State = field(default_factory=State)
    totals: Mapping[TotalKey, Total] = field(default_factory=dict)
    holdings: Mapping[str, HeldAsset] = field(default_factory=dict)
    held: Held | None = None
    lots: Store | None = None
    assumed: set[tuple[str, datetime | None]] = field(default_factory=set)
    """Lots whose cost was assumed, as far as they have been taken from the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """A disposed part with the line that it is a part of."""

    number: int
    movement: int
    line: Line
    part: Disposal
    year: int
    reason: Reason
    term: Term
    acquired: datetime | None
    is_assumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a chapter changed of all that stands for a while."""

    ended: Sequence[KeptLot]
    fresh: Sequence[tuple[Key, Part, KeptLot]]
    totals: Mapping[TotalKey, tuple[int | None, Total]]
    """Each with the serial of the row that it replaces."""
    holdings: Mapping[str, tuple[int | None, HeldAsset]]


class Sink(Protocol):
    """Who wants to know what a run finds; everything comes in the order of time."""

    def line(self, number: int, line: Line) -> None:
        """A movement."""

    def sold(self, sold: Sold) -> None:
        """A part of what a movement disposed of."""

    def earned(self, income: Income) -> None:
        """An income."""

    def problem(self, number: int, problem: Problem) -> None:
        """Something that is not known for sure."""

    def chapter(self, number: int, changed: Changed, held: Held, following: State | None) -> None:
        """A chapter ended; the state in which the following one begins, or None after the last."""
