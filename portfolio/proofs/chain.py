"""Adds up one asset of one connection from snapshot to snapshot: opening + postings = closing, to the last digit. Pure.

Which postings belong to an interval:
1. Those dated after its start and not after its end: the exchange's own time decides.
2. Only where that leaves a difference: a row that the exchange entered before the end but that we saw completed only
   after it (a withdrawal on its way) may have taken effect later, and a row dated a few seconds after the end may
   already be in the balance (two clocks). If moving some such rows over the end makes the sum exact, they are moved,
   and the next interval counts them instead. Nothing is ever counted twice or left out.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from itertools import chain as chained
from itertools import combinations, groupby, islice, takewhile

NOTHING = Decimal(0)
MOST_MOVABLE = 10
"""Subsets are tried, so the rows that may move over an end are limited to the nearest."""
LOOKED_AT = 500
"""Rows nearest to an end among which those on their way are looked for."""
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


class _Rows:
    """Rows in the order of time, read as they are needed: a history may be longer than memory."""

    def __init__(self, rows: Iterable[Move]) -> None:
        self._rows = iter(rows)
        self._seen: deque[Move] = deque()

    def until(self, end: datetime) -> Iterator[Move]:
        """Take those dated up to an end."""
        while (row := self._first()) is not None and row.at <= end:
            yield self._seen.popleft()

    def soon(self, end: datetime) -> list[Move]:
        """The next ones, left where they are, if they are dated so shortly after an end that two clocks may differ by it."""
        self._seen.extend(islice(self._rows, max(0, MOST_MOVABLE - len(self._seen))))
        near = takewhile(lambda move: move.at <= end + CLOCKS_DIFFER, self._seen)
        return list(islice(near, MOST_MOVABLE))

    def _first(self) -> Move | None:
        if not self._seen:
            self._seen.extend(islice(self._rows, 1))
        return self._seen[0] if self._seen else None


class _Mine:
    """The rows of one interval: their sum and number, the assumptions behind them, and the last of them."""

    def __init__(self, rows: Iterable[Move]) -> None:
        self.total, self.count = NOTHING, 0
        self.last: deque[Move] = deque(maxlen=LOOKED_AT)
        self._assumptions: Counter[str] = Counter()
        for row in rows:
            self.total += row.amount
            self.count += 1
            self.last.append(row)
            self._assumptions[row.assumption] += 1

    def assumptions(self, gone: Iterable[Move], come: Iterable[Move]) -> frozenset[str]:
        """Those behind the rows that are counted in the end."""
        counted = self._assumptions + Counter(row.assumption for row in come)
        return frozenset(counted - Counter(row.assumption for row in gone)) - {""}


def links(
    looks: Sequence[Look],
    moves: Iterable[Move],
    late: LateRows,
    *,
    base: Look | None = None,
    carried: Carried | None = None,
) -> list[Link]:
    """The chain from `base` on; `carried` is what the link before handed over.

    `moves` are all rows dated after `base`, ascending by time and transaction; none is kept longer than it is needed.
    """
    rows, done = _Rows(moves), carried or Carried()
    chain: list[Link] = []
    for start, end, opening, closing in intervals(looks, base):
        ahead = set(done.earlier)
        mine = _Mine(chained(done.later, _not_counted(rows.until(end), ahead)))
        soon = [move for move in rows.soon(end) if move.transaction not in ahead]
        link, done = _close(start, end, opening, closing, mine, soon, frozenset(ahead), late)
        chain.append(link)
    return chain


def _not_counted(rows: Iterable[Move], ahead: set[int]) -> Iterator[Move]:
    """Rows that no interval before has counted; those that one has are ahead no longer."""
    for row in rows:
        if row.transaction in ahead:
            ahead.remove(row.transaction)
        else:
            yield row


def _close(
    start: datetime | None,
    end: datetime,
    opening: Decimal,
    closing: Decimal,
    mine: _Mine,
    soon: Sequence[Move],
    ahead: frozenset[int],
    late: LateRows,
) -> tuple[Link, Carried]:
    residual = closing - opening - mine.total
    out: tuple[Move, ...] = ()
    into: tuple[Move, ...] = ()
    if residual:
        can_wait = late(end, tuple(mine.last)) if mine.count else set()
        movable = [move for move in mine.last if move.transaction in can_wait]
        out, into = _explained(residual, movable[-MOST_MOVABLE:], soon)
    link = Link(
        start=start,
        end=end,
        opening=opening,
        postings=mine.total + sum((m.amount for m in into), NOTHING) - sum((m.amount for m in out), NOTHING),
        closing=closing,
        moves=mine.count - len(out) + len(into),
        assumptions=mine.assumptions(out, into),
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


def combined(rows: Iterable[Move]) -> Iterator[Move]:
    """One move for each transaction, of whose rows none stands between: principal and fee take effect together."""
    for _, same in groupby(rows, key=lambda row: row.transaction):
        yield reduce(_added, same)


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
