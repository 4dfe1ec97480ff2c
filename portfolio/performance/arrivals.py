"""By how much what came from outside was worth more at the start of its day than at its close.

The sums of each connection are kept by day. Read anew is only what they cannot tell: assets of several connections
(what moves between two of one's own has not come from outside), USDT at par, one asset with what was exchanged for it,
and days whose sums are not kept yet.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from portfolio.looks import USDT, Look, Money
from portfolio.valuation.amounts import ZERO
from portfolio.valuation.rollup import arrived

DAY = timedelta(days=1)
Pair = tuple[str, date]


@dataclass(slots=True)
class Kept:
    """The sums that are kept of what came, at the closes before and at those of its days."""

    before: dict[date, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    after: dict[date, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    assets: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    is_whole: bool = True

    def note(self, pk: int, day: date, before: Decimal | None, after: Decimal | None, assets: str) -> None:
        """One day of one connection."""
        self.assets[pk].update(assets.split())
        self.is_whole &= before is not None
        self.add(day, (before or ZERO, after or ZERO))

    def add(self, day: date, found: tuple[Decimal, Decimal] | None, sign: int = 1) -> None:
        """Count something that came, or with -1 take it out again."""
        if found:
            self.before[day] += sign * found[0]
            self.after[day] += sign * found[1]

    @property
    def shared(self) -> set[str]:
        """Assets of several connections."""
        several = Counter(name for names in self.assets.values() for name in names)
        return {name for name, count in several.items() if count > 1}


def early(
    look: Look, money: Money, kept: Kept, traded: Mapping[tuple[int, date], Decimal]
) -> dict[date, Decimal]:
    """In the currency of the look, by day; `traded` is what was exchanged of the one asset that is looked at."""
    if look.asset or not kept.is_whole:
        found = Kept()
        _count(look, money, found, None, traded, counted=False)
    else:
        found = kept
        names = kept.shared | ({USDT} if money.at_par else set())
        if names:
            _count(look, money, found, names, {}, counted=True)
    return {day: _difference(money, day, before, found.after[day]) for day, before in found.before.items()}


def _difference(money: Money, day: date, before: Decimal, after: Decimal) -> Decimal:
    rate = money.rate(day)
    return before * (money.rate(day - DAY) or rate or ZERO) - after * (rate or ZERO)


@dataclass(slots=True)
class _AssetDay:
    """One asset on a day: its price, what flowed at each connection, and where any of it is held at the end."""

    price: Decimal | None
    flows: dict[int, Decimal] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)

    def price_where_held(self, pk: int | None = None) -> Decimal | None:
        """The price, if any of it is held (at a connection)."""
        return self.price if (self.held if pk is None else pk in self.held) else None


def _count(
    look: Look,
    money: Money,
    into: Kept,
    names: set[str] | None,
    traded: Mapping[tuple[int, date], Decimal],
    *,
    counted: bool,
) -> None:
    """Count these assets (None: all) over all connections together; `counted`: each alone is in the sums already."""
    days = _read(look, names)
    for (pk, day), amount in traded.items():
        if (look.asset, day) in days:
            flows = days[look.asset, day].flows
            flows[pk] = flows.get(pk, ZERO) + amount
    nothing = _AssetDay(price=None)
    for (asset, day), found in days.items():
        before = days.get((asset, day - DAY), nothing)
        start, close = before.price_where_held(), found.price
        if start is not None and close is not None:
            whole = sum(found.flows.values(), ZERO)
            into.add(day, arrived(whole, money.price(asset, start), money.price(asset, close)))
        for pk, flow in found.flows.items() if counted else ():
            into.add(day, arrived(flow, before.price_where_held(pk), close), -1)


def _read(look: Look, names: set[str] | None) -> dict[Pair, _AssetDay]:
    rows = look.holdings() if names is None else look.holdings().filter(asset__in=names)
    days: dict[Pair, _AssetDay] = {}
    fields = ("asset", "day", "connection", "quantity", "price_usd", "flow")
    for asset, day, pk, quantity, price, flow in rows.values_list(*fields).iterator():
        of_day = days.setdefault((asset, day), _AssetDay(price=price))
        if flow:
            of_day.flows[pk] = flow
        if quantity:
            of_day.held.add(pk)
    return days
