"""Returns on stored days: the real bitcoin, parts that sum, deposits that move nothing, prices that are missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio.looks import Money, Period, look
from portfolio.models import DailyHolding, DailyWorth
from portfolio.performance import parts, report
from portfolio.valuation import portfolio_of, update
from tests.conftest import make_connection
from tests.known_answers import closes
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

NOW = at("2026-03-06", 15)
ZERO = Decimal(0)


def bought(user: User, label: str, *deposits: tuple[str, str]) -> Connection:
    """Bitcoin that came on these days and is still there."""
    connection = make_connection(user, label=label)
    for day, amount in deposits:
        make_entry(connection, Kind.DEPOSIT, at(day), f"{amount} BTC")
    total = sum(Decimal(amount) for _, amount in deposits)
    make_balance(connection, "BTC", str(total), seen=at("2026-03-06"), until=NOW)
    make_complete(connection, NOW)
    update(connection, since=None, now=NOW)
    return connection


@pytest.fixture
def prices(db: None) -> None:
    """A bitcoin that rises, falls and rises."""
    for day, price in enumerate([900, 1000, 800, 1100, 1200], start=2):
        make_day("BTC", date(2026, 3, day), str(price))
    make_rate("BTC/USD", "1200", at=NOW)


def test_deposits_do_not_move_the_time_weighted_return(prices: None, alice: User, bob: User) -> None:
    bought(alice, "one", ("2026-03-02", "1"))
    bought(bob, "two", ("2026-03-02", "1"), ("2026-03-04", "5"), ("2026-03-05", "-2"))
    quiet = report(look(alice, NOW, period=Period.ALL), Money()).returns
    busy = report(look(bob, NOW, period=Period.ALL), Money()).returns
    assert quiet.twr.value == busy.twr.value == Decimal("0.333333333333")
    assert quiet.max_drawdown == busy.max_drawdown


def test_a_bitcoin_portfolio_is_its_own_benchmark(prices: None, alice: User) -> None:
    bought(alice, "one", ("2026-03-02", "1"), ("2026-03-04", "5"), ("2026-03-05", "-2"))
    made = report(look(alice, NOW, period=Period.ALL), Money())
    bitcoin, _, dollars = made.benchmarks
    assert bitcoin.closing == made.returns.closing == portfolio_of(alice, NOW).total_usd
    assert bitcoin.returns is not None and bitcoin.returns.xirr == made.returns.xirr
    assert dollars.gain == 0


def test_each_day_is_the_sum_of_its_parts(prices: None, alice: User) -> None:
    for label in ("one", "two"):
        bought(alice, label, ("2026-03-02", "1.000000000000000001"), ("2026-03-04", "5"))
    which = look(alice, NOW, period=Period.ALL)
    days = {day.on: day.value for day in report(which, Money()).series.days}
    for day, of_day in parts(which).items():
        assert sum(of_day.values(), ZERO) == days[day]


def test_looks_at_connections_sum_to_the_look_at_all(prices: None, alice: User) -> None:
    made = [bought(alice, label, ("2026-03-03", "1")) for label in ("one", "two")]
    whole = report(look(alice, NOW, period=Period.ALL), Money()).series.days
    single = [report(look(alice, NOW, period=Period.ALL, connection=c.public_id), Money()) for c in made]
    for n, day in enumerate(whole):
        assert day.value == sum((one.series.days[n].value or ZERO for one in single), ZERO)
        assert day.flow == sum((one.series.days[n].flow for one in single), ZERO)


def test_seen_from_one_asset_a_purchase_is_money_that_came(prices: None, alice: User) -> None:
    connection = make_connection(alice)
    make_entry(connection, Kind.DEPOSIT, at("2026-03-02"), "1000 USD")
    make_entry(connection, Kind.TRADE, at("2026-03-04"), "-800 USD", "1 BTC")
    make_balance(connection, "USD", "200", seen=at("2026-03-05"), until=NOW)
    make_balance(connection, "BTC", "1", seen=at("2026-03-05"), until=NOW)
    make_complete(connection, NOW)
    update(connection, since=None, now=NOW)
    made = report(look(alice, NOW, period=Period.ALL, asset="BTC"), Money())
    assert made.returns.money_in == 800
    assert made.returns.twr.value == Decimal("0.5")


def test_a_missing_price_at_an_end_is_refused_with_its_day(prices: None, alice: User) -> None:
    connection = bought(alice, "one", ("2026-03-02", "1"))
    DailyHolding.objects.of(connection).filter(day=date(2026, 3, 3)).update(price_usd=None, value_usd=None)
    made = report(look(alice, NOW, since=date(2026, 3, 3)), Money())
    assert made.returns.twr.value is None
    assert made.returns.twr.reason == "The value on the first day, 2026-03-03, is missing."
    assert made.gain is None and made.returns.opening is None and made.returns.money_in == 0
    assert made.series.left_out == ("BTC",)


def test_a_connection_that_was_not_told_leaves_a_hole(prices: None, alice: User) -> None:
    connection = bought(alice, "one", ("2026-03-02", "1"))
    DailyWorth.objects.of(connection).filter(day=date(2026, 3, 4)).delete()
    days = report(look(alice, NOW, period=Period.ALL), Money()).series.days
    assert [day.on for day in days if day.value is None] == [date(2026, 3, 4)]


def test_the_real_bitcoin_fell_as_deep_as_it_did(alice: User) -> None:
    series = [(date.fromisoformat(on), price) for on, price in closes("BTC")]
    connection = make_connection(alice)
    # The published series closes with up to 16 digits; a store of 18 places keeps them all.
    DailyHolding.objects.bulk_create(
        DailyHolding(
            connection=connection,
            asset="BTC",
            day=day,
            quantity=1,
            certainty="snapshot",
            price_usd=price,
            value_usd=price,
            flow=int(n == 0),
            flow_usd=price if n == 0 else 0,
        )
        for n, (day, price) in enumerate(series)
    )
    DailyWorth.objects.bulk_create(
        DailyWorth(
            connection=connection, day=day, value_usd=price, flow_usd=price if n == 0 else 0, held=1, priced=1
        )
        for n, (day, price) in enumerate(series)
    )
    now = datetime.combine(series[-1][0] + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    fall = report(look(alice, now, period=Period.ALL, until=series[-1][0]), Money()).returns
    assert fall.max_drawdown.value is not None and fall.drawdown is not None
    assert round(fall.max_drawdown.value * 100, 4) == Decimal("-84.5285")
    assert fall.drawdown.low_on == date(2015, 1, 14)
    assert (
        report(look(alice, now, period=Period.ALL, until=series[-1][0], asset="BTC"), Money()).returns == fall
    )
