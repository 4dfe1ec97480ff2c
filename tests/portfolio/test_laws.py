"""Laws of all that is shown, from the ledger to the page: whatever happened, in whatever order it was written down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio import gains, performance
from portfolio.bridge import bridge
from portfolio.looks import Money, Period, look
from portfolio.models import (
    DailyFlow,
    DailyHolding,
    DailyPrice,
    DailyWorth,
    GainDisposal,
    GainHolding,
    GainLot,
    GainProblem,
    GainTotal,
    Rate,
    Transaction,
)
from portfolio.valuation import Span, change, networth, portfolio_of, update, worth
from tests.conftest import make_connection, make_user
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

QUICKLY = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
BEGIN = at("2026-03-01", 0)
NOW = at("2026-03-08", 15)
ZERO = Decimal(0)
LABELS = ("one", "two")


@dataclass(frozen=True, slots=True)
class Row:
    """Something moves at one of two connections, on one of a few moments; against another asset, or alone."""

    kind: Kind
    moment: int
    label: str
    asset: str
    amount: int
    against: str = ""

    @property
    def amounts(self) -> list[str]:
        """In the words of `make_entry`; a trade is told in one row, half of a conversion may stand alone."""
        other = [f"{-self.amount * 7} {self.against}"] if self.against not in ("", self.asset) else []
        return [f"{self.amount} {self.asset}", *other]


ALONE = st.sampled_from([Kind.DEPOSIT, Kind.WITHDRAWAL, Kind.INCOME, Kind.CONVERSION])
ASSETS = st.sampled_from(["BTC", "ETH", "USDT", "GIFT"])
PLACE = (st.integers(0, 12), st.sampled_from(LABELS), ASSETS, st.integers(-9, 9).filter(bool))
ROWS = st.lists(
    st.one_of(st.builds(Row, ALONE, *PLACE), st.builds(Row, st.just(Kind.TRADE), *PLACE, ASSETS)), max_size=9
)
PRICES = st.lists(st.integers(1, 99), min_size=24, max_size=24)


def written(user: User, rows: Iterable[tuple[int, Row]], *, off: int = 0) -> list[Connection]:
    """The rows at the user's two connections, numbered as the exchange did, with what they come to; `off` by some."""
    accounts = {label: make_connection(user, label=label, created_at=at("2026-03-03")) for label in LABELS}
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for number, row in rows:
        when = BEGIN + timedelta(hours=12 * row.moment)
        entry = make_entry(accounts[row.label], row.kind, when, *row.amounts)
        Transaction.objects.filter(pk=entry.pk).update(external_id=f"{number:03}")
        for words in row.amounts:
            amount, asset = words.split()
            held[row.label, asset] += Decimal(amount)
    for (label, asset), total in sorted(held.items()):
        make_balance(accounts[label], asset, str(total + off), seen=at("2026-03-08", 1), until=NOW)
    for account in accounts.values():
        make_complete(account, NOW)
        update(account, since=None, now=NOW)
    return list(accounts.values())


def priced(prices: Sequence[int]) -> None:
    """A price for each day of all but GIFT, which has none."""
    for n, asset in enumerate(("BTC", "ETH", "USDT")):
        for day in range(8):
            make_day(asset, date(2026, 3, 1 + day), f"{prices[8 * n + day]}.000000000000000007")
        make_rate(f"{asset}/USD", f"{prices[8 * n + 7]}.000000000000000007", at=NOW)


def plainly(rows: Any, *names: str) -> list[tuple[Any, ...]]:
    """Some fields of rows, in an order of their own."""
    return sorted(rows.values_list(*names), key=str)


def shown(user: User) -> dict[str, Any]:
    """Every figure that pages show of a user, without the numbers that the database gave."""
    which = look(user, NOW, period=Period.ALL)
    found = gains.compute(user, NOW)
    mine = {"connection__user": user}
    amounts = ("quantity", "proceeds", "cost", "gain")
    return {
        "held": [
            (h.connection.label, h.asset, h.quantity, h.value_usd) for h in portfolio_of(user, NOW).holdings
        ],
        "days": plainly(
            DailyHolding.objects.filter(**mine),
            *("connection__label", "asset", "day", "quantity", "certainty", "value_usd", "flow", "flow_usd"),
        ),
        "flows": plainly(DailyFlow.objects.filter(**mine), "asset", "day", "kind", "role", "amount", "count"),
        "line": worth(user, Span.ALL, NOW),
        "change": change(user, Span.WEEK, NOW),
        "bridge": bridge(which, Money()).whole,
        "returns": performance.report(which, Money()).returns,
        "disposals": plainly(
            GainDisposal.objects.of(found),
            *("year", "asset", "reason", "match", "term", "acquired", "disposed", *amounts),
        ),
        "lots": plainly(GainLot.objects.of(found), "asset", "acquired", "quantity", "cost", "is_assumed"),
        "totals": plainly(GainTotal.objects.of(found), "year", "asset", "reason", "count", *amounts),
        "left": plainly(GainHolding.objects.of(found), "asset", "lots", "quantity", "cost", "away"),
        "open": plainly(GainProblem.objects.of(found), "code", "at", "asset", "quantity", "value_usd"),
    }


