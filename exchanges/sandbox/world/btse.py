"""The invented life at BTSE: a wallet with deposits, withdrawals, conversions, transfers and referral income,
and market orders on two markets whose fills move the same balances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.sandbox.world.dice import Dice, places
from exchanges.sandbox.world.ledger import EMPTY, Changes, Ledger, Row, Status, Step
from exchanges.sandbox.world.life import Course, Purse
from exchanges.sandbox.world.prices import Prices

MARKETS = {"BTC-USDT": ("BTC", "USDT"), "ETH-USDT": ("ETH", "USDT")}
INCOMING = {"Deposit", "Transfer_In", "ReferralEarning", "token voucher in", "Sub Account Transfer In"}
NETWORKS = {"BTC": "Bitcoin", "ETH": "Ethereum", "USDT": "ERC20", "EUR": "SEPA", "GIFT": ""}
WITHDRAWAL_FEES = {"BTC": Decimal("0.0005"), "ETH": Decimal("0.003"), "USDT": Decimal(10), "EUR": Decimal(3)}
DEPOSITS = {
    "USDT": ("400", "5200", 2),
    "EUR": ("300", "2600", 2),
    "BTC": ("0.008", "0.085", 8),
    "ETH": ("0.1", "1.4", 18),
}
DAYDREAMS = {
    "deposit": 22, "withdraw": 13, "convert": 9, "transfer_in": 4, "transfer_out": 4, "referral": 14, "gift": 1, "order": 40,
}  # fmt: skip
LIVE = {
    "deposit": 6,
    "withdraw": 5,
    "convert": 6,
    "transfer_in": 3,
    "transfer_out": 3,
    "referral": 12,
    "gift": 0,
    "order": 65,
}
FEE_RATE = Decimal("0.0006")


def effect(kind: str, asset: str, amount: Decimal, fee: Decimal, facts: Mapping[str, str]) -> Changes:
    """What a completed wallet row does to the balances: the amount is gross, the fee is part of it."""
    if kind == "Convert fiat":
        return ((asset, -amount), (facts["target"], Decimal(facts["target_amount"])))
    return ((asset, amount - fee),) if kind in INCOMING else ((asset, -amount),)


def wallet_row(
    kind: str,
    asset: str,
    amount: Decimal,
    *,
    id: str,
    at: datetime,
    fee: Decimal = Decimal(0),
    settles: datetime | None = None,
    outcome: Status = Status.COMPLETED,
    visible: datetime | None = None,
    changes: Changes | None = None,
    facts: Mapping[str, str] = EMPTY,
) -> Row:
    """A row of the wallet's history with what it does to the balances."""
    return Row(
        stream="wallet", id=id, kind=kind, at=at, asset=asset, amount=amount, fee=fee, settles=settles or at,
        outcome=outcome, visible=visible or at, facts=facts,
        changes=effect(kind, asset, amount, fee, facts) if changes is None else changes,
    )  # fmt: skip


def fill_row(
    symbol: str, side: str, size: Decimal, price: Decimal, *, id: str, order: str, serial: int, at: datetime,
    fee: Decimal | None = None, visible: datetime | None = None,
) -> Row:  # fmt: skip
    """A fill with what it does to the balances: the fee is taken from what is received."""
    base, quote = symbol.split("-")
    value = size * price
    got, gave = ((base, size), (quote, value)) if side == "BUY" else ((quote, value), (base, size))
    charged = got[1] * FEE_RATE if fee is None else fee
    return Row(
        stream="fills", id=id, kind=side, at=at, asset=base, amount=size, fee=charged, settles=at,
        visible=visible or at, changes=((got[0], got[1] - charged), (gave[0], -gave[1])),
        facts={"symbol": symbol, "price": str(price), "order": order, "serial": str(serial), "fee_asset": got[0]},
    )  # fmt: skip


def chain(dice: Dice, asset: str) -> dict[str, str]:
    """Where an amount travelled."""
    return {"network": NETWORKS[asset], "address": f"0x{dice.hexes(40)}", "hash": f"0x{dice.hexes(64)}"}


