"""The bundle's tables of what was found: movements, choices, disposals, lots, totals, income, prices used, problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from portfolio.gains import Result, term_of
from portfolio.lots import Term

Cell = str | int | bool | Decimal | datetime | None
Table = tuple[Sequence[str], Iterable[Mapping[str, Cell]]]

MOVEMENTS = (
    "number", "time", "kind", "asset", "quantity", "value_usd", "fee_usd", "account", "to_account", "reason",
    "basis", "is_assumed", "source",
)  # fmt: skip
CHOICES = ("since_year", "method", "per_account", "spends_withdrawals")
DISPOSALS = (
    "movement", "asset", "account", "acquired", "disposed", "quantity", "proceeds_usd", "cost_usd", "gain_usd",
    "match", "term",
)  # fmt: skip
LOTS = ("asset", "account", "acquired", "quantity", "cost_usd")
TOTALS = (
    "year", "asset", "reason", "count", "quantity", "proceeds_usd", "cost_usd", "gain_usd", "short_usd", "long_usd",
    "undated_usd",
)  # fmt: skip
INCOME = ("time", "asset", "quantity", "value_usd", "source")
PRICES = ("asset", "day", "price_usd", "source", "carried_days")
PROBLEMS = ("code", "time", "asset", "account", "quantity", "value_usd", "source")


def found(result: Result) -> dict[str, Table]:
    """Each table by its name."""
    return {
        "movements": (MOVEMENTS, _movements(result)),
        "choices": (CHOICES, _choices(result)),
        "disposals": (DISPOSALS, _disposals(result)),
        "lots": (LOTS, _lots(result)),
        "totals": (TOTALS, _totals(result)),
        "income": (INCOME, _income(result)),
        "prices": (PRICES, _prices(result)),
        "problems": (PROBLEMS, _problems(result)),
    }


def _movements(result: Result) -> Iterator[Mapping[str, Cell]]:
    for number, line in enumerate(result.inputs.lines):
        movement = line.movement
        yield {
            "number": number,
            "time": movement.time,
            "kind": movement.kind.value,
            "asset": movement.asset,
            "quantity": movement.quantity,
            "value_usd": movement.value,
            "fee_usd": movement.fee,
            "account": movement.account,
            "to_account": movement.to_account,
            "reason": line.reason.value,
            "basis": line.basis.value,
            "is_assumed": line.is_assumed,
            "source": line.source,
        }


def _choices(result: Result) -> Iterator[Mapping[str, Cell]]:
    for choice in result.inputs.choices:
        yield {
            "since_year": choice.since_year,
            "method": choice.method.value,
            "per_account": choice.per_account,
            "spends_withdrawals": choice.spends_withdrawals,
        }


def _disposals(result: Result) -> Iterator[Mapping[str, Cell]]:
    for one in result.outcome.disposed:
        part = one.part
        yield {
            "movement": one.line,
            "asset": part.asset,
            "account": part.account,
            "acquired": part.acquired,
            "disposed": part.disposed,
            "quantity": part.quantity,
            "proceeds_usd": part.proceeds,
            "cost_usd": part.cost,
            "gain_usd": part.gain,
            "match": part.match.value,
            "term": term_of(one).value,
        }


def _lots(result: Result) -> Iterator[Mapping[str, Cell]]:
    for lot in result.outcome.lots:
        yield {
            "asset": lot.asset,
            "account": lot.account,
            "acquired": lot.acquired,
            "quantity": lot.quantity,
            "cost_usd": lot.cost,
        }


def _totals(result: Result) -> Iterator[Mapping[str, Cell]]:
    for (year, asset, reason), total in result.totals.items():
        yield {
            "year": year,
            "asset": asset,
            "reason": reason.value,
            "count": total.count,
            "quantity": total.quantity,
            "proceeds_usd": total.proceeds,
            "cost_usd": total.cost,
            "gain_usd": total.gain,
            "short_usd": total.by_term[Term.SHORT],
            "long_usd": total.by_term[Term.LONG],
            "undated_usd": total.by_term[Term.UNKNOWN],
        }


def _income(result: Result) -> Iterator[Mapping[str, Cell]]:
    for income in result.inputs.incomes:
        yield {
            "time": income.at,
            "asset": income.asset,
            "quantity": income.quantity,
            "value_usd": income.value,
            "source": income.source,
        }


def _prices(result: Result) -> Iterator[Mapping[str, Cell]]:
    for price in result.inputs.prices:
        yield {
            "asset": price.asset,
            "day": price.day.isoformat(),
            "price_usd": price.usd,
            "source": price.source,
            "carried_days": price.carried_days,
        }


def _problems(result: Result) -> Iterator[Mapping[str, Cell]]:
    for problem in result.problems:
        yield {
            "code": problem.code.value,
            "time": problem.at,
            "asset": problem.asset,
            "account": problem.account,
            "quantity": problem.quantity,
            "value_usd": problem.value,
            "source": problem.source,
        }
