"""Pools whose lots outlive a run: taken from a store as they are needed, and every change noted.

A pool asks its store only for as many lots as are sold, so a run costs what it moves and not what is held.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from heapq import heappop, heappush
from typing import Protocol

from portfolio.lots.exact import ZERO, subtract
from portfolio.lots.pools import AveragePool, OrderedPool, Part, Pool, split
from portfolio.lots.records import Lot, Method
from portfolio.lots.shelf import Key, Shelf


class Store(Protocol):
    """Where the lots of earlier runs are."""

    def keys(self) -> Iterable[Key]:
        """The pools that hold anything."""

    def batches(self, key: Key, method: Method) -> Iterator[Sequence[Part]]:
        """The lots of a pool in the order in which the method takes them, with `row` and `tie` set."""


class Changes:
    """What a run did to the lots since it was last asked: rows of the store that ended, lots that have none yet."""

    def __init__(self, ties: int = 0) -> None:
        self.ties = ties
        self._ended: list[object] = []
        self._fresh: dict[int, tuple[Key, Part]] = {}
        self._pools: dict[Key, KeptAverage] = {}

    def came(self, key: Key, part: Part) -> None:
        """A lot was put into a pool."""
        self.ties += 1
        part.row, part.is_lazy, part.tie = None, False, self.ties
        self._fresh[id(part)] = key, part

    def changed(self, key: Key, part: Part) -> None:
        """A lot lost a piece: what is left takes the place of its row."""
        if part.row is not None:
            self._ended.append(part.row)
            part.row = None
            self._fresh[id(part)] = key, part

    def left(self, part: Part) -> None:
        """A lot was taken whole."""
        if part.row is not None:
            self._ended.append(part.row)
            part.row = None
        else:
            self._fresh.pop(id(part), None)

    def mixed(self, key: Key, pool: "KeptAverage") -> None:
        """A pool without lots changed."""
        self._pools[key] = pool

    def taken(self) -> tuple[list[object], list[tuple[Key, Part]]]:
        """All changes so far, once: the caller gives each fresh lot its row."""
        for key, pool in self._pools.items():
            if pool.told is not None and pool.told.row is not None:
                self._ended.append(pool.told.row)
            pool.told = next(pool.parts(), None)
            if pool.told is not None:
                self.came(key, pool.told)
        ended, fresh = self._ended, list(self._fresh.values())
        self._ended, self._fresh, self._pools = [], {}, {}
        return ended, fresh


class KeptOrdered(OrderedPool):
    """Lots in the method's order; those of the store wait there until the ones before them are gone."""

    __slots__ = ("_batches", "_changes", "_key", "_lazy")

    def __init__(
        self, method: Method, key: Key, batches: Iterator[Sequence[Part]] | None, changes: Changes
    ) -> None:
        super().__init__(method)
        self._key = key
        self._batches = batches
        self._changes = changes
        self._lazy = 0

    def put(self, part: Part) -> None:
        """Add a lot."""
        self._changes.came(self._key, part)
        heappush(self._entries, (self._rank(part), part.tie, part))

    def take(self, quantity: Decimal) -> tuple[list[Part], Decimal]:
        """Take up to `quantity`, as `OrderedPool` does."""
        taken = []
        while quantity and self._has_any():
            part = self._entries[0][2]
            if part.quantity > quantity:
                self._changes.changed(self._key, part)
                taken.append(split(part, quantity))
                return taken, ZERO
            heappop(self._entries)
            self._lazy -= part.is_lazy
            self._changes.left(part)
            quantity = subtract(quantity, part.quantity)
            taken.append(part)
        return taken, quantity

    def parts(self) -> Iterator[Part]:
        """The lots that are left, oldest first: all of them, from wherever they are."""
        while self._load():
            pass
        return super().parts()

    def clear(self) -> None:
        """Note that every lot is gone."""
        for part in list(self.parts()):
            self._changes.left(part)
        self._entries = []

    def _has_any(self) -> bool:
        # What still waits in the store comes after all that was loaded: one loaded lot is enough to know the next.
        while not self._lazy and self._load():
            pass
        return bool(self._entries)

    def _load(self) -> bool:
        batch = next(self._batches, None) if self._batches is not None else None
        if batch is None:
            self._batches = None
            return False
        for part in batch:
            part.is_lazy = True
            self._lazy += 1
            heappush(self._entries, (self._rank(part), part.tie, part))
        return True


class KeptAverage(AveragePool):
    """One quantity and one cost, as the store last knew them and as they are."""

    __slots__ = ("_changes", "_key", "told")

    def __init__(self, key: Key, batches: Iterable[Sequence[Part]], changes: Changes) -> None:
        super().__init__()
        self._key = key
        self._changes = changes
        self.told: Part | None = None
        for batch in batches:
            for part in batch:
                super().put(part)
                self.told = part

    def put(self, part: Part) -> None:
        """Melt a part into the pool."""
        self._changes.mixed(self._key, self)
        super().put(part)

    def take(self, quantity: Decimal) -> tuple[list[Part], Decimal]:
        """Take up to `quantity` at the average."""
        self._changes.mixed(self._key, self)
        return super().take(quantity)

    def clear(self) -> None:
        """Note that everything is gone."""
        self._changes.mixed(self._key, self)
        self.quantity = self.cost = ZERO


class KeptShelf(Shelf):
    """All pools of one run over kept lots."""

    def __init__(
        self,
        method: Method,
        *,
        per_account: bool,
        changes: Changes,
        store: Store | None = None,
        acquisitions: int = 0,
    ) -> None:
        super().__init__(AveragePool, per_account=per_account)
        self.acquisitions = acquisitions
        self._method = method
        self._changes = changes
        self._store = store

    def pool(self, asset: str, account: str) -> Pool:
        """The pool of an asset (and account), as the store has it."""
        key = self.key(asset, account)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = self._opened(key)
        return pool

    def lots(self) -> Iterator[Lot]:
        """What is still held, wherever it is."""
        self.everything()
        return super().lots()

    def everything(self) -> list[KeptOrdered | KeptAverage]:
        """All pools, also those that this run had no need of."""
        for key in self._store.keys() if self._store else ():
            self.pool(*key)
        return [pool for pool in self._pools.values() if isinstance(pool, KeptOrdered | KeptAverage)]

    def _opened(self, key: Key) -> KeptOrdered | KeptAverage:
        batches = self._store.batches(key, self._method) if self._store else iter(())
        if self._method in (Method.AVERAGE, Method.UK):
            return KeptAverage(key, batches, self._changes)
        return KeptOrdered(self._method, key, batches, self._changes)
