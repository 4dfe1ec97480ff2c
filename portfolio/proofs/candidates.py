"""What could explain a residual: rows that are not counted, or counted otherwise, and would make the sum exact. Pure.

A candidate is a lead for a person, never a correction: nothing is changed by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from portfolio.fields import plain
from portfolio.proofs.running import Break

MOST = 12


class Reason(StrEnum):
    """In what way a row could explain the difference, the likeliest first."""

    RUNNING = "running_balance"
    PENDING = "pending"
    QUARANTINED = "quarantined"
    CANCELLED = "cancelled"
    OPPOSITE = "opposite_interval"
    TRANSFER = "own_transfer"
    FEE = "fee"
    REVERSED = "other_direction"
    TURNED = "wrong_direction"
    TWIN = "same_amount"


class Standing(StrEnum):
    """How a row of the ledger stands."""

    COUNTED = "counted"
    PENDING = "pending"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One posting near the window."""

    transaction: int
    name: str
    """What it is called by its kind: deposit, trade, …"""
    external_id: str
    at: datetime
    amount: Decimal
    standing: Standing
    is_fee: bool = False
    elsewhere: str = ""
    """The label of another connection of the same user, if it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A record that could not be read."""

    key: int
    stream: str
    body: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another interval of the same chain that does not add up."""

    proof: int
    end: datetime
    residual: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One lead: why, in a sentence, and where to look."""

    reason: Reason
    sentence: str
    transaction: int | None = None
    quarantine: int | None = None
    proof: int | None = None


def candidates(
    residual: Decimal,
    asset: str,
    lines: Iterable[Line] = (),
    unread: Iterable[Unread] = (),
    neighbours: Iterable[Neighbour] = (),
    broken: Iterable[Break] = (),
) -> tuple[Candidate, ...]:
    """The leads, likeliest first. `residual` is what the balance has more than the ledger explains."""
    if not residual:
        return ()
    found = [
        *(_of_break(asset, one) for one in broken),
        *(one for line in lines for one in _of_line(residual, asset, line)),
        *(_of_unread(residual, asset, row) for row in unread),
        *(_of_neighbour(one) for one in neighbours if one.residual == -residual),
    ]
    order = list(Reason)
    return tuple(sorted(found, key=lambda one: order.index(one.reason))[:MOST])


def _of_line(residual: Decimal, asset: str, line: Line) -> Iterator[Candidate]:
    for reason, text in _readings(residual, asset, line):
        yield Candidate(reason=reason, sentence=text, transaction=line.transaction)


def _readings(residual: Decimal, asset: str, line: Line) -> Iterator[tuple[Reason, str]]:
    row = f"{line.name} of {plain(line.amount)} {asset} dated {line.at:%Y-%m-%d %H:%M} ({line.external_id[:60]})"
    if line.elsewhere:
        if line.amount == -residual and line.standing is not Standing.CANCELLED:
            way = "arrive here" if residual > 0 else "have left here"
            yield (
                Reason.TRANSFER,
                f"An own transfer: at {line.elsewhere} there is a {row}; it may {way} unlisted.",
            )
        return
    if line.standing is Standing.PENDING and line.amount == residual:
        yield Reason.PENDING, f"A pending {row} is of exactly this amount: it may have taken effect already."
    elif line.standing is Standing.CANCELLED and line.amount == residual:
        yield (
            Reason.CANCELLED,
            f"A cancelled or failed {row} is of exactly this amount: it may have taken effect all the same.",
        )
    elif line.standing is Standing.COUNTED:
        yield from _counted(residual, line, row)


def _counted(residual: Decimal, line: Line, row: str) -> Iterator[tuple[Reason, str]]:
    if line.is_fee and abs(line.amount) == abs(residual):
        what = "was not charged" if line.amount == -residual else "was charged twice, or on top"
        yield Reason.FEE, f"It equals the fee of a row, a {row}: perhaps the fee {what}."
    elif line.amount == -residual:
        yield (
            Reason.REVERSED,
            f"It undoes a {row}: the row in the other direction may be missing from the list.",
        )
    elif line.amount * 2 == -residual:
        yield (
            Reason.TURNED,
            f"It is twice a {row}, the other way: the row may have been read in the wrong direction.",
        )
    elif line.amount == residual:
        yield Reason.TWIN, f"It equals a {row}: a second row of the same amount may be missing from the list."


def _of_break(asset: str, one: Break) -> Candidate:
    return Candidate(
        reason=Reason.RUNNING,
        sentence=f"The exchange's own balances break here: between {one.before.external_id[:60]} and "
        f"{one.row.external_id[:60]} ({one.row.at:%Y-%m-%d %H:%M}) they changed by {plain(one.amount)} {asset} more than "
        "is listed. A row between the two is missing, or one of them was read wrongly.",
        transaction=one.row.transaction,
    )


def _of_unread(residual: Decimal, asset: str, row: Unread) -> Candidate:
    holds = plain(abs(residual)) in row.body
    same = "and holds this very amount" if holds else "and may be about this"
    return Candidate(
        reason=Reason.QUARANTINED,
        sentence=f"A record of “{row.stream.replace('_', ' ')}” could not be read ({row.reason[:120]}) {same}.",
        quarantine=row.key,
    )


def _of_neighbour(one: Neighbour) -> Candidate:
    return Candidate(
        reason=Reason.OPPOSITE,
        sentence=f"The interval that ends {one.end:%Y-%m-%d %H:%M} lacks exactly the opposite: one row is dated "
        "otherwise than it took effect, and together the two intervals add up.",
        proof=one.proof,
    )
