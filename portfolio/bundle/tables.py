"""The bundle's tables of what was found: movements, choices, disposals, lots, totals, income, prices used, problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from portfolio.gains import Choice, Income, Line, Problem, Run, Sold
from portfolio.gains.prices import UsedPrice
from portfolio.gains.years import dated
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


def movement(number: int, line: Line) -> Mapping[str, Cell]:
    """One row of movements."""
    told = line.movement
    return {
        "number": number,
        "time": told.time,
        "kind": told.kind.value,
        "asset": told.asset,
        "quantity": told.quantity,
        "value_usd": told.value,
        "fee_usd": told.fee,
        "account": told.account,
        "to_account": told.to_account,
        "reason": line.reason.value,
        "basis": line.basis.value,
        "is_assumed": line.is_assumed,
        "source": line.source,
    }


def disposal(sold: Sold) -> Mapping[str, Cell]:
    """One row of disposals."""
    part = sold.part
    return {
        "movement": sold.movement,
        "asset": part.asset,
        "account": part.account,
        "acquired": sold.acquired,
        "disposed": part.disposed,
        "quantity": part.quantity,
        "proceeds_usd": part.proceeds,
        "cost_usd": part.cost,
        "gain_usd": part.gain,
        "match": part.match.value,
        "term": sold.term.value,
    }


def income(earned: Income) -> Mapping[str, Cell]:
    """One row of income."""
    return {
        "time": earned.at,
        "asset": earned.asset,
        "quantity": earned.quantity,
        "value_usd": earned.value,
        "source": earned.source,
    }


def problem(open_: Problem) -> Mapping[str, Cell]:
    """One row of problems."""
    return {
        "code": open_.code.value,
        "time": open_.at,
        "asset": open_.asset,
        "account": open_.account,
        "quantity": open_.quantity,
        "value_usd": open_.value,
        "source": open_.source,
    }


def choices(made: Iterable[Choice]) -> Table:
    """What the user chose."""
    rows = (
        {
            "since_year": choice.since_year,
            "method": choice.method.value,
            "per_account": choice.per_account,
            "spends_withdrawals": choice.spends_withdrawals,
        }
        for choice in made
    )
    return CHOICES, rows


def lots(run: Run) -> Table:
    """What is still held."""
    rows = (
        {
            "asset": lot.asset,
            "account": lot.account,
            "acquired": dated(lot.acquired),
            "quantity": lot.quantity,
            "cost_usd": lot.cost,
        }
        for lot in run.books.book.shelf.lots()
    )
    return LOTS, rows


def totals(run: Run) -> Table:
    """The sums by year, asset and reason."""
    return TOTALS, _totals(run)


def _totals(run: Run) -> Iterator[Mapping[str, Cell]]:
    for (year, asset, reason), total in sorted(run.totals.totals.items()):
        yield {
            "year": year,
            "asset": asset,
            "reason": reason,
            "count": total.count,
            "quantity": total.quantity,
            "proceeds_usd": total.proceeds,
            "cost_usd": total.cost,
            "gain_usd": total.gain,
            "short_usd": total.by_term[Term.SHORT],
            "long_usd": total.by_term[Term.LONG],
            "undated_usd": total.by_term[Term.UNKNOWN],
        }


def prices(used: Iterable[UsedPrice]) -> Table:
    """The prices that values rest on."""
    rows: Iterator[Mapping[str, Cell]] = (
        {
            "asset": price.asset,
            "day": price.day.isoformat(),
            "price_usd": price.usd,
            "source": price.source,
            "carried_days": price.carried_days,
        }
        for price in used
    )
    return PRICES, rows