class BtseLedger(Ledger):
    """The truth of a BTSE account, to which a test may add rows."""

    _added = 0

    def add(
        self, kind: str, asset: str, amount: str, *, fee: str = "0", at: datetime | None = None, id: str = "",
        settles: datetime | None = None, outcome: Status = Status.COMPLETED, visible: datetime | None = None,
        changes: Changes | None = None, facts: Mapping[str, str] = EMPTY,
    ) -> Row:  # fmt: skip
        """A wallet row; `kind` is BTSE's own word (Deposit, Withdraw, …); a conversion's facts name target and target_amount."""
        moment = at or self.now()
        self._added += 1
        return self.put(
            wallet_row(
                kind, asset, Decimal(amount), id=id or f"{moment:%Y%m%d}9{self._added:07}", at=moment, fee=Decimal(fee),
                settles=settles, outcome=outcome, visible=visible, changes=changes, facts=facts,
            )
        )  # fmt: skip

    def add_fill(
        self, symbol: str, side: str, size: str, price: str, *, fee: str | None = None, at: datetime | None = None,
        id: str = "", order: str = "", visible: datetime | None = None,
    ) -> Row:  # fmt: skip
        """A fill on a market such as BTC-USDT; `side` is BUY or SELL; without `fee` the usual one is charged."""
        self._added += 1
        return self.put(
            fill_row(
                symbol, side, Decimal(size), Decimal(price), id=id or f"fill-{self._added}", at=at or self.now(),
                order=order or f"order-{self._added}", serial=900_000_000 + self._added,
                fee=None if fee is None else Decimal(fee), visible=visible,
            )
        )  # fmt: skip


