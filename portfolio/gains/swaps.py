"""One asset given for another: what the exchange was worth, and what its fees do.

The value is that of the leg whose worth is surest: USD, other money, a token that promises money, Bitcoin, Ether,
what was given, what was got; the first of these that has a price on the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from exchanges.records import Kind as LedgerKind
from portfolio.gains.prices import PAR, is_money
from portfolio.gains.records import Basis, Code, Reason, Row
from portfolio.lots import Kind
from portfolio.rates import USD
from portfolio.valuation import usd

if TYPE_CHECKING:
    from portfolio.gains.meaning import Reading

ZERO = Decimal(0)


def sides(row: Row) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """The sums of principal and of fees, by asset."""
    principal: dict[str, Decimal] = {}
    fees: dict[str, Decimal] = {}
    for leg in row.legs:
        side = fees if leg.is_fee else principal
        side[leg.asset] = side.get(leg.asset, ZERO) + leg.amount
    return principal, fees


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worth:
    """What one side's quantity is worth, and how that was found."""

    value: Decimal
    basis: Basis
    is_assumed: bool = False


class Swap:
    """One exchange on its way into lines of `reading`."""

    def __init__(self, reading: Reading, row: Row) -> None:
        self._reading = reading
        self._row = row
        principal, self._fees = sides(row)
        self._given = {asset: -amount for asset, amount in principal.items() if amount < 0}
        self._got = {asset: amount for asset, amount in principal.items() if amount > 0}

    def read(self) -> None:
        """Its lines: what was given is disposed of, what was got is acquired, both at one value."""
        worth = self._worths()
        fee = self._charge(worth)
        buys = [asset for asset in self._got if not is_money(asset)]
        sells = [asset for asset in self._given if not is_money(asset)]
        for asset in sells:
            self._line(Kind.SELL, asset, self._given[asset], worth[asset], ZERO if buys else fee)
            fee = fee if buys else ZERO
        for asset in buys:
            self._line(Kind.BUY, asset, self._got[asset], worth[asset], fee)
            fee = ZERO

    def _line(self, kind: Kind, asset: str, quantity: Decimal, worth: _Worth, fee: Decimal) -> None:
        self._reading.line(
            self._row,
            kind,
            asset,
            quantity,
            worth.value,
            Reason.BOUGHT if kind is Kind.BUY else self._reason(),
            worth.basis,
            fee=fee,
            is_assumed=worth.is_assumed,
        )

    def _reason(self) -> Reason:
        if self._row.kind == LedgerKind.REDEEM:
            return Reason.REDEEMED
        return Reason.SALE if self._got and all(is_money(asset) for asset in self._got) else Reason.TRADE

    def _worths(self) -> dict[str, _Worth]:
        """The worth of each leg: one value for both sides where each has one asset."""
        if len(self._given) != 1 or len(self._got) != 1:
            return {asset: self._alone(asset, amount) for asset, amount in (self._given | self._got).items()}
        ((gave, given),) = self._given.items()
        ((gets, got),) = self._got.items()
        for asset, quantity in sorted([(gave, given), (gets, got)], key=lambda leg: self._sureness(leg[0])):
            value = usd(quantity, self._reading.prices.usd(asset, self._row.at))
            if value is not None:
                return dict.fromkeys((gave, gets), _Worth(value=value, basis=Basis.COUNTER))
        return dict.fromkeys((gave, gets), self._unpriced(gave, given, gets, got))

    def _unpriced(self, gave: str, given: Decimal, gets: str, got: Decimal) -> _Worth:
        """No leg has a price: a token's promise, or nothing at all; both are said."""
        for asset, quantity in ((gave, given), (gets, got)):
            value = usd(quantity, self._reading.prices.par(asset, self._row.at))
            if value is not None:
                self._reading.problem(Code.PAR_ASSUMED, self._row, asset, quantity, value)
                return _Worth(value=value, basis=Basis.PAR, is_assumed=True)
        asset, quantity = (gets, got) if is_money(gave) else (gave, given)
        self._reading.problem(Code.UNPRICED, self._row, asset, quantity, None)
        return _Worth(value=ZERO, basis=Basis.NONE, is_assumed=True)

    def _alone(self, asset: str, quantity: Decimal) -> _Worth:
        """The worth of a side whose other side is not told; what Tether issues and redeems, it does at par."""
        if self._row.kind in (LedgerKind.ISSUE, LedgerKind.REDEEM):
            par = usd(quantity, self._reading.prices.par(asset, self._row.at))
            if par is not None:
                return _Worth(value=par, basis=Basis.PAR)
        if is_money(asset):
            return _Worth(value=ZERO, basis=Basis.NONE)
        value, basis = self._reading.market(self._row, asset, quantity)
        if basis is Basis.MARKET and not (self._given and self._got):
            self._reading.problem(Code.ONE_SIDED, self._row, asset, quantity, value)
        return _Worth(value=value, basis=basis, is_assumed=True)

    def _sureness(self, asset: str) -> int:
        if asset == USD:
            return 0
        if is_money(asset):
            return 1
        if asset in PAR:
            return 2
        known = {"BTC": 3, "ETH": 4}
        return known.get(asset, 5 if asset in self._given else 6)

    def _charge(self, worth: Mapping[str, _Worth]) -> Decimal:
        """What the fees come to in USD. One in an asset is a disposal of it as well; one given back, a purchase."""
        row, total = self._row, ZERO
        for asset, amount in self._fees.items():
            fee = -amount
            side = self._given.get(asset) or self._got.get(asset)
            if side and not is_money(asset):
                unit = worth[asset].value / side
                value, basis = usd(fee, unit) or ZERO, Basis.COUNTER
            else:
                value, basis = self._reading.market(row, asset, fee)
            total += value
            if not is_money(asset) and fee > 0:
                self._reading.line(row, Kind.SPEND, asset, fee, value, Reason.FEE, basis)
            elif not is_money(asset) and fee < 0:
                self._reading.line(row, Kind.BUY, asset, -fee, -value, Reason.BOUGHT, basis)
        return total
