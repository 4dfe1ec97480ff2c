"""Runs movements through the pools: one book for the methods that look back, `uk` for the one that looks ahead."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Protocol

from portfolio.lots.exact import add
from portfolio.lots.order import in_order
from portfolio.lots.pools import AveragePool, OrderedPool, Pool
from portfolio.lots.records import (
    ACQUISITIONS,
    DISPOSALS,
    Disposal,
    Lot,
    Method,
    Movement,
    Shortfall,
    Worked,
)
from portfolio.lots.sale import disposals_of
from portfolio.lots.shelf import Shelf
from portfolio.lots.uk import UkBook


class LotBook(Protocol):
    """What every method offers: give it one complete history, or feed it in order; then ask what is left."""

    shelf: Shelf

    def disposals(self, movements: Iterable[Movement]) -> Iterator[Disposal]:
        """Every disposed part, in the order of the disposals."""

    def feed(self, movement: Movement, tag: object) -> Iterable[Worked]:
        """Take one movement, in canonical order; all tags that are final now, with what they disposed of."""

    def passing(self, tag: object) -> Iterable[Worked]:
        """Let something that is no movement keep its place among them."""

    def finish(self) -> Iterable[Worked]:
        """What still waits for later movements, as it stands without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """Everything that a run over a complete history found."""

    disposals: tuple[Disposal, ...]
    open_lots: tuple[Lot, ...]
    shortfalls: tuple[Shortfall, ...]
    unplaced_fees: Decimal


def open_book(method: Method, *, per_account: bool = False) -> LotBook:
    """An empty book: across all accounts, or one pool for each account."""
    if method is Method.UK:
        return UkBook(Shelf(AveragePool, per_account=per_account))
    new_pool: Callable[[], Pool] = AveragePool if method is Method.AVERAGE else partial(OrderedPool, method)
    return LookBackBook(Shelf(new_pool, per_account=per_account))


def settle(movements: Iterable[Movement], method: Method, *, per_account: bool = False) -> Gains:
    """Run a complete history and keep all of it; stream from a book where memory matters."""
    book = open_book(method, per_account=per_account)
    disposals = tuple(book.disposals(movements))
    return Gains(
        disposals=disposals,
        open_lots=tuple(book.shelf.lots()),
        shortfalls=tuple(book.shelf.shortfalls),
        unplaced_fees=book.shelf.unplaced_fees,
    )


class LookBackBook:
    """FIFO, LIFO, HIFO and average: each disposal is final when it happens, so they stream."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def disposals(self, movements: Iterable[Movement]) -> Iterator[Disposal]:
        """Every disposed part, in the order of the disposals."""
        work = self._work
        for movement in in_order(movements):
            if parts := work(movement):
                yield from parts

    def feed(self, movement: Movement, tag: object) -> Iterable[Worked]:
        """Each movement is final at once."""
        return ((tag, self._work(movement)),)

    def passing(self, tag: object) -> Iterable[Worked]:
        """Nothing waits, so it passes at once."""
        return ((tag, ()),)

    def finish(self) -> Iterable[Worked]:
        """Nothing waits."""
        return ()

    def _work(self, movement: Movement) -> Sequence[Disposal]:
        shelf = self.shelf
        if movement.kind in ACQUISITIONS:
            cost = add(movement.value, movement.fee)
            lot = shelf.part(movement, movement.quantity, cost)
            shelf.pool(movement.asset, movement.account).put(lot)
        elif movement.kind in DISPOSALS:
            return disposals_of(movement, shelf.remove(movement, movement.quantity))
        else:
            shelf.move(movement)
        return ()
