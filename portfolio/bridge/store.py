"""Reads the daily rows of a span and hands them to `core`: holdings, flows by kind, own transfers, what was told.

The cost grows with days and assets looked at, and with own transfers, not with the ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from exchanges.records import Role
from portfolio import valuation
from portfolio.bridge.core import ZERO, Bar, Cell, Statement, Step, Total, bar_of, statement
from portfolio.looks import USDT, Look, Money
from portfolio.models import DailyFlow, MatchState, Posting, ToldHolding
from portfolio.models.ledger import PostingQuerySet
from portfolio.valuation import Portfolio
from portfolio.valuation.history import midnight

Pair = tuple[int, str]
Key = TypeVar("Key")
Moved = dict[Pair, dict[date, dict[Bar, Decimal]]]
ONE = Decimal(1)


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
    moved = _moved(look)
    cells = _cells(look, money, moved)
    if look.today:
        portfolio = whole or valuation.portfolio_of(look.user, look.now)
        _end_now(cells, look, money, portfolio, last)
    _own_transfers(look, moved)
    told = _told(look, money, cells)
    statements = tuple(
        _statement(pair, cells.get(pair, []), moved.get(pair, {}), told.get(pair), look, first or ONE)
        for pair in sorted(cells.keys() | told.keys())
    )
    unpriced = {asset for (_, asset), days in cells.items() if any(_unpriced(day) for day in days)}
    return Bridge(whole=Total.of(statements), statements=statements, unpriced=tuple(sorted(unpriced)))


def _moved(look: Look) -> Moved:
    """What the ledger moved on the days after the opening, by bar."""
    moved: Moved = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    rows = look.narrowed(DailyFlow.objects.for_user(look.user))
    rows = rows.filter(day__gt=look.since, day__lte=look.until)
    for pk, asset, day, kind, role, amount in rows.values_list(
        "connection", "asset", "day", "kind", "role", "amount"
    ).iterator():
        moved[pk, asset][day][bar_of(kind, role)] += amount
    return moved


def _cells(look: Look, money: Money, moved: Moved) -> dict[Pair, list[Cell]]:
    """Every kept day of each holding; what no row explains is put among what moved."""
    added_on = {connection.pk: connection.created_at.date() for connection in look.connections}
    rates = _rates(look, money)
    cells: dict[Pair, list[Cell]] = defaultdict(list)
    fields = ("connection", "asset", "day", "quantity", "price_usd", "value_usd", "unexplained")
    for pk, asset, day, quantity, price, value, odd in (
        look.holdings().order_by("day").values_list(*fields).iterator()
    ):
        if money.at_par and asset == USDT:
            price, value = ONE, quantity
        cells[pk, asset].append(Cell(day=day, quantity=quantity, price=price, value=value, rate=rates[day]))
        if odd and day > look.since:
            bar = Bar.ADDED if day <= added_on.get(pk, date.min) else Bar.UNEXPLAINED
            moved[pk, asset][day][bar] += odd
    return cells


def _rates(look: Look, money: Money) -> dict[date, Decimal]:
    """The rate of each day, the last known one where a day has none; before the first, the first."""
    span = [look.since + timedelta(days=n) for n in range((look.until - look.since).days + 1)]
    last = next((rate for day in span if (rate := money.rate(day)) is not None), ONE)
    by_day = {}
    for day in span:
        last = money.rate(day) or last
        by_day[day] = last
    return by_day


def _end_now(
    cells: dict[Pair, list[Cell]], look: Look, money: Money, whole: Portfolio, rate: Decimal
) -> None:
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
        now = Cell(day=look.until, quantity=holding.quantity, price=price, value=value, rate=rate)
        days = cells[pair]
        if days and days[-1].day == look.until:
            days.pop()
        days.append(now)


def _own_transfers(look: Look, moved: Moved) -> None:
    """Move what is confirmed as the user's own transfer from its bar to that of own transfers."""
    mine = look.narrowed(Posting.objects.for_user(look.user)).counted()
    mine = mine.filter(
        role=Role.PRINCIPAL,
        occurred_at__gte=midnight(look.since + timedelta(days=1)),
        occurred_at__lt=midnight(look.until + timedelta(days=1)),
    )
    for pk, asset, at, kind, amount in _matched(mine):
        bars = moved[pk, asset][at.date()]
        bars[bar_of(kind, Role.PRINCIPAL)] -= amount
        bars[Bar.OWN] += amount


def _matched(mine: PostingQuerySet) -> Iterator[tuple[int, str, datetime, str, Decimal]]:
    fields = ("pk", "connection", "asset", "occurred_at", "kind", "amount")
    out = mine.filter(transaction__arrivals__state=MatchState.CONFIRMED).values_list(*fields)
    back = mine.filter(transaction__departures__state=MatchState.CONFIRMED).values_list(*fields)
    once = {row[0]: row[1:] for row in [*out, *back]}
    yield from once.values()


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
) -> Statement:
    opening = days[0] if days and days[0].day == look.since else Cell(day=look.since, rate=rate)
    steps = [Step(after=day, moved=moved.get(day.day, {})) for day in days if day.day > look.since]
    if steps and steps[-1].after.day < look.until:
        last = steps[-1].after
        if last.quantity:
            # Nothing is known of it any more, so it is not worth anything at the end.
            steps.append(Step(after=replace(last, day=look.until, quantity=ZERO, value=ZERO)))
    return statement(pair[0], pair[1], opening, steps, told=told)


def _unpriced(cell: Cell) -> bool:
    return bool(cell.quantity) and cell.value is None
