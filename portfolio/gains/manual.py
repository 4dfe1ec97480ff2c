"""Rows of the user's own among those of the exchanges: the kind is the user's word, the value too where it is given."""

from __future__ import annotations

from decimal import Decimal

from portfolio.gains.meaning import Reading
from portfolio.gains.prices import is_money
from portfolio.gains.records import Basis, Code, Income, Reason, Row
from portfolio.lots import Kind
from portfolio.models import ManualEntry, ManualKind

REASONS = {
    ManualKind.BUY: Reason.BOUGHT,
    ManualKind.SELL: Reason.SALE,
    ManualKind.INCOME: Reason.INCOME,
    ManualKind.SPEND: Reason.SPENT,
    ManualKind.TRANSFER: Reason.MOVED,
}


def read_manual(reading: Reading, entry: ManualEntry) -> None:
    """Add the line of an own row; money has no lots."""
    if is_money(entry.asset):
        return
    row = Row(
        pk=-entry.pk,
        source=f"m{entry.pk}",
        account=entry.account,
        external_id=entry.identity,
        kind=entry.kind,
        at=entry.occurred_at,
        legs=(),
    )
    kind = ManualKind(entry.kind)
    value, basis, is_assumed = _value(reading, row, entry, kind)
    reading.line(
        row,
        Kind(entry.kind),
        entry.asset,
        entry.quantity,
        value,
        REASONS[kind],
        basis,
        fee=entry.fee_usd,
        is_assumed=is_assumed,
        to_account=entry.to_account,
    )
    if kind is ManualKind.INCOME:
        reading.incomes.append(
            Income(at=row.at, asset=entry.asset, quantity=entry.quantity, value=value, source=row.source)
        )


def _value(reading: Reading, row: Row, entry: ManualEntry, kind: ManualKind) -> tuple[Decimal, Basis, bool]:
    if kind is ManualKind.TRANSFER:
        return Decimal(0), Basis.NONE, False
    if entry.value_usd is not None:
        return entry.value_usd, Basis.OWN, False
    value, basis = reading.market(row, entry.asset, entry.quantity)
    if kind is ManualKind.BUY and basis is Basis.MARKET:
        reading.problem(Code.COST_UNKNOWN, row, entry.asset, entry.quantity, value)
    return value, basis, kind is ManualKind.BUY
