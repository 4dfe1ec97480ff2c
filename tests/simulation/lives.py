"""What happens in the invented accounts, and what a store must therefore say in the end. The truth of the simulation.

Ids are counted alike for every tenant, so they collide; amounts and texts tell whose a row is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Context, Decimal
from random import Random

from exchanges.sandbox.world import Row, Status, World
from exchanges.sandbox.world.tokens_net import PAIRS, trade_row
from tests.simulation.plan import Plan, Trouble

EXACT = Context(prec=60)
STATUS = {
    Status.PENDING: "pending",
    Status.PROCESSING: "pending",
    Status.COMPLETED: "completed",
    Status.CANCELLED: "cancelled",
}
KINDS = {
    "Deposit": "deposit",
    "Withdraw": "withdrawal",
    "Convert fiat": "conversion",
    "Transfer_In": "transfer_in",
    "Transfer_Out": "transfer_out",
    "ReferralEarning": "income",
    "receive": "deposit",
    "send": "withdrawal",
    "acquire": "issue",
    "redeem": "redeem",
    "convert": "conversion",
}
STREAMS = {"wallet": "wallet_history", "fills": "trades", "transactions": "transactions", "trades": "trades"}
FAILED = {"tether": {"cancelled": "failed"}}
"""Tether's sandbox says "denied" for what did not go through."""

