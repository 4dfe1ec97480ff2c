"""Runs the lot engine over all years, each under the method chosen for it. Pure.

Years that follow each other under one choice are one run. A choice holds from 1 January of its year, for the UK from
6 April. Where it changes, what is still held is carried over as it stands: lots keep their dates and costs, a pool
becomes one lot without a date, taken as the oldest. From one pool for all accounts into pools per account the oldest
lots go to the accounts in the order of their names, each as many as it holds. The UK's 30 days do not look across a
change of method.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

from portfolio.gains.records import Choice
from portfolio.lots import Kind, Lot, LotBook, Method, Movement, Shelf, Worked, in_order
from portfolio.lots.london import TAX_YEAR_BEGINS, london_day, london_midnight, tax_year

UNDATED = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
ZERO = Decimal(0)
Held = dict[str, dict[str, Decimal]]
"""How much of each asset each account holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Years with one method and one scope."""

    choice: Choice
    start: datetime
    end: datetime


def begins(choice: Choice) -> datetime:
    """The first moment of a choice."""
    if not choice.since_year:
        return UNDATED
    if choice.method is Method.UK:
        return london_midnight(date(choice.since_year, *TAX_YEAR_BEGINS))
    return datetime(choice.since_year, 1, 1, tzinfo=UTC)


def choice_at(moment: datetime, choices: Iterable[Choice]) -> Choice:
    """What holds at a moment: the last choice made for it or for a time before."""
    made = [choice for choice in choices if begins(choice) <= moment]
    return max(made, key=lambda choice: choice.since_year, default=Choice())


def is_tax_year(year: int, choices: Iterable[Choice]) -> bool:
    """Whether the year of that number is one of the UK: from 6 April on."""
    return choice_at(london_midnight(date(year, *TAX_YEAR_BEGINS)), choices).method is Method.UK


def yearly(choices: Sequence[Choice]) -> Callable[[datetime], int]:
    """The year that a moment counts in: the UK's tax year where its method holds, else the calendar's in UTC."""
    if all(choice.method is not Method.UK for choice in choices):
        return lambda moment: moment.year

    @lru_cache(maxsize=4096)
    def year_of(moment: datetime) -> int:
        is_uk = choice_at(moment, choices).method is Method.UK
        return tax_year(london_day(moment)) if is_uk else moment.year

    return year_of


def spans(choices: Sequence[Choice]) -> list[Span]:
    """Stretches of years with one method and one scope."""
    made = sorted({choice.since_year: choice for choice in choices}.values(), key=lambda c: c.since_year)
    if not made or made[0].since_year > 0:
        made = [Choice(), *made]
    found: list[Span] = []
    for choice in made:
        last = found[-1].choice if found else None
        if last and (last.method, last.per_account) == (choice.method, choice.per_account):
            continue
        if found:
            found[-1] = replace(found[-1], end=begins(choice))
        found.append(Span(choice=choice, start=begins(choice), end=LATEST))
    return found


class Books:
    """One book for each span, one after the other; what goes in comes out as it becomes final.

    `opened` makes the book of a span and `cleared` notes that all lots of a shelf are gone.
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        opened: Callable[[Span], LotBook],
        cleared: Callable[[Shelf], None],
        *,
        held: Held | None = None,
        start: datetime = UNDATED,
    ) -> None:
        self._opened = opened
        self._cleared = cleared
        self._spans = [span for span in spans(choices) if span.end >= start]
        self.span = self._spans.pop(0)
        self.book = opened(self.span)
        self.held: Held = held or defaultdict(lambda: defaultdict(lambda: ZERO))

    def feed(self, movement: Movement, tag: object) -> Iterator[Worked]:
        """Take a movement; times rise."""
        while movement.time >= self.span.end:
            yield from self._next()
        yield from self._told(self.book.feed(movement, (movement, tag)))

    def passing(self, at: datetime, tag: object) -> Iterator[Worked]:
        """Something that is no movement but keeps its place among them."""
        while at > self.span.end:
            yield from self._next()
        yield from self._told(self.book.passing((None, tag)))

    def finish(self, now: datetime) -> Iterator[Worked]:
        """All that still waits; what is held is carried into the span of now."""
        while now >= self.span.end:
            yield from self._next()
        yield from self._told(self.book.finish())

    def _told(self, worked: Iterable[Worked]) -> Iterator[Worked]:
        for pair, parts in worked:
            if pair is None:
                continue
            movement, tag = pair
            if movement is not None:
                count(self.held, movement)
            yield tag, parts

    def _next(self) -> Iterator[Worked]:
        yield from self._told(self.book.finish())
        shelf, was = self.book.shelf, self.span.choice
        lots = list(shelf.lots())
        self._cleared(shelf)
        self.span = self._spans.pop(0)
        if self.span.choice.per_account and not was.per_account:
            lots = list(allocated(lots, self.held))
        fees, shortfalls = shelf.unplaced_fees, shelf.shortfalls
        self.book = self._opened(self.span)
        self.book.shelf.unplaced_fees, self.book.shelf.shortfalls = fees, shortfalls
        for movement in in_order(sorted((_carried(lot) for lot in lots), key=lambda m: m.time)):
            yield from self._told(self.book.feed(movement, None))


def count(held: Held, movement: Movement) -> None:
    """Note what a movement did to the accounts."""
    inward = movement.kind in (Kind.BUY, Kind.INCOME)
    accounts = held[movement.asset]
    accounts[movement.account] += movement.quantity if inward else -movement.quantity
    if movement.kind is Kind.TRANSFER:
        accounts[movement.to_account] += movement.quantity


def dated(acquired: datetime | None) -> datetime | None:
    """When something was acquired; None where nobody can say."""
    return None if acquired == UNDATED else acquired


def allocated(lots: Iterable[Lot], held: Mapping[str, Mapping[str, Decimal]]) -> Iterator[Lot]:
    """Lots of one pool for all accounts, dealt to the accounts that hold them."""
    rooms = {asset: sorted(accounts.items()) for asset, accounts in held.items()}
    for lot in sorted(lots, key=lambda lot: (lot.asset, lot.acquired or UNDATED)):
        yield from _dealt(lot, rooms.get(lot.asset, []))


def _carried(lot: Lot) -> Movement:
    return Movement(
        time=lot.acquired or UNDATED,
        kind=Kind.BUY,
        asset=lot.asset,
        quantity=lot.quantity,
        value=lot.cost,
        account=lot.account,
    )


def _dealt(lot: Lot, rooms: list[tuple[str, Decimal]]) -> Iterator[Lot]:
    while rooms and lot.quantity:
        account, room = rooms[0]
        if room <= 0:
            rooms.pop(0)
        elif room >= lot.quantity:
            rooms[0] = (account, room - lot.quantity)
            yield replace(lot, account=account)
            return
        else:
            rooms.pop(0)
            cost = (lot.cost * room / lot.quantity).quantize(Decimal("1e-18"))
            yield replace(lot, account=account, quantity=room, cost=cost)
            lot = replace(lot, quantity=lot.quantity - room, cost=lot.cost - cost)
    if lot.quantity:
        yield lot