def forget() -> None:
    """An empty installation."""
    for rows in (User, DailyPrice, Rate):
        rows.objects.all().delete()


HALVES = [
    Row(Kind.CONVERSION, 2, "one", asset, amount)
    for asset, amount in (("USDT", -9), ("BTC", 1), ("ETH", 2), ("USDT", -5), ("GIFT", 3))
]
"""Halves of exchanges, all of one moment: which belong together?"""


class Laws(TestCase):
    """hypothesis gives each example a database of its own."""

    @example(HALVES, [7] * 24, 1)
    @example(HALVES, list(range(1, 25)), 2)
    @example(HALVES, list(range(1, 25)), 3)
    @settings(deadline=None, max_examples=20, phases=QUICKLY)
    @given(rows=ROWS, prices=PRICES, seed=st.integers())
    def test_the_order_in_which_rows_of_one_time_were_written_is_never_seen(
        self, rows: list[Row], prices: list[int], seed: int
    ) -> None:
        told = []
        numbered = sorted(enumerate(rows), key=lambda one: one[1].moment)
        shuffled = Random(seed).sample(numbered, len(numbered))
        for order in (numbered, shuffled):
            forget()
            priced(prices)
            user = make_user("alice")
            written(user, order)
            told.append(shown(user))

        assert told[0] == told[1]

    @settings(deadline=None, max_examples=20, phases=QUICKLY)
    @given(rows=ROWS, prices=PRICES, off=st.sampled_from([0, 3]))
    def test_parts_sum_to_the_total_per_asset_connection_and_day(
        self, rows: list[Row], prices: list[int], off: int
    ) -> None:
        priced(prices)
        user = make_user("alice")
        accounts = written(user, enumerate(rows), off=off)
        whole = portfolio_of(user, NOW)
        assert whole.total_usd == sum((part.value_usd or ZERO for part in whole.by_asset()), ZERO)
        assert whole.total_usd == sum((h.value_usd or ZERO for h in whole.holdings), ZERO)
        for day in networth(user, None, NOW):
            parts = DailyHolding.objects.for_user(user).filter(day=day.day)
            sums = DailyWorth.objects.for_user(user).filter(day=day.day)
            if day.value_usd is not None and day.day < NOW.date():
                assert day.value_usd == sum((p.value_usd or ZERO for p in parts), ZERO)
                assert day.value_usd == sum((s.value_usd for s in sums), ZERO)
                assert day.flow_usd == sum((p.flow_usd or ZERO for p in parts), ZERO)
            for account in accounts:
                mine = [p.value_usd or ZERO for p in parts if p.connection_id == account.pk]
                assert sum(mine, ZERO) == sum(
                    (s.value_usd for s in sums if s.connection_id == account.pk), ZERO
                )

    @settings(deadline=None, max_examples=20, phases=QUICKLY)
    @given(rows=ROWS, prices=PRICES, off=st.sampled_from([0, 3]))
    def test_the_bridge_sums_and_so_do_its_parts(self, rows: list[Row], prices: list[int], off: int) -> None:
        priced(prices)
        user = make_user("alice")
        written(user, enumerate(rows), off=off)
        for since in (None, date(2026, 3, 4)):
            period = {"since": since} if since else {"period": Period.ALL}
            made = bridge(look(user, NOW, **period), Money())

            assert made.whole.opening + sum(made.whole.bars.values(), ZERO) == made.whole.closing
            assert made.whole.closing == portfolio_of(user, NOW).total_usd
            for parts in (made.by_asset(), made.by_connection()):
                assert sum((part.change for part in parts.values()), ZERO) == made.whole.change

    @settings(deadline=None, max_examples=20, phases=QUICKLY)
    @given(prices=PRICES, deposits=st.lists(st.tuples(st.integers(1, 14), st.integers(1, 50)), max_size=5))
    def test_deposits_do_not_move_the_time_weighted_return(
        self, prices: list[int], deposits: list[tuple[int, int]]
    ) -> None:
        priced(prices)
        first = [Row(Kind.DEPOSIT, 0, "one", "BTC", 10)]
        later = [Row(Kind.DEPOSIT, moment, "one", "BTC", amount) for moment, amount in deposits]
        told = []
        for name, rows in (("alice", first), ("bob", first + later)):
            user = make_user(name)
            written(user, enumerate(rows))
            told.append(performance.report(look(user, NOW, period=Period.ALL), Money()).returns)

        assert told[0].twr == told[1].twr
        assert told[0].max_drawdown == told[1].max_drawdown
        assert told[0].volatility == told[1].volatility
