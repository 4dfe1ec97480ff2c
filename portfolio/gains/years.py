"""Runs the lot engine over all years, each under the method chosen for it. Pure.

Years that follow each other under one choice are one run. Where the choice changes, what is still held is carried
over as it stands: lots keep their dates and costs, a pool becomes one lot without a date, taken as the oldest. From
one pool for all accounts into pools per account the oldest lots go to the accounts in the order of their names, each
as many as it holds. The UK's 30 days do not look across a change of method.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from portfolio.gains.records import Choice, Disposed, Outcome
from portfolio.lots import Disposal, Kind, Lot, Movement, Shortfall, in_order, open_book

UNDATED = datetime(1, 1, 1, tzinfo=UTC)
_LATEST = 10_000
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    choice: Choice
    start: int
    end: int


def settle(movements: Sequence[Movement], choices: Sequence[Choice]) -> Outcome:
    """All disposals, open lots and shortfalls of a complete history with rising times."""
    places = {id(movement): place for place, movement in enumerate(movements)}
    disposed: list[Disposed] = []
    shortfalls: list[Shortfall] = []
    fees = ZERO
    lots: tuple[Lot, ...] = ()
    was_per_account = True
    begin = 0
    for span in _spans(choices):
        end = begin
        while end < len(movements) and movements[end].time.year < span.end:
            end += 1
        if span.choice.per_account and not was_per_account:
            lots = tuple(_allocated(lots, movements[:begin]))
        opening = sorted((_carried(lot) for lot in lots), key=lambda movement: movement.time)
        history = [*opening, *movements[begin:end]]
        book = open_book(span.choice.method, per_account=span.choice.per_account)
        disposed += _placed(book.disposals(history), history, places)
        lots = tuple(_dated(lot) for lot in book.shelf.lots())
        shortfalls += book.shelf.shortfalls
        fees += book.shelf.unplaced_fees
        was_per_account, begin = span.choice.per_account, end
    return Outcome(disposed=tuple(disposed), lots=lots, shortfalls=tuple(shortfalls), unplaced_fees=fees)


def choice_of(year: int, choices: Iterable[Choice]) -> Choice:
    """What holds in a year: the last choice made for it or for a year before."""
    made = [choice for choice in choices if choice.since_year <= year]
    return max(made, key=lambda choice: choice.since_year, default=Choice())


def _spans(choices: Sequence[Choice]) -> Iterator[_Span]:
    """Stretches of years with one method and one scope."""
    made = sorted({choice.since_year: choice for choice in choices}.values(), key=lambda c: c.since_year)
    if not made or made[0].since_year > 0:
        made = [Choice(), *made]
    span: _Span | None = None
    for choice in made:
        same = span and (span.choice.method, span.choice.per_account) == (choice.method, choice.per_account)
        if span and not same:
            yield replace(span, end=choice.since_year)
        if not same:
            span = _Span(choice=choice, start=choice.since_year, end=_LATEST)
    if span:
        yield span


def _carried(lot: Lot) -> Movement:
    return Movement(
        time=lot.acquired or UNDATED,
        kind=Kind.BUY,
        asset=lot.asset,
        quantity=lot.quantity,
        value=lot.cost,
        account=lot.account,
    )


def _dated(lot: Lot) -> Lot:
    return replace(lot, acquired=None) if lot.acquired == UNDATED else lot


def _placed(
    parts: Iterable[Disposal], history: Sequence[Movement], places: dict[int, int]
) -> Iterator[Disposed]:
    """Each part with the place of its movement: parts come in the order of the disposals and sum to each."""
    sales = (movement for movement in in_order(history) if movement.kind in (Kind.SELL, Kind.SPEND))
    left, place = ZERO, 0
    for part in parts:
        if not left:
            sale = next(sales)
            left, place = sale.quantity, places[id(sale)]
        left -= part.quantity
        yield Disposed(part=part._replace(acquired=None) if part.acquired == UNDATED else part, line=place)


def _allocated(lots: Iterable[Lot], before: Iterable[Movement]) -> Iterator[Lot]:
    """Lots of one pool for all accounts, dealt to the accounts that hold them."""
    held: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for movement in before:
        inward = movement.kind in (Kind.BUY, Kind.INCOME)
        held[movement.asset][movement.account] += movement.quantity if inward else -movement.quantity
        if movement.kind is Kind.TRANSFER:
            held[movement.asset][movement.to_account] += movement.quantity
    rooms = {asset: sorted(accounts.items()) for asset, accounts in held.items()}
    for lot in sorted(lots, key=lambda lot: (lot.asset, lot.acquired or UNDATED)):
        yield from _dealt(lot, rooms.get(lot.asset, []))


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
