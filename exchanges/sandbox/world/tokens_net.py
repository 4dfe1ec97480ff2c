"""The invented life at Tokens.net: limit orders on a dozen pairs that fill in parts, are cancelled or expire;
deposits and withdrawals that no endpoint lists."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.sandbox.world.dice import Dice, places
from exchanges.sandbox.world.ledger import Ledger, Order, Row, Step
from exchanges.sandbox.world.life import Course, Purse
from exchanges.sandbox.world.prices import Prices

# pair: base, counter, decimals of the price; an amount has the rest of eight, so that the value is exact.
PAIRS = {
    "btcusdt": ("BTC", "USDT", 2),
    "ethusdt": ("ETH", "USDT", 2),
    "ltcusdt": ("LTC", "USDT", 2),
    "xrpusdt": ("XRP", "USDT", 5),
    "dtrusdt": ("DTR", "USDT", 6),
    "ethbtc": ("ETH", "BTC", 5),
    "ltcbtc": ("LTC", "BTC", 6),
    "xrpbtc": ("XRP", "BTC", 8),
    "dtrbtc": ("DTR", "BTC", 8),
    "xrpeth": ("XRP", "ETH", 8),
    "dtreth": ("DTR", "ETH", 8),
    "dtrvdtr": ("DTRV", "DTR", 5),
}
QUIET = {"dtrvdtr"}  # listed, but nobody trades there: no price
DEPOSITS = {
    "USDT": ("400", "3800", 2),
    "BTC": ("0.01", "0.07", 8),
    "ETH": ("0.2", "1.6", 8),
    "LTC": ("1", "14", 8),
    "XRP": ("150", "2200", 6),
    "DTR": ("2000", "30000", 8),
    "DTRV": ("100", "900", 0),
}


def trade_row(
    pair: str, side: str, amount: Decimal, price: Decimal, *, id: str, at: datetime, fee: Decimal = Decimal(0)
) -> Row:
    """A trade with what it does to the balances; a fee is charged in the house token DTR."""
    base, counter, _ = PAIRS[pair]
    sign = 1 if side == "buy" else -1
    charged = (("DTR", -fee),) if fee else ()
    return Row(
        stream="trades", id=id, kind=side, at=at, asset=base, amount=amount, fee=fee, settles=at, visible=at,
        changes=((base, sign * amount), (counter, -sign * amount * price), *charged),
        facts={"pair": pair, "price": str(price)},
    )  # fmt: skip


def transfer(kind: str, asset: str, amount: Decimal, *, id: str, at: datetime) -> Row:
    """A deposit or withdrawal, which exists only in the truth."""
    change = amount if kind == "deposit" else -amount
    return Row(
        stream="transfers", id=id, kind=kind, at=at, asset=asset, amount=amount, settles=at, visible=at,
        changes=((asset, change),),
    )  # fmt: skip


class TokensNetLedger(Ledger):
    """The truth of a Tokens.net account, to which a test may add rows."""

    _added = 0

    def add(self, kind: str, asset: str, amount: str, *, at: datetime | None = None, id: str = "") -> Row:
        """A deposit or withdrawal: it moves the balance, but no endpoint lists it."""
        self._added += 1
        return self.put(
            transfer(kind, asset, Decimal(amount), id=id or f"transfer-{self._added}", at=at or self.now())
        )

    def add_trade(
        self,
        pair: str,
        side: str,
        amount: str,
        price: str,
        *,
        fee: str = "0",
        at: datetime | None = None,
        id: str = "",
    ) -> Row:
        """A trade without an order that could be asked for."""
        self._added += 1
        return self.put(
            trade_row(
                pair, side, Decimal(amount), Decimal(price), id=id or str(9_000_000 + self._added),
                at=at or self.now(), fee=Decimal(fee),
            )
        )  # fmt: skip

    def add_order(
        self, pair: str, side: str, amount: str, price: str, *, fills: tuple[Row, ...] = (), at: datetime | None = None,
        ends: datetime, outcome: str = "Filled", id: str = "",
    ) -> Order:  # fmt: skip
        """An order with its fills (rows made with `trade_row`), open until `ends`."""
        self._added += 1
        base, counter, _ = PAIRS[pair]
        return self.place(
            Order(
                id=id or f"00000000-0000-4000-8000-{self._added:012}", created=at or self.now(), base=base,
                counter=counter, side=side, price=Decimal(price), amount=Decimal(amount), fills=fills, ends=ends,
                outcome=outcome,
            )
        )  # fmt: skip


class TokensNetLife:
    """Tells the life moment by moment."""

    def __init__(self, course: Course, prices: Prices) -> None:
        self._course, self._prices, self._purse = course, prices, Purse()

    def __iter__(self) -> Iterator[Step]:
        for number, moment, room in self._course.times():
            at = moment.replace(microsecond=0)
            dice = Dice(self._course.seed, "tokens_net", number)
            self._purse.reach(at)
            yield self._happen(dice, number, at, room)

    def _happen(self, dice: Dice, number: int, at: datetime, room: timedelta) -> Step:
        live = self._course.is_live(at)
        share = Decimal("0.05") if live else Decimal(1)
        if number < 4 or (not live and dice.chance(16)):
            kind = "withdrawal" if number > 9 and dice.chance(30) else "deposit"
            row = self._transfer(dice, kind, f"transfer-{number}", at, first=number)
            self._purse.take(row)
            return Step(at=at, rows=(row,))
        order = self._order(dice, number, at, room * (3 if live else 1), share)
        return Step(at=at, orders=(order,) if order else ())

    def _transfer(self, dice: Dice, kind: str, id: str, at: datetime, *, first: int) -> Row:
        start = ("USDT", "BTC", "ETH", "DTR")
        asset = start[first] if first < len(start) else dice.one_of(tuple(DEPOSITS))
        low, high, digits = DEPOSITS[asset]
        amount = dice.between(low, high, digits)
        if kind == "withdrawal":
            amount = places(self._purse.free(asset) * dice.between("0.05", "0.25", 3), digits)
        return transfer("deposit" if amount <= 0 else kind, asset, amount or Decimal(1), id=id, at=at)

    def _order(self, dice: Dice, number: int, at: datetime, room: timedelta, share: Decimal) -> Order | None:
        pair = dice.one_of([name for name in PAIRS if name not in QUIET])
        base, counter, digits = PAIRS[pair]
        market = self._prices.pair(base, counter, at)
        side = "buy" if dice.chance(52) else "sell"
        if market is None or not (price := places(market * dice.between("0.995", "1.005", 4), digits)):
            return None
        funds = self._purse.free(counter) / price if side == "buy" else self._purse.free(base)
        amount = places(funds * dice.between("0.06", "0.3", 3) * share, 8 - digits)
        if amount <= 0 or amount * price * (self._prices.usd(counter, at) or 0) < 2:
            return None
        ends = (at + room * dice.whole(300, 950) / 1000).replace(microsecond=0)
        outcome = dice.weighted({"Filled": 76, "Canceled": 17, "Expired": 7})
        fills = self._fills(dice, number, at, ends, pair, side, amount, price, whole=outcome == "Filled")
        rest = amount - sum((fill.amount for fill in fills), Decimal(0))
        for fill in fills:
            self._purse.take(fill)
        self._purse.bind(
            ends, ((counter, -rest * price) if side == "buy" else (base, -rest),), completed=False
        )
        return Order(
            id=dice.uuid(), created=at, base=base, counter=counter, side=side, price=price, amount=amount, fills=fills,
            ends=ends, outcome=outcome, take_profit=places(price * 2, digits) if dice.chance(5) else None,
        )  # fmt: skip

    def _fills(
        self, dice: Dice, number: int, at: datetime, ends: datetime, pair: str, side: str, amount: Decimal,
        price: Decimal, *, whole: bool,
    ) -> tuple[Row, ...]:  # fmt: skip
        parts = dice.weighted({1: 50, 2: 32, 3: 18}) if whole else dice.weighted({0: 60, 1: 40})
        digits = 8 - PAIRS[pair][2]
        left, rows = amount, []
        for part in range(parts):
            last = whole and part == parts - 1
            piece = left if last else places(left * dice.between("0.3", "0.6", 2), digits)
            if piece <= 0:
                continue
            left -= piece
            moment = ends if last else (at + (ends - at) * (part + 1) / (parts + 1)).replace(microsecond=0)
            free = self._purse.free("DTR") > 400 and "dtr" not in pair and dice.chance(4)
            fee = dice.between("0.5", 6, 8) if free else Decimal(0)
            rows.append(
                trade_row(
                    pair, side, piece, price, id=str(3_600_000 + number * 10 + part), at=moment, fee=fee
                )
            )
        return tuple(rows)
