"""The kept days of holdings with what moved on each, by bar: what `core` adds up, whoever asks for which days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from portfolio.bridge.core import ONE, ZERO, Bar, Cell, Statement, Step, bar_of, statement

Pair = tuple[int, str]
Moved = dict[Pair, dict[date, dict[Bar, Decimal]]]
Cells = dict[Pair, list[Cell]]
HOLDING = (
    *("connection", "asset", "day", "quantity", "price_usd", "value_usd", "unexplained"),
    *("flow", "flow_usd"),
)
DAY = timedelta(days=1)
PLACES = Decimal("1e-18")
FLOW = ("connection", "asset", "day", "kind", "role", "amount")


def moved_by(rows: Iterable[tuple[Any, ...]]) -> Moved:
    """What the ledger moved by day and bar; `rows` have the fields of `FLOW`."""
    moved: Moved = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    for pk, asset, day, kind, role, amount in rows:
        moved[pk, asset][day][bar_of(kind, role)] += amount
    return moved


def cells_of(
    rows: Iterable[tuple[Any, ...]],
    moved: Moved,
    added_on: Mapping[int, date],
    rates: Mapping[date, Decimal] | None = None,
    par: str = "",
) -> Cells:
    """Every kept day of each holding, ascending; what no row explains is put among what moved.

    `rows` have the fields of `HOLDING`, by day; `added_on` says when each connection came; `par` counts as a dollar.
    """
    cells: Cells = defaultdict(list)
    for pk, asset, day, quantity, price, value, odd, flow, flow_usd in rows:
        bartered = _bartered(cells[pk, asset], day, price, flow, flow_usd)
        if asset == par:
            bartered = (bartered / price).quantize(PLACES) if price else ZERO
            price, value = ONE, quantity
        rate = rates[day] if rates else ONE
        cell = Cell(day=day, quantity=quantity, price=price, value=value, rate=rate, bartered=bartered)
        cells[pk, asset].append(cell)
        if odd:
            bar = Bar.ADDED if day <= added_on.get(pk, date.min) else Bar.UNEXPLAINED
            moved[pk, asset][day][bar] += odd
    return cells


def _bartered(
    before: Sequence[Cell], day: date, price: Decimal | None, flow: Decimal, flow_usd: Decimal | None
) -> Decimal:
    """What a kept flow holds besides what came from outside, and besides a holding that just got a price."""
    if price is None or flow_usd is None:
        return ZERO
    last = before[-1] if before else None
    is_found = last is not None and last.value is None and last.day == day - DAY
    return flow_usd - flow * price - (last.quantity * price if last and is_found else ZERO)


def stretch(
    pair: Pair,
    days: Sequence[Cell],
    moved: Mapping[date, Mapping[Bar, Decimal]],
    since: date,
    until: date,
    *,
    rate: Decimal = ONE,
    told: Decimal | None = None,
) -> Statement:
    """The change of one holding from the close of `since` to that of `until`; `days` are those between, and both."""
    opening = days[0] if days and days[0].day == since else Cell(day=since, rate=rate)
    steps = [Step(after=day, moved=moved.get(day.day, {})) for day in days if day.day > since]
    last = steps[-1].after if steps else opening
    if last.day < until and last.quantity:
        # Nothing is known of it any more, so it is not worth anything at the end.
        steps.append(Step(after=replace(last, day=until, quantity=ZERO, value=ZERO)))
    return statement(pair[0], pair[1], opening, steps, told=told)


def is_unpriced(cell: Cell) -> bool:
    """Whether something was held without a price."""
    return bool(cell.quantity) and cell.value is None
