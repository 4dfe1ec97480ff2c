"""What came counts the same from sums that are kept and from the rows themselves."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio.looks import Money, Period, look
from portfolio.models import DailyWorth
from portfolio.performance import report
from portfolio.valuation import update
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

NOW = at("2026-03-20", 15)
BEGIN = date(2026, 3, 1)


def account(user: User, label: str, assets: tuple[str, ...], dice: Random) -> Connection:
    """Coins that come and go on many days."""
    connection = make_connection(user, label=label)
    for asset in assets:
        make_entry(connection, Kind.DEPOSIT, at(str(BEGIN)), f"9 {asset}")
        for _ in range(9):
            kind, sign = dice.choice([(Kind.DEPOSIT, ""), (Kind.WITHDRAWAL, "-")])
            day = BEGIN + timedelta(days=dice.randrange(1, 19))
            make_entry(connection, kind, at(str(day)), f"{sign}0.{dice.randrange(1, 10**12)} {asset}")
        make_balance(connection, asset, "7", seen=at("2026-03-19"), until=NOW)
    make_complete(connection, NOW)
    update(connection, since=None, now=NOW)
    return connection


@pytest.mark.parametrize("money", [Money(), Money(at_par=True)], ids=["market", "par"])
@pytest.mark.parametrize("seed", range(2))
def test_kept_sums_say_what_the_rows_say(alice: User, seed: int, money: Money) -> None:
    dice = Random(seed)
    for n in range(20):
        for asset in ("BTC", "ETH", "USDT") if n != 11 else ("BTC", "USDT"):
            make_day(asset, BEGIN + timedelta(days=n), f"{dice.randrange(1, 99)}.{dice.randrange(10**12)}")
    for asset in ("BTC", "ETH", "USDT"):
        make_rate(f"{asset}/USD", "12.5", at=NOW)
    account(alice, "one", ("BTC", "USDT"), dice)
    account(alice, "other", ("BTC", "ETH"), dice)
    kept = report(look(alice, NOW, period=Period.ALL), money).series
    DailyWorth.objects.update(came_before=None)
    assert kept == report(look(alice, NOW, period=Period.ALL), money).series
    assert kept.chained != kept.days
