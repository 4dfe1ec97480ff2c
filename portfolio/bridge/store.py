"""Reads the daily rows of a span and hands them to `core`: holdings, flows by kind, own transfers, what was told.

The cost grows with days and assets looked at, and with own transfers, not with the ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from exchanges.records import Role
from portfolio import valuation
from portfolio.bridge.core import ONE, ZERO, Bar, Cell, Statement, Total, bar_of
from portfolio.bridge.days import FLOW, HOLDING, Cells, Moved, Pair, cells_of, is_unpriced, moved_by, stretch
from portfolio.bridge.months import Months, between
from portfolio.looks import USDT, Look, Money
from portfolio.models import DailyFlow, ToldHolding, TransferMatch
from portfolio.valuation import Portfolio
from portfolio.valuation.history import midnight

DAY = timedelta(days=1)
Key = TypeVar("Key")
Row = tuple[int, str, datetime, str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The change over a span: all together, and each connection and asset, which sum to it bar by bar.

    `reason` says why there is none.
    """

    whole: Total
    statements: tuple[Statement, ...]
    unpriced: tuple[str, ...]
    reason: str = ""

    def by_connection(self) -> dict[int, Total]:
        """One total a connection."""
        return _grouped((one.connection, one) for one in self.statements)

    def by_asset(self) -> dict[str, Total]:
        """One total an asset."""
        return _grouped((one.asset, one) for one in self.statements)


def _grouped(keyed: Iterable[tuple[Key, Statement]]) -> dict[Key, Total]:
    groups: dict[Key, list[Statement]] = defaultdict(list)
    for key, one in keyed:
        groups[key].append(one)
    return {key: Total.of(ones) for key, ones in groups.items()}


def bridge(look: Look, money: Money, whole: Portfolio | None = None) -> Bridge:
    """The bridge of what is looked at; where it ends now, its end is the headline, which may be handed in."""
    first, last = money.rate(look.since), money.rate(look.until)
    if last is None or (first is None and not look.from_beginning):
        day = look.until if last is None else look.since
        reason = f"There is no rate of {money.currency} for {day}."
        return Bridge(whole=Total.of([]), statements=(), unpriced=(), reason=reason)
    whole_months = between(look) if money.is_plain else None
    moved = _moved(look, whole_months)
    cells = _cells(look, money, moved, whole_months)
    if look.today:
        portfolio = whole or valuation.portfolio_of(look.user, look.now)
        _end_now(cells, look, money, portfolio, last)
    _own_transfers(look, moved, whole_months)
    told = _told(look, money, cells)
    pairs = cells.keys() | told.keys() | (whole_months.bars.keys() if whole_months else set())
    statements = tuple(
        _statement(
            pair, cells.get(pair, []), moved.get(pair, {}), told.get(pair), look, first or ONE, whole_months
        )
        for pair in sorted(pairs)
    )
    unpriced = {asset for (_, asset), days in cells.items() if any(map(is_unpriced, days))}
    if whole_months:
        unpriced |= whole_months.unpriced
    return Bridge(whole=Total.of(statements), statements=statements, unpriced=tuple(sorted(unpriced)))


def _moved(look: Look, months: Months | None) -> Moved:
    """What the ledger moved on the days after the opening that are read one by one."""
    flows = look.narrowed(DailyFlow.objects.for_user(look.user))
    read = (flows.filter(day__gt=since, day__lte=until) for since, until in _stretches(look, months))
    return moved_by(row for rows in read for row in rows.values_list(*FLOW).iterator())


def _cells(look: Look, money: Money, moved: Moved, months: Months | None) -> Cells:
    """The kept days that are read one by one."""
    held = look.holdings().order_by("day")
    read = (held.filter(day__range=stretch) for stretch in _stretches(look, months))
    rows = (row for rows in read for row in rows.values_list(*HOLDING).iterator())
    added_on = {connection.pk: connection.created_at.date() for connection in look.connections}
    return cells_of(rows, moved, added_on, _rates(look, money), USDT if money.at_par else "")


def _stretches(look: Look, months: Months | None) -> list[tuple[date, date]]:
    """From which close to which days are read one by one."""
    if months is None:
        return [(look.since, look.until)]
    return [(look.since, months.after), (months.until, look.until)]


def _rates(look: Look, money: Money) -> dict[date, Decimal]:
    """The rate of each day, the last known one where a day has none; before the first, the first."""
    span = [look.since + timedelta(days=n) for n in range((look.until - look.since).days + 1)]
    last = next((rate for day in span if (rate := money.rate(day)) is not None), ONE)
    by_day = {}
    for day in span:
        last = money.rate(day) or last
        by_day[day] = last
    return by_day


