"""What a year brought, asset by asset; the parts of a year sum to it exactly."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from portfolio.lots.exact import ZERO, add
from portfolio.lots.records import Disposal


@dataclass(frozen=True, slots=True, kw_only=True)
class YearTotal:
    """All disposals of one asset in one calendar year (UTC)."""

    asset: str
    year: int
    quantity: Decimal
    proceeds: Decimal
    cost: Decimal
    gain: Decimal


class _Sum:
    __slots__ = ("cost", "gain", "proceeds", "quantity")

    def __init__(self) -> None:
        self.quantity = self.proceeds = self.cost = self.gain = ZERO


def summarise(disposals: Iterable[Disposal]) -> list[YearTotal]:
    """Totals sorted by asset and year."""
    sums: dict[tuple[str, int], _Sum] = {}
    for part in disposals:
        total = sums.setdefault((part.asset, part.disposed.year), _Sum())
        total.quantity = add(total.quantity, part.quantity)
        total.proceeds = add(total.proceeds, part.proceeds)
        total.cost = add(total.cost, part.cost)
        total.gain = add(total.gain, part.gain)
    return [
        YearTotal(
            asset=asset,
            year=year,
            quantity=total.quantity,
            proceeds=total.proceeds,
            cost=total.cost,
            gain=total.gain,
        )
        for (asset, year), total in sorted(sums.items(), key=lambda item: item[0])
    ]