Changes = tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One transaction, as the exchange means it and as the store must have it."""

    stream: str
    external_id: str
    kind: str
    status: str
    occurred_at: datetime
    changes: Changes


@dataclass
class Life:
    """One tenant's account at the exchange of this seed."""

    number: int
    world: World
    plan: Plan
    dice: Random
    purse: dict[str, Decimal] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        """The account has a past, mostly of thirty days."""
        now = self.world.now()
        first = now - timedelta(days=self.plan.days)
        times = sorted(first + (now - first) * self.dice.random() for _ in range(self.plan.past))
        for at in times:
            self.happen(at)

    @property
    def mark(self) -> str:
        """A text that stands in this tenant's rows only."""
        return f"of-tenant-{self.number}"

    def grow(self) -> None:
        """Something happens now, or is entered with an earlier date."""
        at = self.world.now()
        if self.dice.random() < self.plan.rate(Trouble.BACKDATED):
            at -= self.plan.visible * self.dice.random()
        self.happen(at)

    def happen(self, at: datetime) -> None:
        """One thing, dated `at`."""
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        ways: dict[str, Callable[[datetime], None]] = {
            "btse": self._at_btse,
            "tether": self._at_tether,
            "tokens_net": self._at_tokens_net,
        }
        ways[self.plan.exchange](at)

    def said(self, at: datetime) -> dict[tuple[str, str], Said]:
        """All that has happened by `at`, listed yet or not, with the status it has then."""
        ledger = self.world.ledger(self.plan.exchange)
        rows = ledger.rows(at=at + timedelta(days=400))
        found = (self._meant(row, at) for row in rows if row.stream in STREAMS and row.at <= at)
        return {(one.stream, one.external_id): one for one in found}

    def listed(self, at: datetime) -> dict[tuple[str, str], datetime]:
        """What an honest answer lists at a moment, each with its time."""
        rows = self.world.ledger(self.plan.exchange).rows(at=at)
        return {(STREAMS[row.stream], row.id): row.at for row in rows if row.stream in STREAMS}

    def quiet_at(self) -> datetime:
        """From when on nothing moves any more: all is settled and listed."""
        ledger = self.world.ledger(self.plan.exchange)
        far = self.world.now() + timedelta(days=400)
        ends = [max(row.settles, row.visible, row.at) for row in ledger.rows(at=far)]
        ends += [order.ends for order in ledger.orders(far)]
        return max(ends, default=self.world.now())

    def totals(self) -> dict[str, Decimal]:
        """What is held."""
        held = self.world.ledger(self.plan.exchange).balances()
        return {asset: one.total for asset, one in held.items() if one.total}

    def _meant(self, row: Row, at: datetime) -> Said:
        status = STATUS[row.status(at)]
        whole = row.changes[:2] if self.plan.exchange == "tokens_net" else row.changes
        return Said(
            stream=STREAMS[row.stream],
            external_id=row.id,
            kind=KINDS.get(row.kind, "trade"),
            status=FAILED.get(self.plan.exchange, {}).get(status, status),
            occurred_at=row.at,
            changes=added(dict.fromkeys((asset for asset, _ in whole), Decimal(0)), whole),
        )

    def _at_btse(self, at: datetime) -> None:
        kind = self.dice.choice(
            ("Deposit", "Deposit", "Withdraw", "Convert fiat", "Transfer_Out", "ReferralEarning", "fill")
        )
        asset, part = self._something()
        if kind == "fill" and self._has("USDT"):
            self._fill(at)
        elif kind == "Convert fiat" and part:
            target = self.dice.choice([name for name in ("BTC", "ETH", "USDT", "EUR") if name != asset])
            got = self._amount()
            facts = {"target": target, "target_amount": str(got), "rate": "1.5"}
            self._wallet(at, kind, asset, part, facts=facts)
        elif kind in ("Withdraw", "Transfer_Out") and part:
            self._wallet(at, kind, asset, part, fee=self._fee(part))
        else:
            kind = "ReferralEarning" if kind == "ReferralEarning" else "Deposit"
            amount = self._amount()
            for _ in range(self.dice.choice((1, 1, 1, 1, 2, 3))):  # twins: same time, same amount, other id
                self._wallet(at, kind, self.dice.choice(("BTC", "ETH", "USDT", "EUR")), amount)

    def _wallet(
        self,
        at: datetime,
        kind: str,
        asset: str,
        amount: Decimal,
        fee: Decimal = Decimal(0),
        facts: Mapping[str, str] | None = None,
    ) -> None:
        settles, outcome = self._course(at) if kind != "Convert fiat" else (at, Status.COMPLETED)
        row = self.world.btse.add(
            kind, asset, str(amount), fee=str(fee), at=at, id=self._id(), settles=settles, outcome=outcome,
            visible=self._visible(at), facts={"description": self.mark, **(facts or {})},
        )  # fmt: skip
        self._book(row)

    def _fill(self, at: datetime) -> None:
        symbol, side = self.dice.choice(("BTC-USDT", "ETH-USDT")), "BUY"
        size = Decimal(self.dice.randrange(1, 10**6)).scaleb(-8)
        price = Decimal(self.dice.randrange(1, 10**5)).scaleb(-2)
        if self.purse.get("USDT", Decimal(0)) < size * price:
            return
        fee = (size * Decimal("0.0006")).quantize(Decimal("1e-12"))
        self._book(
            self.world.btse.add_fill(
                symbol, side, str(size), str(price), fee=str(fee), at=at, id=self._id(), visible=self._visible(at)
            )
        )  # fmt: skip

    def _at_tether(self, at: datetime) -> None:
        at = at.replace(microsecond=0)
        asset, part = self._something()
        kind = self.dice.choice(("receive", "receive", "acquire", "send", "redeem", "convert"))
        if kind in ("send", "redeem", "convert") and not part:
            kind = "receive"
        if kind == "convert":
            self._transaction(at, "convert", asset, -part, settled=True)
            target = self.dice.choice([name for name in ("USDT", "EURT", "XAUT") if name != asset])
            self._transaction(at, "convert", target, self._amount(), settled=True)
        elif kind in ("send", "redeem"):
            self._transaction(at, kind, asset, -part)
        else:
            amount, name = self._amount(), self.dice.choice(("USDT", "EURT", "XAUT"))
            for _ in range(self.dice.choice((1, 1, 1, 2))):
                self._transaction(at, kind, name, amount)

    def _transaction(
        self, at: datetime, kind: str, asset: str, amount: Decimal, *, settled: bool = False
    ) -> None:
        settles, outcome = (at, Status.COMPLETED) if settled else self._course(at)
        row = self.world.tether.add(
            kind, asset, str(amount), at=at, id=self._id(), settles=settles.replace(microsecond=0), outcome=outcome,
            visible=self._visible(at), facts={"message": self.mark, "hash": self.mark},
        )  # fmt: skip
        self._book(row)

    def _at_tokens_net(self, at: datetime) -> None:
        at = at.replace(microsecond=0)
        ledger = self.world.tokens_net
        if self.count < 2 or self.dice.random() < 0.15:
            asset = self.dice.choice(("USDT", "BTC", "ETH", "LTC"))
            amount = Decimal(self.dice.randrange(10**8, 10**12)).scaleb(-8)
            self._book(ledger.add("deposit", asset, str(amount), at=at, id=f"t{self._id()}"))
            return
        pair = self.dice.choice(("btcusdt", "ethusdt", "ltcusdt"))
        side, digits = self.dice.choice(("buy", "sell")), PAIRS[pair][2]
        amount = 4 * Decimal(self.dice.randrange(1, 10**4)).scaleb(digits - 8)
        price = Decimal(self.dice.randrange(1, 10**4)).scaleb(-digits)
        if self.dice.random() < 0.5:
            row = trade_row(pair, side, amount, price, id=self._id(), at=at)
            self._book(ledger.put(replace(row, visible=self._visible(at))))
            return
        ends = at + timedelta(seconds=self.dice.randrange(60, 100_000))
        parts = self.dice.choice((0, 1, 2, 3))
        step = (ends - at) / (parts + 1)
        fills = [
            trade_row(pair, side, amount / 4, price, id=self._id(), at=(at + step * (n + 1)).replace(microsecond=0))
            for n in range(parts)
        ]  # fmt: skip
        outcome = self.dice.choice(("Canceled", "Expired"))
        ledger.add_order(
            pair, side, str(amount), str(price), fills=tuple(fills), at=at, ends=ends, outcome=outcome
        )
        for fill in fills:
            self._book(fill)

    def _id(self) -> str:
        self.count += 1
        return str(700_000 + self.count)

    def _visible(self, at: datetime) -> datetime:
        late = self.dice.random() < self.plan.rate(Trouble.LATE)
        return at + self.plan.visible * self.dice.random() if late else at

    def _course(self, at: datetime) -> tuple[datetime, Status]:
        """When a row is final, and what has become of it then."""
        if self.dice.random() < 0.6:
            return at, Status.COMPLETED
        longest = self.dice.choice((3_000, 3_000, 12_000))  # eight days: more than any list is read again for
        settles = at + timedelta(minutes=self.dice.randrange(1, longest))
        return settles, self.dice.choice((Status.COMPLETED, Status.COMPLETED, Status.CANCELLED))

    def _amount(self) -> Decimal:
        """Up to twelve digits before the point and eighteen behind it."""
        whole = self.dice.randrange(10 ** self.dice.choice((1, 4, 12)))
        return EXACT.add(Decimal(whole), Decimal(self.dice.randrange(1, 10**18)).scaleb(-18, EXACT))

    def _fee(self, amount: Decimal) -> Decimal:
        return Decimal(self.dice.randrange(10**6)).scaleb(-18) if amount > 1 else Decimal(0)

    def _something(self) -> tuple[str, Decimal]:
        """An asset that is held and a part of it, at times all; nothing where nothing is held."""
        held = [(asset, amount) for asset, amount in sorted(self.purse.items()) if amount > 0]
        if not held:
            return "USDT", Decimal(0)
        asset, amount = self.dice.choice(held)
        if self.dice.random() < 0.3:
            return asset, amount
        part = EXACT.divide(amount, Decimal(self.dice.randrange(2, 20)))
        return asset, part.quantize(Decimal("1e-18"), context=EXACT)

    def _has(self, asset: str) -> bool:
        return self.purse.get(asset, Decimal(0)) > 0

    def _book(self, row: Row) -> None:
        """What is on its way in is not counted before it is sure; what is on its way out is gone at once."""
        for asset, change in row.changes:
            if change < 0 or (row.outcome is Status.COMPLETED and row.settles == row.at):
                self.purse[asset] = EXACT.add(self.purse.get(asset, Decimal(0)), change)


def added(start: Mapping[str, Decimal], changes: Changes) -> Changes:
    """The sum per asset, exactly, without zeros."""
    sums = dict(start)
    for asset, change in changes:
        sums[asset] = EXACT.add(sums.get(asset, Decimal(0)), change)
    return tuple(sorted((asset, amount) for asset, amount in sums.items() if amount))
