"""What a run came to, by year, asset and reason, and what is still held. Pure; the parts sum to the whole exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from portfolio.gains.inputs import Inputs
from portfolio.gains.records import AWAY, Code, Disposed, Outcome, Problem, Reason
from portfolio.gains.years import settle
from portfolio.lots import Kind, Lot, Match, Term, holding_term

ZERO = Decimal(0)


@dataclass(slots=True, kw_only=True)
class Total:
    """One year, asset and reason."""

    count: int = 0
    quantity: Decimal = ZERO
    proceeds: Decimal = ZERO
    cost: Decimal = ZERO
    gain: Decimal = ZERO
    by_term: dict[Term, Decimal] = field(default_factory=lambda: dict.fromkeys(Term, ZERO))


@dataclass(slots=True, kw_only=True)
class Held:
    """All open lots of one asset."""

    lots: int = 0
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    assumed: Decimal = ZERO
    away: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A complete report before it is stored."""

    inputs: Inputs
    outcome: Outcome
    totals: dict[tuple[int, str, Reason], Total]
    holdings: dict[str, Held]
    problems: tuple[Problem, ...]
    assumed: frozenset[tuple[str, object]]

    def is_assumed(self, asset: str, acquired: object) -> bool:
        """Whether the cost of a lot was assumed."""
        return (asset, acquired) in self.assumed


def find(inputs: Inputs) -> Result:
    """Run the lots and sum up."""
    outcome = settle([line.movement for line in inputs.lines], inputs.choices)
    assumed = frozenset((line.movement.asset, line.movement.time) for line in inputs.lines if line.is_assumed)
    shorts = (
        Problem(
            code=Code.SHORT,
            at=lack.time,
            asset=lack.asset,
            account=lack.account,
            quantity=lack.quantity,
            value=None,
            source="",
        )
        for lack in outcome.shortfalls
    )
    return Result(
        inputs=inputs,
        outcome=outcome,
        totals=_totals(inputs, outcome.disposed),
        holdings=_holdings(inputs, outcome.lots, assumed),
        problems=(*inputs.problems, *shorts),
        assumed=assumed,
    )


def term_of(disposed: Disposed) -> Term:
    """How long a part had been held; what was bought after its sale (UK) is no long holding."""
    part = disposed.part
    if part.match in (Match.SAME_DAY, Match.THIRTY_DAYS):
        return Term.SHORT
    return holding_term(part.acquired, part.disposed)


def _totals(inputs: Inputs, disposed: Iterable[Disposed]) -> dict[tuple[int, str, Reason], Total]:
    totals: dict[tuple[int, str, Reason], Total] = defaultdict(Total)
    for one in disposed:
        part, reason = one.part, inputs.lines[one.line].reason
        if reason is Reason.INCOME:
            reason = Reason.SPENT
        total = totals[part.disposed.year, part.asset, reason]
        total.count += 1
        total.quantity += part.quantity
        total.proceeds += part.proceeds
        total.cost += part.cost
        total.gain += part.gain
        total.by_term[term_of(one)] += part.gain
    for income in inputs.incomes:
        total = totals[income.at.year, income.asset, Reason.INCOME]
        total.count += 1
        total.quantity += income.quantity
        total.proceeds += income.value
    return dict(sorted(totals.items()))


def _holdings(inputs: Inputs, lots: Iterable[Lot], assumed: frozenset[tuple[str, object]]) -> dict[str, Held]:
    held: dict[str, Held] = defaultdict(Held)
    for lot in lots:
        one = held[lot.asset]
        one.lots += 1
        one.quantity += lot.quantity
        one.cost += lot.cost
        one.assumed += lot.quantity if (lot.asset, lot.acquired) in assumed else ZERO
    for line in inputs.lines:
        movement = line.movement
        if movement.kind is Kind.TRANSFER and AWAY in (movement.account, movement.to_account):
            sign = 1 if movement.to_account == AWAY else -1
            held[movement.asset].away += sign * movement.quantity
    return {asset: held[asset] for asset in sorted(held) if held[asset].lots or held[asset].away}
