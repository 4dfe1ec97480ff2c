"""Works items through the books and sums up, chapter by chapter. Pure: where it begins and what it finds is handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import TypeVar

from portfolio.gains.chapters import Changed, Opening, Sink, Sold, State
from portfolio.gains.records import Choice, Code, Income, Item, Line, Mark, Problem, Reason, time_of
from portfolio.gains.totals import Held as HeldAsset
from portfolio.gains.totals import KeptLot, Total, Totals, term_of
from portfolio.gains.years import Books, Span, dated, yearly
from portfolio.lots import (
    Changes,
    Disposal,
    KeptShelf,
    Key,
    LookBackBook,
    LotBook,
    Match,
    Method,
    Part,
    Shelf,
    UkBook,
)
from portfolio.lots.kept import Store

MOST = Decimal(10) ** 19
"""All that ever moved of an asset, in units and in dollars, stays below: then every sum fits into the store."""
ZERO = Decimal(0)
Sum = TypeVar("Sum", Total, HeldAsset)


class Run:
    """Takes items in order; `finish` settles what waits and ends the last chapter."""

    def __init__(self, choices: Sequence[Choice], sink: Sink, opening: Opening) -> None:
        state = opening.state
        self.turnover: dict[str, Decimal] = dict(state.turnover)
        self.totals = Totals(opening.totals, opening.holdings)
        self.codes: dict[str, int] = dict(state.codes)
        self.lines = state.lines
        self._choices = choices
        self._sink = sink
        self._state = state
        self._chapter = state.number
        self._disposals, self._problems, self._serial = state.disposals, state.problems, state.serial
        self._digest = state.digest.encode()
        self._year_of = yearly(choices)
        self._refused: set[str] = set()
        self._assumed = opening.assumed
        self._changes = Changes(state.ties)
        self._lots: Store | None = opening.lots
        self.books = Books(choices, self._opened, _cleared, held=opening.held, start=state.at)
        self.books.book.shelf.unplaced_fees = state.fees

    @property
    def fees(self) -> Decimal:
        """Fees on transfers of nothing."""
        return self.books.book.shelf.unplaced_fees

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all that the result depends on."""
        told = repr((self._choices, self.books.span)).encode()
        return sha256(self._digest + told).hexdigest()

    def take(self, item: Item) -> None:
        """The next item."""
        if isinstance(item, Line) and self._fits(*_amounts(item)):
            for tag, parts in self.books.feed(item.movement, item):
                self._settle(tag, parts)
            return
        if isinstance(item, Line):
            self._refused.add(item.source)
            item = _too_large(item)
        elif isinstance(item, Income) and not self._fits(f"earned {item.asset}", item.quantity, item.value):
            if item.source in self._refused:
                return
            item = _too_large(item)
        for tag, parts in self.books.passing(time_of(item), item):
            self._settle(tag, parts)

    def finish(self, now: datetime) -> None:
        """There are no more items."""
        for tag, parts in self.books.finish(now):
            self._settle(tag, parts)
        self._end_chapter(None)

    def _opened(self, span: Span) -> LotBook:
        choice, state = span.choice, self._state
        claims = state.claims if self._lots else ()
        shelf = KeptShelf(
            choice.method,
            per_account=choice.per_account,
            changes=self._changes,
            store=self._lots,
            acquisitions=state.acquisitions if self._lots else 0,
        )
        self._lots = None
        return UkBook(shelf, claims) if choice.method is Method.UK else LookBackBook(shelf)

    def _fits(self, name: str, *amounts: Decimal) -> bool:
        """Whether sums can still be told with these; what is beyond all belief is left out, and said."""
        moved = sum(map(abs, amounts), self.turnover.get(name, ZERO))
        if moved >= MOST:
            return False
        self.turnover[name] = moved
        return True

    def _settle(self, tag: object, parts: Sequence[Disposal]) -> None:
        if isinstance(tag, Line):
            self._digest = sha256(self._digest + _told(tag)).hexdigest().encode()
            self._line(tag, parts)
        elif isinstance(tag, Income):
            self._digest = sha256(self._digest + repr(tag).encode()).hexdigest().encode()
            self.totals.earned(self._year_of(tag.at), tag)
            self._sink.earned(tag)
        elif isinstance(tag, Problem):
            self._digest = sha256(self._digest + repr(tag).encode()).hexdigest().encode()
            self._problem(tag)
        elif isinstance(tag, Mark):
            self._end_chapter(tag)

    def _line(self, line: Line, parts: Sequence[Disposal]) -> None:
        movement = line.movement
        if line.is_assumed:
            self._assumed.add((movement.asset, movement.time))
        self._sink.line(self.lines, line)
        self.totals.moved(movement)
        for part in parts:
            self._sold(line, part)
        shelf = self.books.book.shelf
        if shelf.shortfalls:
            for lack in shelf.shortfalls:
                self._problem(
                    Problem(
                        code=Code.SHORT,
                        at=lack.time,
                        asset=lack.asset,
                        account=lack.account,
                        quantity=lack.quantity,
                        value=None,
                        source="",
                    )
                )
            shelf.shortfalls.clear()
        self.lines += 1

    def _sold(self, line: Line, part: Disposal) -> None:
        acquired = dated(part.acquired)
        reason = Reason.SPENT if line.reason is Reason.INCOME else line.reason
        term, year = term_of(part, acquired), self._year_of(part.disposed)
        self.totals.sold(year, reason, part, term)
        is_assumed = line.is_assumed or part.match is Match.MISSING or (part.asset, acquired) in self._assumed
        sold = Sold(
            number=self._disposals,
            movement=self.lines,
            line=line,
            part=part,
            year=year,
            reason=reason,
            term=term,
            acquired=acquired,
            is_assumed=is_assumed,
        )
        self._disposals += 1
        self._sink.sold(sold)

    def _problem(self, problem: Problem) -> None:
        self.codes[problem.code.value] = self.codes.get(problem.code.value, 0) + 1
        self._sink.problem(self._problems, problem)
        self._problems += 1

    def _end_chapter(self, mark: Mark | None) -> None:
        ended, fresh = self._changes.taken()
        gone = [row for row in ended if isinstance(row, KeptLot)]
        for lot in gone:
            self.totals.lot(lot, -1)
        came = [(key, part, self._kept(key, part)) for key, part in fresh]
        totals, holdings = self.totals.changed()
        changed = Changed(
            ended=gone,
            fresh=came,
            totals={key: (total.serial, self._numbered(total)) for key, total in sorted(totals.items())},
            holdings={asset: (held.serial, self._numbered(held)) for asset, held in sorted(holdings.items())},
        )
        state = self._after(mark) if mark else None
        self._sink.chapter(self._chapter, changed, self.books.held, state)
        self._chapter += 1

    def _kept(self, key: Key, part: Part) -> KeptLot:
        lot = KeptLot(
            serial=self._next(),
            asset=key[0],
            quantity=part.quantity,
            cost=part.cost,
            is_assumed=(key[0], dated(part.acquired)) in self._assumed,
        )
        part.row = lot
        self.totals.lot(lot, 1)
        return lot

    def _numbered(self, one: Sum) -> Sum:
        one.serial = self._next()
        return one

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _after(self, mark: Mark) -> State:
        book = self.books.book
        return State(
            number=self._chapter + 1,
            at=mark.at,
            lines=self.lines,
            disposals=self._disposals,
            problems=self._problems,
            serial=self._serial,
            acquisitions=book.shelf.acquisitions,
            ties=self._changes.ties,
            fees=self.fees,
            digest=self._digest.decode(),
            codes=dict(self.codes),
            claims=tuple(book.claims) if isinstance(book, UkBook) else (),
            turnover=mark.turnover,
        )


def _cleared(shelf: Shelf) -> None:
    if isinstance(shelf, KeptShelf):
        for pool in shelf.everything():
            pool.clear()


def _told(line: Line) -> bytes:
    movement = line.movement
    words = (
        movement.time.isoformat(),
        movement.kind.value,
        movement.asset,
        str(movement.quantity),
        str(movement.value),
        str(movement.fee),
        movement.account,
        movement.to_account,
        line.reason.value,
        line.basis.value,
        line.source,
        str(line.is_assumed),
    )
    return "\x1f".join(words).encode()


def _amounts(line: Line) -> tuple[str, Decimal, Decimal, Decimal]:
    movement = line.movement
    return movement.asset, movement.quantity, movement.value, movement.fee


def _too_large(item: Line | Income) -> Problem:
    told = item.movement if isinstance(item, Line) else item
    return Problem(
        code=Code.TOO_LARGE,
        at=time_of(item),
        asset=told.asset,
        account=item.movement.account if isinstance(item, Line) else "",
        quantity=told.quantity if abs(told.quantity) < MOST else None,
        value=told.value if abs(told.value) < MOST else None,
        source=item.source,
    )
