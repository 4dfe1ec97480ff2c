"""What a run came to, by year, asset and reason, and what is still held. Pure; the parts sum to the whole exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from portfolio.gains.records import AWAY, Income, Reason
from portfolio.lots import Disposal, Kind, Match, Movement, Term, holding_term

ZERO = Decimal(0)
TotalKey = tuple[int, str, str]
"""Year, asset and reason."""


@dataclass(slots=True, kw_only=True)
class Total:
    """One year, asset and reason; `serial` names the row that keeps it, if one does."""

    serial: int | None = None
    count: int = 0
    quantity: Decimal = ZERO
    proceeds: Decimal = ZERO
    cost: Decimal = ZERO
    gain: Decimal = ZERO
    by_term: dict[Term, Decimal] = field(default_factory=lambda: dict.fromkeys(Term, ZERO))


@dataclass(slots=True, kw_only=True)
class Held:
    """All open lots of one asset; `serial` names the row that keeps it, if one does."""

    serial: int | None = None
    lots: int = 0
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    assumed: Decimal = ZERO
    away: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLot:
    """A lot as it stands in the store."""

    serial: int
    asset: str
    quantity: Decimal
    cost: Decimal
    is_assumed: bool


class Totals:
    """All sums of a run, and which of them changed since they were last asked for."""

    def __init__(self, totals: Mapping[TotalKey, Total], holdings: Mapping[str, Held]) -> None:
        self.totals = dict(totals)
        self.holdings = dict(holdings)
        self._totals: dict[TotalKey, Total] = {}
        self._holdings: dict[str, Held] = {}

    def sold(self, year: int, reason: Reason, part: Disposal, term: Term) -> None:
        """A part was disposed of."""
        total = self._total((year, part.asset, reason.value))
        total.count += 1
        total.quantity += part.quantity
        total.proceeds += part.proceeds
        total.cost += part.cost
        total.gain += part.gain
        total.by_term[term] += part.gain

    def earned(self, year: int, income: Income) -> None:
        """Something was earned."""
        total = self._total((year, income.asset, Reason.INCOME.value))
        total.count += 1
        total.quantity += income.quantity
        total.proceeds += income.value

    def moved(self, movement: Movement) -> None:
        """Something changed hands, and perhaps went where nobody looks."""
        held = self._held(movement.asset)
        if movement.kind is Kind.TRANSFER and AWAY in (movement.account, movement.to_account):
            held.away += movement.quantity if movement.to_account == AWAY else -movement.quantity

    def lot(self, lot: KeptLot, sign: int) -> None:
        """A lot came about or ended."""
        held = self._held(lot.asset)
        held.lots += sign
        held.quantity += sign * lot.quantity
        held.cost += sign * lot.cost
        held.assumed += sign * lot.quantity if lot.is_assumed else ZERO

    def changed(self) -> tuple[dict[TotalKey, Total], dict[str, Held]]:
        """What changed since the last time."""
        found = self._totals, self._holdings
        self._totals, self._holdings = {}, {}
        return found

    def _total(self, key: TotalKey) -> Total:
        total = self.totals.get(key)
        if total is None:
            total = self.totals[key] = Total()
        self._totals[key] = total
        return total

    def _held(self, asset: str) -> Held:
        held = self.holdings.get(asset)
        if held is None:
            held = self.holdings[asset] = Held()
        self._holdings[asset] = held
        return held


def term_of(part: Disposal, acquired: datetime | None) -> Term:
    """How long a part had been held; what was bought after its sale (UK) is no long holding."""
    if part.match in (Match.SAME_DAY, Match.THIRTY_DAYS):
        return Term.SHORT
    return holding_term(acquired, part.disposed)
