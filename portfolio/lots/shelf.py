"""All pools of one run, across accounts or one per account, and what went missing on the way."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from portfolio.lots.exact import ZERO, add, divide
from portfolio.lots.pools import Part, Pool
from portfolio.lots.records import Lot, Match, Movement, Shortfall
from portfolio.lots.sale import missing_part

Key = tuple[str, str]
"""Asset and account of a pool; the account is empty when lots are kept across all accounts."""


class Shelf:
    """Keeps a pool for every asset (and account), moves lots between them, reports what was not there."""

    def __init__(self, new_pool: Callable[[], Pool], *, per_account: bool) -> None:
        self.shortfalls: list[Shortfall] = []
        self.unplaced_fees = ZERO
        self._new_pool = new_pool
        self._per_account = per_account
        self._pools: dict[Key, Pool] = {}
        self.acquisitions = 0

    def key(self, asset: str, account: str) -> Key:
        """Which pool an asset in an account belongs to."""
        return (asset, account if self._per_account else "")

    def pool(self, asset: str, account: str) -> Pool:
        """The pool of an asset (and account), empty at first."""
        key = (asset, account if self._per_account else "")
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = self._new_pool()
        return pool

    def part(self, movement: Movement, quantity: Decimal, cost: Decimal) -> Part:
        """A new lot of this movement, numbered in the order of acquisition."""
        self.acquisitions += 1
        return Part(movement.time, self.acquisitions, quantity, cost, divide(cost, quantity), Match.LOT)

    def remove(self, movement: Movement, quantity: Decimal) -> list[Part]:
        """Parts for the whole quantity; one that was not held is reported and costs nothing."""
        parts, missing = self.pool(movement.asset, movement.account).take(quantity)
        if missing:
            self._report(movement, missing)
            parts.append(missing_part(missing))
        return parts

    def move(self, movement: Movement) -> None:
        """Lots keep date and cost on their way between accounts; a fee in money is added to the first of them."""
        if not (self._per_account or movement.fee):
            return
        parts, missing = self.pool(movement.asset, movement.account).take(movement.quantity)
        if missing and self._per_account:
            self._report(movement, missing)
            parts.append(self.part(movement, missing, ZERO))
        if not parts:
            self.unplaced_fees = add(self.unplaced_fees, movement.fee)
        elif movement.fee:
            parts[0].charge(movement.fee)
        target = self.pool(movement.asset, movement.to_account)
        for part in parts:
            target.put(part)

    def lots(self) -> Iterator[Lot]:
        """What is still held, by asset, account and age."""
        for (asset, account), pool in sorted(self._pools.items(), key=lambda item: item[0]):
            for part in pool.parts():
                yield Lot(
                    asset=asset,
                    account=account,
                    acquired=part.acquired,
                    quantity=part.quantity,
                    cost=part.cost,
                )

    def _report(self, movement: Movement, missing: Decimal) -> None:
        self.shortfalls.append(
            Shortfall(
                time=movement.time,
                kind=movement.kind,
                asset=movement.asset,
                account=movement.account,
                quantity=missing,
            )
        )
