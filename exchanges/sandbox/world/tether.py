"""The invented life at Tether.to: acquiring and redeeming tokens, sending and receiving them, converting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.sandbox.world.dice import Dice, places
from exchanges.sandbox.world.ledger import EMPTY, Changes, Ledger, Row, Status, Step
from exchanges.sandbox.world.life import Course, Purse
from exchanges.sandbox.world.prices import Prices

FIRST_ID = 2018
PAST = {
    "acquire": 20,
    "receive": 26,
    "send": 26,
    "redeem": 8,
    "convert": 14,
    "unclaimed_return": 2,
    "claimed_own": 4,
}
LIVE = {
    "acquire": 0,
    "receive": 45,
    "send": 45,
    "redeem": 0,
    "convert": 10,
    "unclaimed_return": 0,
    "claimed_own": 0,
}

RECEIVED = {"USDT": ("150", "4200", 2), "EURT": ("90", "1900", 2), "XAUT": ("0.05", "0.6", 6)}


def transaction(
    kind: str, asset: str, amount: Decimal, *, id: str, at: datetime, settles: datetime | None = None,
    outcome: Status = Status.COMPLETED, fee: Decimal = Decimal(0), visible: datetime | None = None,
    changes: Changes | None = None, facts: Mapping[str, str] = EMPTY,
) -> Row:  # fmt: skip
    """A transaction; the amount is the signed net effect, a fee is inside it."""
    return Row(
        stream="transactions", id=id, kind=kind, at=at, asset=asset, amount=amount, fee=fee, settles=settles or at,
        outcome=outcome, visible=visible or at, facts=facts, changes=((asset, amount),) if changes is None else changes,
    )  # fmt: skip


class TetherLedger(Ledger):
    """The truth of a Tether account, to which a test may add rows."""

    _added = 0

    def add(
        self, kind: str, asset: str, amount: str, *, fee: str = "0", at: datetime | None = None, id: str = "",
        settles: datetime | None = None, outcome: Status = Status.COMPLETED, visible: datetime | None = None,
        changes: Changes | None = None, facts: Mapping[str, str] = EMPTY,
    ) -> Row:  # fmt: skip
        """A transaction; `asset` in folded form (USDT, EURT, XAUT, BTC), `amount` signed."""
        self._added += 1
        return self.put(
            transaction(
                kind, asset, Decimal(amount), id=id or str(900_000 + self._added), at=at or self.now(),
                fee=Decimal(fee), settles=settles, outcome=outcome, visible=visible, changes=changes, facts=facts,
            )
        )  # fmt: skip


class TetherLife:
    """Tells the life moment by moment; each transaction is settled before the next one begins."""

    def __init__(self, course: Course, prices: Prices) -> None:
        self._course, self._prices, self._purse = course, prices, Purse()

    def __iter__(self) -> Iterator[Step]:
        for number, moment, room in self._course.times():
            at = moment.replace(microsecond=0)
            dice = Dice(self._course.seed, "tether", number)
            self._purse.reach(at)
            rows = self._happen(dice, str(FIRST_ID + number * 3), at, room)
            for row in rows:
                self._purse.take(row)
            yield Step(at=at, rows=rows)

    def _happen(self, dice: Dice, id: str, at: datetime, room: timedelta) -> tuple[Row, ...]:
        live = self._course.is_live(at)
        kind = dice.weighted(LIVE if live else PAST)
        settles = at + min(
            dice.span(timedelta(seconds=50), timedelta(seconds=130) if live else timedelta(hours=9)),
            room * 9 / 10,
        )
        settles = settles.replace(microsecond=0)
        share = Decimal("0.02") if live else Decimal(1)
        if kind == "convert":
            rows = self._convert(dice, id, at, share)
        elif kind in {"send", "redeem"}:
            rows = self._outgoing(dice, kind, id, at, settles, share)
        else:
            rows = self._incoming(dice, kind, id, at, settles, share)
        return rows or self._incoming(dice, "receive", id, at, settles, share)

    def _incoming(
        self, dice: Dice, kind: str, id: str, at: datetime, settles: datetime, share: Decimal
    ) -> tuple[Row, ...]:
        asset = dice.weighted({"USDT": 72, "EURT": 22, "XAUT": 6})
        low, high, digits = RECEIVED[asset]
        amount = places(dice.between(low, high, digits) * share, 8 if share < 1 else digits)
        if kind == "acquire":
            fee = Decimal(20)
            amount = dice.between(2, 9, 0) * 1000 - fee
            row = transaction(
                kind,
                "USDT",
                amount,
                id=id,
                at=at,
                settles=settles,
                fee=fee,
                facts={"reference_id": dice.hexes(7).upper()},
            )
            return (row,)
        facts = {
            "counterparty": f"1{dice.hexes(32)}" if dice.chance(80) else "friend@example.org",
            "hash": dice.hexes(64),
        }
        row = transaction(kind, asset, amount, id=id, at=at, settles=settles, facts=facts)
        twin = transaction(
            kind,
            asset,
            amount,
            id=str(int(id) + 1),
            at=at,
            settles=settles,
            facts=facts | {"hash": dice.hexes(64)},
        )
        return (row, twin) if share == 1 and dice.chance(5) else (row,)

    def _outgoing(
        self, dice: Dice, kind: str, id: str, at: datetime, settles: datetime, share: Decimal
    ) -> tuple[Row, ...]:
        asset = "USDT" if kind == "redeem" or dice.chance(75) else "EURT"
        part = dice.between("0.04", "0.24", 3) * share
        amount = places(self._purse.free(asset) * part, 0 if kind == "redeem" else 6)
        if amount < (1000 if kind == "redeem" else 1):
            return ()
        fee = places(amount * Decimal("0.004"), 2) if kind == "redeem" else Decimal(0)
        outcome = Status.CANCELLED if dice.chance(6) else Status.COMPLETED
        facts = (
            {"reference_id": dice.hexes(7).upper()}
            if kind == "redeem"
            else {"counterparty": f"0x{dice.hexes(40)}", "hash": dice.hexes(64)}
        )
        return (
            transaction(
                kind, asset, -amount, id=id, at=at, settles=settles, outcome=outcome, fee=fee, facts=facts
            ),
        )

    def _convert(self, dice: Dice, id: str, at: datetime, share: Decimal) -> tuple[Row, ...]:
        source, target = dice.weighted({("EURT", "USDT"): 45, ("USDT", "EURT"): 40, ("USDT", "XAUT"): 15})
        sold = places(self._purse.free(source) * dice.between("0.05", "0.2", 3) * share, 2)
        rate = self._prices.pair(source, target, at)
        if sold < 1 or rate is None:
            return ()
        rate = places(rate * Decimal("0.999"), 8)
        bought = places(sold * rate, 8)
        facts = {
            "order": str(int(id) // 3), "uuid": dice.uuid(), "source": source, "target": target,
            "sold": str(sold), "bought": str(bought), "rate": str(rate),
        }  # fmt: skip
        return (
            transaction("convert", source, -sold, id=id, at=at, facts=facts),
            transaction("convert", target, bought, id=str(int(id) + 1), at=at, facts=facts),
        )
