"""Whatever comes in whatever order, the rows of days that each sync brings up to date are those that telling all gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Connection
from exchanges.records import Kind, Status
from portfolio import bridge
from portfolio.models import (
    DailyFlow,
    DailyHolding,
    DailyPrice,
    DailyWorth,
    MonthlyChange,
    Posting,
    Transaction,
)
from portfolio.rates import Repriced
from portfolio.valuation import reprice, update
from tests.conftest import make_connection, make_user
from tests.portfolio.rates_rows import make_day
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

QUICKLY = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
BEGIN = at("2026-03-28", 0)
KEPT: dict[Any, tuple[str, ...]] = {
    DailyHolding: (
        *("asset", "day", "quantity", "certainty", "price_usd", "value_usd"),
        *("flow", "flow_usd", "unexplained"),
    ),
    DailyFlow: ("asset", "day", "kind", "role", "amount", "count"),
    DailyWorth: (
        *("day", "value_usd", "flow_usd", "held", "priced", "uncertain"),
        *("came_before", "came_after", "assets"),
    ),
    MonthlyChange: ("month", "bars", "unpriced"),
}
ASSETS = st.sampled_from(["TOK", "ETH", "USD"])
AMOUNTS = st.integers(-4, 4).filter(bool)
BACK = st.integers(0, 240)
"""Hours before its arrival at which a row is dated, or a price counts."""


@dataclass(frozen=True, slots=True)
class Row:
    """Something moves, alone or against another asset, in one row or told as two; `fee` is paid in a third."""

    kind: Kind
    back: int
    asset: str
    amount: int
    against: str = ""
    fee: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What is new at one sync, some hours after the one before: rows, a row that was undone, balances; then prices."""

    hours: int
    rows: list[Row]
    undone: int | None
    looks: bool
    off: int
    prices: list[tuple[str, int, int]]


ALONE = st.sampled_from([Kind.DEPOSIT, Kind.WITHDRAWAL, Kind.INCOME, Kind.FEE])
BOTH = st.sampled_from([Kind.TRADE, Kind.CONVERSION])
ROWS = st.one_of(
    st.builds(Row, ALONE, BACK, ASSETS, AMOUNTS),
    st.builds(Row, BOTH, BACK, ASSETS, AMOUNTS, ASSETS, st.sampled_from(["", "GIFT"])),
)
STEPS = st.builds(
    Step,
    hours=st.integers(1, 40),
    rows=st.lists(ROWS, max_size=3),
    undone=st.none() | st.integers(0, 9),
    looks=st.booleans(),
    off=st.sampled_from([0, 0, 0, 3]),
    prices=st.lists(st.tuples(ASSETS, BACK, st.integers(0, 9)), max_size=2),
)


NOTHING = Step(30, [], None, looks=False, off=0, prices=[])
NEVER_SEEN = [Step(1, [Row(Kind.DEPOSIT, 24, "TOK", 1)], None, looks=False, off=0, prices=[]), NOTHING]
UNDONE_ON_THE_FIRST_DAY = [
    Step(6, [Row(Kind.TRADE, 0, "ETH", -4, "TOK"), Row(Kind.DEPOSIT, 150, "ETH", 3)], None, True, 0, []),
    Step(8, [], 0, looks=True, off=0, prices=[]),
]
PRICED_LATER = [
    Step(30, [Row(Kind.TRADE, 26, "TOK", 4, "ETH", "GIFT")], None, True, 0, [("TOK", 50, 3)]),
    Step(9, [], None, looks=True, off=3, prices=[("ETH", 36, 2), ("TOK", 36, 5)]),
]


class Told(TestCase):
    """hypothesis gives each example a database of its own."""

    @example(NEVER_SEEN)
    @example(UNDONE_ON_THE_FIRST_DAY)
    @example(PRICED_LATER)
    @settings(deadline=None, max_examples=16, phases=QUICKLY)
    @given(st.lists(STEPS, min_size=2, max_size=6))
    def test_what_each_sync_keeps_is_what_telling_all_says(self, steps: list[Step]) -> None:
        connection, now = make_connection(make_user("alice@example.org")), BEGIN
        make_complete(connection, now)
        for step in steps:
            now += timedelta(hours=step.hours)
            days = [_enter(connection, row, now) for row in step.rows] + _undo(step.undone)
            if step.looks:
                _look(connection, now, step.off)
            _tell(connection, min([now.date(), *days]), now)
            reprice([_price(asset, now - timedelta(hours=back), n) for asset, back, n in step.prices], now)
        now += timedelta(hours=1)
        _tell(connection, now.date(), now)
        in_steps = _rows(connection)

        for model in KEPT:
            model.objects.all().delete()
        _tell(connection, None, now)

        assert in_steps == _rows(connection)


def _tell(connection: Connection, since: date | None, now: datetime) -> None:
    update(connection, since=since, now=now)
    bridge.keep(connection, now)


def _rows(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All that is kept of a connection, by table."""
    return {
        model.__name__: list(model.objects.of(connection).order_by(*fields[:4]).values_list(*fields))
        for model, fields in KEPT.items()
    }


def _enter(connection: Connection, row: Row, now: datetime) -> date:
    """Enter it into the ledger; its day."""
    when = now - timedelta(hours=row.back)
    one, other = f"{row.amount} {row.asset}", f"{-2 * row.amount} {row.against}"
    fee = [f"-1 {row.fee} fee"] if row.fee else []
    if row.against and row.kind is Kind.CONVERSION:
        make_entry(connection, row.kind, when, one)
        make_entry(connection, row.kind, when + timedelta(seconds=90), other)
    else:
        make_entry(connection, row.kind, when, one, *([other] if row.against else []), *fee)
    return when.date()


def _undo(number: int | None) -> list[date]:
    """The exchange takes a row back; its day."""
    if number is None or (row := Transaction.objects.order_by("pk")[number : number + 1].first()) is None:
        return []
    Transaction.objects.filter(pk=row.pk).update(status=Status.CANCELLED)
    Posting.objects.filter(transaction=row).update(counts=False)
    return [row.occurred_at.date()]


def _look(connection: Connection, now: datetime, off: int) -> None:
    """The exchange says what is held: what the ledger says, or something else."""
    totals: dict[str, Decimal] = dict.fromkeys(
        connection.balances.values_list("asset", flat=True), Decimal(0)
    )
    for asset, amount in Posting.objects.filter(counts=True, occurred_at__lte=now).values_list(
        "asset", "amount"
    ):
        totals[asset] = totals.get(asset, Decimal(0)) + amount
    for asset, total in totals.items():
        last = connection.balances.filter(asset=asset, newest=True).first()
        if last is None or last.total != total + off:
            make_balance(connection, asset, str(total + off), seen=now)
        else:
            connection.balances.filter(pk=last.pk).update(last_seen=now)


def _price(asset: str, when: datetime, price: int) -> Repriced:
    """A price of a day is found, or another one, or is no longer there."""
    DailyPrice.objects.filter(asset=asset, day=when.date()).delete()
    if price and asset != "USD":
        make_day(asset, when.date(), str(price))
    return Repriced(asset=asset, first=when.date(), last=when.date())
