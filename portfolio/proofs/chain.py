"""Adds up one asset of one connection from snapshot to snapshot: opening + postings = closing, to the last digit. Pure.

Which postings belong to an interval:
1. Those dated after its start and not after its end: the exchange's own time decides.
2. Only where that leaves a difference: a row that the exchange entered before the end but that we saw completed only
   after it (a withdrawal on its way) may have taken effect later, and a row dated a few seconds after the end may
   already be in the balance (two clocks). If moving some such rows over the end makes the sum exact, they are moved,
   and the next interval counts them instead. Nothing is ever counted twice or left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations, islice, takewhile

NOTHING = Decimal(0)
MOST_MOVABLE = 10
"""Subsets are tried, so the rows that may move over an end are limited to the nearest."""
CLOCKS_DIFFER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A balance as seen from `at` to `until`."""

    at: datetime
    until: datetime
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What one completed transaction did to the asset."""

    transaction: int
    at: datetime
    amount: Decimal
    assumption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One interval of the chain, added up."""

    start: datetime | None
    end: datetime
    opening: Decimal
    postings: Decimal
    closing: Decimal
    moves: int = 0
    assumptions: frozenset[str] = frozenset()
    later: tuple[int, ...] = ()
    earlier: tuple[int, ...] = ()

    @property
    def residual(self) -> Decimal:
        """What the ledger does not explain."""
        return self.closing - self.opening - self.postings


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What an interval hands over to the next: rows still to be counted, and rows counted already."""

    later: tuple[Move, ...] = ()
    earlier: frozenset[int] = field(default_factory=frozenset)


LateRows = Callable[[datetime, Sequence[Move]], set[int]]
"""Given an end and rows, the transactions among them that may have taken effect after the end."""


def intervals(
    looks: Sequence[Look], base: Look | None = None
) -> list[tuple[datetime | None, datetime, Decimal, Decimal]]:
    """(start, end, opening, closing) from look to look; the last look is also held against its own last sight."""
    start, opening = (None, NOTHING) if base is None else (base.at, base.total)
    found: list[tuple[datetime | None, datetime, Decimal, Decimal]] = []
    for look in looks:
        found.append((start, look.at, opening, look.total))
        start, opening = look.at, look.total
    last = looks[-1] if looks else base
    if last is not None and last.until > last.at:
        found.append((last.at, last.until, last.total, last.total))
    return found


def links(
    looks: Sequence[Look],
    moves: Iterable[Move],
    late: LateRows,
    *,
    base: Look | None = None,
    carried: Carried | None = None,
) -> list[Link]:
    """The chain from `base` on; `moves` are all rows dated after it, `carried` what the link before handed over."""
    rows = sorted(moves, key=lambda move: (move.at, move.transaction))
    place, done = 0, carried or Carried()
    chain: list[Link] = []
    for start, end, opening, closing in intervals(looks, base):
        first, place = place, _first_after(rows, place, end)
        dated = rows[first:place]
        mine = [*done.later, *(move for move in dated if move.transaction not in done.earlier)]
        ahead = done.earlier - {move.transaction for move in dated}
        link, done = _close(
            start, end, opening, closing, mine, _soon(islice(rows, place, None), end, ahead), ahead, late
        )
        chain.append(link)
    return chain


def _first_after(rows: Sequence[Move], place: int, end: datetime) -> int:
    while place < len(rows) and rows[place].at <= end:
        place += 1
    return place


def _soon(rows: Iterable[Move], end: datetime, counted: frozenset[int]) -> list[Move]:
    """Rows dated so shortly after an end that two clocks may differ by it."""
    near = takewhile(lambda move: move.at <= end + CLOCKS_DIFFER, rows)
    return [move for move in islice(near, MOST_MOVABLE) if move.transaction not in counted]


def _close(
    start: datetime | None,
    end: datetime,
    opening: Decimal,
    closing: Decimal,
    mine: Sequence[Move],
    soon: Sequence[Move],
    ahead: frozenset[int],
    late: LateRows,
) -> tuple[Link, Carried]:
    total = sum((move.amount for move in mine), NOTHING)
    residual = closing - opening - total
    out: tuple[Move, ...] = ()
    into: tuple[Move, ...] = ()
    if residual:
        can_wait = late(end, mine) if mine else set()
        movable = [move for move in mine if move.transaction in can_wait]
        out, into = _explained(residual, movable[-MOST_MOVABLE:], soon)
    gone = {move.transaction for move in out}
    counted = [move for move in mine if move.transaction not in gone] + list(into)
    link = Link(
        start=start,
        end=end,
        opening=opening,
        postings=sum((move.amount for move in counted), NOTHING),
        closing=closing,
        moves=len(counted),
        assumptions=frozenset(move.assumption for move in counted if move.assumption),
        later=tuple(move.transaction for move in out),
        earlier=(*sorted(ahead), *(move.transaction for move in into)),
    )
    return link, Carried(later=out, earlier=frozenset(link.earlier))


def _explained(
    residual: Decimal, movable: Sequence[Move], soon: Sequence[Move]
) -> tuple[tuple[Move, ...], tuple[Move, ...]]:
    """The fewest rows that must cross the end so that the sum is exact; none where no choice does it."""
    choices = [(move, -move.amount, True) for move in reversed(movable)]
    choices = [*choices, *((move, move.amount, False) for move in soon)][:MOST_MOVABLE]
    for size in range(1, len(choices) + 1):
        for some in combinations(choices, size):
            if sum((effect for _, effect, _ in some), NOTHING) == residual:
                out = tuple(move for move, _, leaves in some if leaves)
                return out, tuple(move for move, _, leaves in some if not leaves)
    return (), ()


def combined(rows: Iterable[Move]) -> list[Move]:
    """One move for each transaction: principal and fee of it take effect together."""
    by_id: dict[int, Move] = {}
    for row in rows:
        same = by_id.get(row.transaction)
        by_id[row.transaction] = row if same is None else _added(same, row)
    return list(by_id.values())


def _added(one: Move, other: Move) -> Move:
    return Move(
        transaction=one.transaction,
        at=one.at,
        amount=one.amount + other.amount,
        assumption=one.assumption or other.assumption,
    )


def taken_over(later: Iterable[int], earlier: Iterable[int], rows: Mapping[int, Move]) -> Carried:
    """What a stored link handed over, with the rows as they are now; a row that no longer counts is gone."""
    return Carried(later=tuple(rows[one] for one in later if one in rows), earlier=frozenset(earlier))
