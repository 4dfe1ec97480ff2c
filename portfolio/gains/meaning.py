"""What ledger rows are to the gains: purchases, sales, income, fees, transfers, each with a value. Pure but for prices.

The rules are told in docs/gains.md. Whatever has to be assumed becomes a `Problem` beside the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from exchanges.records import Kind as LedgerKind
from portfolio.corrections import Corrections
from portfolio.gains.halves import Halves
from portfolio.gains.ledger import Transfers
from portfolio.gains.prices import Prices, is_money
from portfolio.gains.records import AWAY, Arrival, Basis, Choice, Code, Income, Line, Problem, Reason, Row
from portfolio.gains.swaps import Swap, sides
from portfolio.gains.years import choice_at
from portfolio.lots import Kind, Movement
from portfolio.models import Treatment
from portfolio.transfers.match import CLOCK, MOST_FEE
from portfolio.valuation import usd

SWAPS = frozenset({LedgerKind.TRADE, LedgerKind.CONVERSION, LedgerKind.ISSUE, LedgerKind.REDEEM})
ZERO = Decimal(0)


class Reading:
    """Takes rows in the order of time and keeps the lines, incomes and problems that they come to."""

    def __init__(
        self,
        prices: Prices,
        corrections: Corrections,
        transfers: Transfers,
        choices: Sequence[Choice] = (),
    ) -> None:
        self.lines: list[Line] = []
        self.incomes: list[Income] = []
        self.problems: list[Problem] = []
        self.prices = prices
        self._corrections = corrections
        self._transfers = transfers
        self._choices = choices
        self._halves = Halves()

    def read(self, row: Row) -> None:
        """The next row of a history."""
        if self._corrections.ignores(row.pk):
            return
        if row.kind in SWAPS:
            for whole in self._halves.add(row):
                self._swap(whole)
        else:
            self._single(row)

    @property
    def waiting_since(self) -> datetime | None:
        """From when the oldest row is whose other half may still come."""
        return self._halves.waiting_since

    def finish(self) -> None:
        """There are no more rows."""
        for left in self._halves.rest():
            self._swap(left)

    def drained(self) -> list[Line | Income | Problem]:
        """What has come up since the last time, in no order."""
        found: list[Line | Income | Problem] = [*self.lines, *self.incomes, *self.problems]
        self.lines, self.incomes, self.problems = [], [], []
        return found

    def line(
        self,
        row: Row,
        kind: Kind,
        asset: str,
        quantity: Decimal,
        value: Decimal,
        reason: Reason,
        basis: Basis,
        *,
        fee: Decimal = ZERO,
        is_assumed: bool = False,
        to_account: str = "",
        account: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """One movement; nothing for nothing."""
        if not quantity:
            return
        movement = Movement(
            time=at or row.at,
            kind=kind,
            asset=asset,
            quantity=quantity,
            value=value,
            fee=fee,
            account=row.account if account is None else account,
            to_account=to_account,
        )
        self.lines.append(
            Line(movement=movement, reason=reason, source=row.source, basis=basis, is_assumed=is_assumed)
        )

    def problem(self, code: Code, row: Row, asset: str, quantity: Decimal, value: Decimal | None) -> None:
        """Note something that has to be assumed."""
        self.problems.append(
            Problem(
                code=code,
                at=row.at,
                asset=asset,
                account=row.account,
                quantity=quantity,
                value=value,
                source=row.source,
            )
        )

    def market(self, row: Row, asset: str, quantity: Decimal) -> tuple[Decimal, Basis]:
        """The value on the day; where there is none, zero and a problem that says so."""
        value = usd(quantity, self.prices.usd(asset, row.at))
        if value is not None:
            return value, Basis.MARKET
        self.problem(Code.UNPRICED, row, asset, quantity, None)
        return ZERO, Basis.NONE

    def _swap(self, row: Row) -> None:
        Swap(self, row).read()

    def _single(self, row: Row) -> None:
        """A row that is no exchange of one asset for another."""
        principal, fees = sides(row)
        for asset, amount in principal.items():
            if is_money(asset):
                if row.kind == LedgerKind.INCOME and amount:
                    self._earned(row, asset, amount, self.market(row, asset, amount)[0])
            elif row.kind == LedgerKind.INCOME:
                self._income(row, asset, amount)
            elif row.kind == LedgerKind.FEE:
                self._fee(row, asset, amount)
            elif amount > 0:
                self._in(row, asset, amount)
            elif amount < 0:
                self._out(row, asset, -amount, -fees.get(asset, ZERO))
        for asset, amount in fees.items():
            if not is_money(asset):
                self._fee(row, asset, amount)

    def _income(self, row: Row, asset: str, amount: Decimal) -> None:
        own = self._corrections.cost(row.pk) if amount > 0 else None
        value, basis = (own, Basis.OWN) if own is not None else self.market(row, asset, abs(amount))
        kind = Kind.INCOME if amount > 0 else Kind.SPEND
        self.line(row, kind, asset, abs(amount), value, Reason.INCOME, basis)
        self._earned(row, asset, amount, value if amount > 0 else -value)

    def _earned(self, row: Row, asset: str, amount: Decimal, value: Decimal) -> None:
        self.incomes.append(Income(at=row.at, asset=asset, quantity=amount, value=value, source=row.source))

    def _fee(self, row: Row, asset: str, amount: Decimal) -> None:
        """A fee in the asset is a disposal at market value; one that is given back is income."""
        if amount > 0:
            self._income(row, asset, amount)
        elif amount:
            value, basis = self.market(row, asset, -amount)
            self.line(row, Kind.SPEND, asset, -amount, value, Reason.FEE, basis)

    def _in(self, row: Row, asset: str, quantity: Decimal) -> None:
        """What came from outside; an own transfer was told by its sending."""
        if row.pk in self._transfers.arrived:
            return
        said = self._corrections.treatment(row.pk, inward=True)
        if said == Treatment.INCOME:
            self._income(row, asset, quantity)
        elif said == Treatment.RETURNED:
            self.line(
                row, Kind.TRANSFER, asset, quantity, ZERO, Reason.MOVED, Basis.NONE,
                account=AWAY, to_account=row.account,
            )  # fmt: skip
        else:
            self.acquired(row, asset, quantity)

    def acquired(self, row: Row, asset: str, quantity: Decimal) -> None:
        """A lot at the user's cost, or at the market value of the day, which is an assumption."""
        own = self._corrections.cost(row.pk)
        if own is not None:
            self.line(row, Kind.BUY, asset, quantity, own, Reason.RECEIVED, Basis.OWN)
            return
        value, basis = self.market(row, asset, quantity)
        self.line(row, Kind.BUY, asset, quantity, value, Reason.RECEIVED, basis, is_assumed=True)
        if basis is Basis.MARKET:
            self.problem(Code.COST_UNKNOWN, row, asset, quantity, value)

    def _out(self, row: Row, asset: str, quantity: Decimal, stated_fee: Decimal) -> None:
        """What went out: to an own connection, away, or for good."""
        left = quantity
        arrivals = self._transfers.arrivals.get(row.pk, ())
        for arrival in arrivals:
            left -= self._transfer(row, asset, left, arrival)
        if arrivals and left <= max(quantity * MOST_FEE, stated_fee):
            self._fee(row, asset, -left)
        elif left:
            self._left(row, asset, left)

    def _transfer(self, row: Row, asset: str, left: Decimal, arrival: Arrival) -> Decimal:
        """The part of a sending that arrived; what arrived beyond what was sent came from outside."""
        moved = min(left, arrival.quantity)
        at = max(row.at - CLOCK, min(row.at, arrival.at))
        self.line(
            row, Kind.TRANSFER, asset, moved, ZERO, Reason.MOVED, Basis.NONE,
            to_account=arrival.account, at=at,
        )  # fmt: skip
        beyond = arrival.quantity - moved
        if beyond > 0:
            value, basis = self.market(row, asset, beyond)
            self.line(
                row, Kind.BUY, asset, beyond, value, Reason.RECEIVED, basis,
                is_assumed=True, account=arrival.account, at=at,
            )  # fmt: skip
            self.problem(Code.COST_UNKNOWN, row, asset, beyond, value)
        return moved

    def _left(self, row: Row, asset: str, quantity: Decimal) -> None:
        said = self._corrections.treatment(row.pk, inward=False)
        spends = choice_at(row.at, self._choices).spends_withdrawals
        if said == Treatment.SPENT or (said is None and spends):
            value, basis = self.market(row, asset, quantity)
            self.line(row, Kind.SPEND, asset, quantity, value, Reason.SPENT, basis)
            return
        self.line(
            row, Kind.TRANSFER, asset, quantity, ZERO, Reason.MOVED, Basis.NONE, to_account=AWAY
        )  # fmt: skip
        if said is None:
            self.problem(Code.MOVED_AWAY, row, asset, quantity, None)