def _end_now(cells: Cells, look: Look, money: Money, whole: Portfolio, rate: Decimal) -> None:
    """Let the last day of each holding be what it is now: the same figures as the headline's."""
    for days in cells.values():
        if days[-1].day == look.until:
            days[-1] = replace(days[-1], quantity=ZERO, value=ZERO)
    for holding in whole.holdings:
        pair = (holding.connection.pk, holding.asset)
        if pair[0] not in look.keys or look.asset not in ("", holding.asset):
            continue
        price = money.price(holding.asset, holding.price.usd if holding.price else None)
        value = (
            holding.quantity
            if price is not None and money.at_par and holding.asset == USDT
            else holding.value_usd
        )
        days = cells[pair]
        told = days.pop() if days and days[-1].day == look.until else Cell(day=look.until)
        now = replace(told, quantity=holding.quantity, price=price, value=value, rate=rate)
        days.append(now)


def _own_transfers(look: Look, moved: Moved, months: Months | None) -> None:
    """Move what is confirmed as the user's own transfer from its bar to that of own transfers."""
    rows = [*{row[0]: row[1:] for side in ("outgoing", "incoming") for row in _matched(look, side)}.values()]
    prices = _prices_of(look, rows) if months else {}
    for pk, asset, at, kind, amount in rows:
        day = at.date()
        bars = moved[pk, asset][day]
        if months and months.after < day <= months.until:
            bars, amount = months.bars[pk, asset], amount * (prices.get((pk, asset, day)) or ZERO)
        bars[bar_of(kind, Role.PRINCIPAL)] -= amount
        bars[Bar.OWN] += amount


def _prices_of(look: Look, rows: list[Row]) -> dict[tuple[int, str, date], Decimal | None]:
    """What the moved assets cost at the close of their days, where they had a value."""
    held = look.holdings().filter(asset__in={row[1] for row in rows}, day__in={row[2].date() for row in rows})
    known = held.filter(value_usd__isnull=False).values_list("connection", "asset", "day", "price_usd")
    return {(pk, asset, day): price for pk, asset, day, price in known}


def _matched(look: Look, side: str) -> Iterator[tuple[Any, ...]]:
    """One side of the confirmed transfers: found from the pairs, of which there are few, not from the ledger."""
    of = f"{side}__postings__"
    wanted: dict[str, Any] = {
        f"{of}role": Role.PRINCIPAL,
        f"{of}counts": True,
        f"{of}occurred_at__gte": midnight(look.since + DAY),
        f"{of}occurred_at__lt": midnight(look.until + DAY),
        f"{of}connection__in": look.keys,
    }
    if look.asset:
        wanted[f"{of}asset"] = look.asset
    pairs = TransferMatch.objects.for_user(look.user).confirmed().filter(**wanted).order_by()
    fields = ("pk", "connection", "asset", "occurred_at", "kind", "amount")
    yield from pairs.values_list(*(of + name for name in fields))


def _told(look: Look, money: Money, cells: Iterable[Pair]) -> dict[Pair, Decimal]:
    """What each holding was said to be worth when the opening day closed; nothing of a connection not told then.

    USDT at par is no restatement, so it is left out.
    """
    rows = ToldHolding.objects.for_user(look.user).filter(day=look.since, connection__in=look.keys)
    said = {(pk, a): value or ZERO for pk, a, value in rows.values_list("connection", "asset", "value_usd")}
    told = {pk for pk, _ in said}
    found_later = {pair: ZERO for pair in cells if pair[0] in told}
    return {
        pair: value
        for pair, value in (found_later | said).items()
        if look.asset in ("", pair[1]) and not (money.at_par and pair[1] == USDT)
    }


def _statement(
    pair: Pair,
    days: list[Cell],
    moved: Mapping[date, Mapping[Bar, Decimal]],
    told: Decimal | None,
    look: Look,
    rate: Decimal,
    months: Months | None,
) -> Statement:
    if months is None:
        return stretch(pair, days, moved, look.since, look.until, rate=rate, told=told)
    begin = [day for day in days if day.day <= months.after]
    end = [day for day in days if day.day >= months.until]
    first = stretch(pair, begin, moved, look.since, months.after, told=told)
    last = stretch(pair, end, moved, months.until, look.until)
    bars = _summed(first.bars, months.bars.get(pair, {}), last.bars)
    return replace(first, closing=last.closing, bars=bars)


def _summed(*parts: Mapping[Bar, Decimal]) -> dict[Bar, Decimal]:
    sums: dict[Bar, Decimal] = defaultdict(Decimal)
    for part in parts:
        for bar, amount in part.items():
            sums[bar] += amount
    return {bar: amount for bar, amount in sums.items() if amount}
