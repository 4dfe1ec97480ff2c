"""Months that are kept say what their days say, and never outlive a change of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio.bridge import Bridge, bridge, keep, keep_all
from portfolio.looks import Money, Period, look
from portfolio.models import DailyPrice, MatchState, MonthlyChange, Transaction, TransferMatch
from portfolio.rates import Repriced
from portfolio.valuation import reprice, update
from tests.conftest import make_connection
from tests.portfolio.rates_rows import make_day, make_rate
from tests.portfolio.valuation_rows import at, make_balance, make_complete, make_entry

NOW = at("2026-05-20", 15)
BEGIN = date(2026, 1, 10)
ASSETS = ("BTC", "ETH", "XRP")


def account(user: User, label: str, dice: Random) -> Connection:
    """Months of rows of all kinds; a third asset is priced on some days only."""
    connection = make_connection(user, label=label, created_at=at("2026-03-05"))
    for _ in range(25):
        row(connection, at(str(BEGIN + timedelta(days=dice.randrange(120))), dice.randrange(24)), dice)
    for asset in ASSETS:
        make_balance(connection, asset, str(dice.randrange(1, 9)), seen=at("2026-04-01"), until=NOW)
    make_complete(connection, NOW)
    return connection


def row(connection: Connection, when: datetime, dice: Random) -> Transaction:
    """Some row of the ledger."""
    one, other = dice.sample(ASSETS, 2)
    amount = f"{dice.randrange(1, 9)}.{dice.randrange(1, 999_999)}"
    kind = dice.choice([Kind.DEPOSIT, Kind.WITHDRAWAL, Kind.INCOME, Kind.TRADE, Kind.TRANSFER_IN])
    if kind is Kind.TRADE:
        return make_entry(connection, kind, when, f"{amount} {one}", f"-{amount} {other}", f"-0.1 {one} fee")
    return make_entry(connection, kind, when, f"{'-' if kind is Kind.WITHDRAWAL else ''}{amount} {one}")


def prices(dice: Random) -> None:
    """Closes of five months."""
    for n in range(-2, (NOW.date() - BEGIN).days + 1):
        for asset in ASSETS if n % 40 else ASSETS[:2]:
            make_day(asset, BEGIN + timedelta(days=n), f"{dice.randrange(1, 99)}.{dice.randrange(999_999)}")
    for asset in ASSETS:
        make_rate(f"{asset}/USD", "12.5", at=NOW)


def bridges(user: User) -> list[Bridge]:
    """Over several spans, of everything, one asset, one connection."""
    asked = [{}, {"asset": "XRP"}, {"connection": user.connections.all()[0].public_id}]
    spans = [
        {"period": Period.ALL},
        {"since": date(2026, 1, 31), "until": date(2026, 4, 30)},
        {"since": date(2026, 2, 3), "until": date(2026, 5, 1)},
    ]
    return [bridge(look(user, NOW, **which, **span), Money()) for which in asked for span in spans]  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
def test_months_say_what_their_days_say_whatever_changes(alice: User, seed: int) -> None:
    dice = Random(seed)
    prices(dice)
    one, other = account(alice, "one", dice), account(alice, "other", dice)
    for connection in (one, other):
        update(connection, since=None, now=NOW)
    keep_all(NOW)
    for change in (late_row, other_price, own_transfer):
        change(one, other, dice)
        keep_all(NOW)
        assert MonthlyChange.objects.of(one).count() == 4
        with_months = bridges(alice)
        MonthlyChange.objects.all().delete()
        assert with_months == bridges(alice)
        keep_all(NOW)


def late_row(one: Connection, other: Connection, dice: Random) -> None:
    """A row of months ago."""
    when = at(str(BEGIN + timedelta(days=dice.randrange(60))))
    row(one, when, dice)
    update(one, since=when.date(), now=NOW)


def other_price(one: Connection, other: Connection, dice: Random) -> None:
    """Another price on a day, and one that is gone."""
    changed, lost = (BEGIN + timedelta(days=n) for n in dice.sample(range(50, 110), 2))
    DailyPrice.objects.filter(asset="BTC", day=changed).update(price_usd=Decimal("77.7"))
    DailyPrice.objects.filter(asset="ETH", day=lost).delete()
    reprice(
        [Repriced(asset="BTC", first=changed, last=changed), Repriced(asset="ETH", first=lost, last=lost)],
        NOW,
    )


def own_transfer(one: Connection, other: Connection, dice: Random) -> None:
    """Coins that went from one to the other."""
    out = make_entry(one, Kind.WITHDRAWAL, at("2026-02-14"), "-1 BTC")
    back = make_entry(other, Kind.DEPOSIT, at("2026-02-15"), "1 BTC")
    TransferMatch.objects.create(
        user=one.user, outgoing=out, incoming=back, state=MatchState.CONFIRMED, score=100
    )
    for connection in (one, other):
        update(connection, since=date(2026, 2, 14), now=NOW)


def test_a_month_goes_before_its_days_change(alice: User) -> None:
    connection = account(alice, "one", Random(7))
    prices(Random(7))
    update(connection, since=None, now=NOW)
    keep(connection, NOW)
    make_entry(connection, Kind.DEPOSIT, at("2026-04-30", 9), "1 BTC")
    make_balance(connection, "BTC", "9", seen=at("2026-04-30", 10), until=NOW)
    update(connection, since=date(2026, 4, 30), now=NOW)
    months = set(MonthlyChange.objects.of(connection).values_list("month", flat=True))
    assert months == {date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)}