class BtseLife:
    """Tells the life moment by moment; what it tells depends on the seed and on `opened` only."""

    def __init__(self, course: Course, prices: Prices) -> None:
        self._course, self._prices, self._purse = course, prices, Purse()

    def __iter__(self) -> Iterator[Step]:
        for number, at, _ in self._course.times():
            dice = Dice(self._course.seed, "btse", number)
            self._purse.reach(at)
            rows = self._happen(dice, number, at)
            for row in rows:
                self._purse.take(row)
            yield Step(at=at, rows=rows)

    def _happen(self, dice: Dice, number: int, at: datetime) -> tuple[Row, ...]:
        live = self._course.is_live(at)
        what = dice.weighted(LIVE if live else DAYDREAMS)
        id = f"{at:%Y%m%d}{number * 10:08}"
        share = Decimal("0.04") if live else Decimal(1)
        if what == "order":
            return self._order(dice, number, at, share) or self._deposit(dice, id, at, share)
        if what in {"withdraw", "transfer_out"}:
            return self._outgoing(dice, what, id, at, share) or self._deposit(dice, id, at, share)
        if what == "convert":
            return self._convert(dice, id, at, share) or self._deposit(dice, id, at, share)
        if what in {"referral", "gift", "transfer_in"}:
            return (self._income(dice, what, id, at, share),)
        return self._deposit(dice, id, at, share)

    def _deposit(self, dice: Dice, id: str, at: datetime, share: Decimal) -> tuple[Row, ...]:
        asset = dice.weighted({"USDT": 46, "EUR": 24, "BTC": 16, "ETH": 14})
        low, high, digits = DEPOSITS[asset]
        amount = dice.long(low, high) if digits == 18 else dice.between(low, high, digits)
        cut = places(amount * share, digits)
        way = (
            (timedelta(seconds=45), timedelta(seconds=150))
            if share < 1
            else (timedelta(minutes=8), timedelta(hours=2))
        )
        first = wallet_row(
            "Deposit", asset, cut, id=id, at=at, settles=at + dice.span(*way),
            fee=Decimal("1.5") if asset == "EUR" else Decimal(0), facts=chain(dice, asset),
        )  # fmt: skip
        twin = wallet_row(
            "Deposit", asset, cut, id=f"{int(id) + 1}", at=at, settles=first.settles, fee=first.fee,
            facts={**first.facts, "hash": f"0x{dice.hexes(64)}"},
        )  # fmt: skip
        return (first, twin) if share == 1 and dice.chance(4) else (first,)

    def _outgoing(self, dice: Dice, what: str, id: str, at: datetime, share: Decimal) -> tuple[Row, ...]:
        asset = dice.weighted({"USDT": 50, "BTC": 25, "ETH": 25})
        amount = places(self._purse.free(asset) * dice.between("0.05", "0.32", 3) * share, 8)
        fee = WITHDRAWAL_FEES[asset] if what == "withdraw" else Decimal(0)
        if amount <= fee * 2 or amount * (self._prices.usd(asset, at) or 0) < 10:
            return ()
        if what == "transfer_out":
            return (
                wallet_row(
                    "Transfer_Out", asset, amount, id=id, at=at, facts={"description": "to jamesbond"}
                ),
            )
        way = (
            (timedelta(seconds=60), timedelta(seconds=200))
            if share < 1
            else (timedelta(minutes=15), timedelta(hours=5))
        )
        return (
            wallet_row(
                "Withdraw", asset, amount, id=id, at=at, fee=fee, settles=at + dice.span(*way),
                outcome=Status.CANCELLED if dice.chance(7) else Status.COMPLETED, facts=chain(dice, asset),
            ),
        )  # fmt: skip

    def _convert(self, dice: Dice, id: str, at: datetime, share: Decimal) -> tuple[Row, ...]:
        amount = places(self._purse.free("EUR") * dice.between("0.2", "0.9", 2) * share, 2)
        rate = self._prices.pair("EUR", "USDT", at)
        if amount < 5 or rate is None:
            return ()
        sold = places(rate * Decimal("0.998"), 8)
        target = places(amount * sold, 8)
        return (
            wallet_row(
                "Convert fiat",
                "EUR",
                amount,
                id=id,
                at=at,
                facts={"target": "USDT", "target_amount": str(target), "rate": str(sold)},
            ),
        )

    def _income(self, dice: Dice, what: str, id: str, at: datetime, share: Decimal) -> Row:
        if what == "gift":
            return wallet_row(
                "token voucher in",
                "GIFT",
                dice.between(20, 400, 0),
                id=id,
                at=at,
                facts={"description": "Welcome gift"},
            )
        if what == "transfer_in":
            amount = places(dice.between(40, 900, 2) * share, 2)
            return wallet_row(
                "Transfer_In", "USDT", amount, id=id, at=at, facts={"description": "from jamesbond"}
            )
        if dice.chance(30):
            return wallet_row("ReferralEarning", "ETH", dice.long("0.00001", "0.0009"), id=id, at=at)
        amount = dice.between("1.01", 9, 2) - Decimal("1E-12")  # As a float would have it: 7.844999999999
        return wallet_row("ReferralEarning", "USDT", amount, id=id, at=at)

    def _order(self, dice: Dice, number: int, at: datetime, share: Decimal) -> tuple[Row, ...]:
        symbol = dice.weighted({"BTC-USDT": 60, "ETH-USDT": 40})
        base, quote = MARKETS[symbol]
        price = self._prices.pair(base, quote, at)
        if price is None:
            return ()
        side = "BUY" if dice.chance(54) else "SELL"
        pays = self._purse.free(quote) / price if side == "BUY" else self._purse.free(base)
        size = places(pays * dice.between("0.04", "0.3", 3) * share, 5)
        if size * price < 8:
            return ()
        parts = dice.weighted({1: 52, 2: 30, 3: 18})
        order, rows, left = dice.uuid(), [], size
        for part in range(parts):
            piece = left if part == parts - 1 else places(left * dice.between("0.3", "0.7", 2), 5)
            if piece <= 0:
                continue
            left -= piece
            paid = places(price * (1 - Decimal(part) / 20_000), 7 if dice.chance(30) else 1)
            rows.append(
                fill_row(
                    symbol,
                    side,
                    piece,
                    paid,
                    id=dice.uuid(),
                    order=order,
                    serial=number * 10 + part + 1,
                    at=at,
                )
            )
        return tuple(rows)
