"""Balances are stored when they change, confirmed when they do not, and zero when a complete reading leaves them out."""

from __future__ import annotations

import pytest

from accounts.models import User
from exchanges.sandbox.faults import Fault
from portfolio.models import BalanceSnapshot, Raw
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db


def held(alice: User) -> Desk:
    """An account that holds one bitcoin, read once."""
    at = desk(alice, "btse", world={"empty": True})
    at.at.world.btse.add("Deposit", "BTC", "1", at=at.ahead(-3600))
    at.sync()
    return at


def seen(asset: str = "BTC") -> list[tuple[str, float]]:
    """Totals with the seconds for which each was seen."""
    rows = BalanceSnapshot.objects.filter(asset=asset).order_by("first_seen")
    return [(str(row.total), (row.last_seen - row.first_seen).total_seconds()) for row in rows]


def test_a_balance_that_stays_is_only_seen_again(alice: User) -> None:
    at = held(alice)
    at.later(900)
    at.sync()

    [(total, seconds)] = seen()
    assert (total, seconds >= 900) == ("1", True)
    assert Raw.objects.filter(stream="balances").count() == 1


def test_a_balance_that_changes_is_another_snapshot(alice: User) -> None:
    at = held(alice)
    at.later(900)
    at.at.world.btse.add("Deposit", "BTC", "2")
    at.sync()

    assert seen() == [("1", 0), ("3", 0)]
    assert Raw.objects.filter(stream="balances").count() == 2


def test_an_asset_that_a_complete_reading_leaves_out_is_zero(alice: User) -> None:
    at = held(alice)
    at.later(900)
    at.at.world.btse.add("Withdraw", "BTC", "1")
    at.sync()

    assert seen() == [("1", 0), ("0", 0)]


def test_a_balance_that_comes_back_is_a_snapshot_of_its_own(alice: User) -> None:
    at = held(alice)
    for kind in ("Withdraw", "Deposit"):
        at.later(900)
        at.at.world.btse.add(kind, "BTC", "1")
        at.sync()

    assert [total for total, _ in seen()] == ["1", "0", "1"]
    at.assert_rebuilds()


def test_an_asset_that_only_the_ledger_knows_was_zero_from_the_first_look(alice: User) -> None:
    at = held(alice)
    at.at.world.btse.add("Deposit", "ETH", "1", at=at.ahead(-7200))
    at.at.world.btse.add("Withdraw", "ETH", "1", at=at.ahead(-7000))
    at.later(60)
    at.sync(full=True)

    first = BalanceSnapshot.objects.get(asset="BTC").first_seen
    assert BalanceSnapshot.objects.get(asset="ETH").first_seen == first
    assert seen("ETH")[0][0] == "0"
    at.assert_rebuilds()


def test_an_incomplete_reading_leaves_what_it_does_not_name(alice: User) -> None:
    at = held(alice)
    at.at.world.btse.add("Deposit", "ETH", "1")
    at.later(60)
    at.sync()
    at.later(60)
    at.spoil('"currency":"ETH","total":1', '"currency":"ETH","total":"much"')
    at.sync()

    assert at.held() == {"BTC": 1, "ETH": 1}


def test_documented_balances_of_single_currencies_are_read_as_well(alice: User) -> None:
    at = desk(alice, "tokens_net", documented_only=True)
    at.sync()
    at.later(900)
    at.sync()

    assert at.held() == at.at.totals()
    at.assert_rebuilds()


def test_snapshots_carry_the_exchanges_clock_where_ours_is_wrong(alice: User) -> None:
    at = desk(alice, "tether", world={"empty": True})
    at.at.world.tether.add("receive", "USDT", "5", at=at.ahead(-3600))
    at.at.faults.clock = at.ahead(120) - at.ahead(0)
    at.at.faults.plan(Fault.WRONG_CLOCK, times=20)
    at.sync()

    assert abs((BalanceSnapshot.objects.get().first_seen - at.ahead(120)).total_seconds()) <= 1
