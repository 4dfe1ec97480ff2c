"""The invented user: the same for the same seed, growing, and never a cent off."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.sandbox.world import Ledger, Row, Status, World, lived
from tests.exchanges.sandbox.asking import NOW

NAMES = ("btse", "tether", "tokens_net")
SMALL = dict.fromkeys(NAMES, 40)
seeds = st.text("abcdef", min_size=1, max_size=4)
ages = st.integers(-800, 20).map(lambda days: NOW + timedelta(days=days, minutes=days % 7))


def world_at(at: datetime, seed: str = "demo") -> World:
    """A small world as somebody sees it at that moment, invented anew."""
    lived.cache_clear()
    return World(seed, now=lambda: at, opened=NOW, moments=SMALL)


def summed(ledger: Ledger, at: datetime) -> dict[str, Decimal]:
    """What all completed rows did, added up here once more."""
    total: Counter[str] = Counter()
    for row in ledger.rows(at=at):
        for asset, change in row.changes if row.status(at) is Status.COMPLETED else ():
            total[asset] += change  # type: ignore[assignment]
    return {asset: Decimal(amount) for asset, amount in total.items()}


@settings(max_examples=20, deadline=None)
@given(seed=seeds, at=ages)
def test_the_same_seed_tells_the_same_life(seed: str, at: datetime) -> None:
    one, other = world_at(at, seed), world_at(at, seed)
    assert [one.ledger(name).rows() for name in NAMES] == [other.ledger(name).rows() for name in NAMES]


@settings(max_examples=20, deadline=None)
@given(seed=seeds, moments=st.tuples(ages, ages))
def test_history_only_grows(seed: str, moments: tuple[datetime, datetime]) -> None:
    early, late = sorted(moments)
    for name in NAMES:
        before, after = world_at(early, seed).ledger(name).rows(), world_at(late, seed).ledger(name).rows()
        assert after[: len(before)] == before


@settings(max_examples=30, deadline=None)
@given(seed=seeds, at=ages)
def test_balances_are_the_exact_sum_of_completed_rows_and_never_negative(seed: str, at: datetime) -> None:
    for name in NAMES:
        ledger = world_at(at, seed).ledger(name)
        held = ledger.balances()
        assert {asset: one.total for asset, one in held.items() if one.total} == {
            asset: amount for asset, amount in summed(ledger, at).items() if amount
        }
        assert all(0 <= one.available <= one.total for one in held.values())


def test_two_seeds_tell_two_lives_whose_ids_collide() -> None:
    alice, bob = world_at(NOW, "alice").tether.rows(), world_at(NOW, "bob").tether.rows()
    assert {row.id for row in alice} & {row.id for row in bob}
    assert [row.amount for row in alice] != [row.amount for row in bob]


def test_something_happens_every_other_minute_while_the_demo_runs() -> None:
    later = world_at(NOW + timedelta(hours=1))
    new = [row.at for name in NAMES for row in later.ledger(name).rows() if row.at > NOW]
    assert len(set(new)) > 40


def test_a_withdrawal_goes_its_way_and_lowers_what_is_available() -> None:
    clock = [NOW]
    world = World(now=lambda: clock[0], empty=True)
    world.btse.add("Deposit", "USDT", "100", at=NOW)
    row = world.btse.add("Withdraw", "USDT", "30", fee="1", at=NOW, settles=NOW + timedelta(minutes=3))
    seen = []
    for minute in (0, 1, 3):
        clock[0] = NOW + timedelta(minutes=minute)
        held = world.btse.balances()["USDT"]
        seen.append((row.status(clock[0]), int(held.total), int(held.available)))
    assert seen == [
        (Status.PENDING, 100, 70),
        (Status.PROCESSING, 100, 70),
        (Status.COMPLETED, 70, 70),
    ]


def test_an_open_order_binds_what_it_would_cost() -> None:
    world = World(now=lambda: NOW, empty=True)
    world.tokens_net.add("deposit", "USDT", "100", at=NOW)
    world.tokens_net.add_order("ltcusdt", "buy", "0.5", "80.00", at=NOW, ends=NOW + timedelta(hours=1))
    held = world.tokens_net.balances()["USDT"]
    assert (int(held.total), int(held.available)) == (100, 60)


@pytest.fixture(scope="module")
def demo() -> World:
    """The world that a newcomer sees."""
    return World("demo", now=lambda: NOW)


def test_the_demo_user_is_plausible(demo: World) -> None:
    held = demo.worth()
    worth = sum(one.total * (demo.prices.usd(asset, NOW) or 0) for asset, one in held.items())
    assert 150_000 < worth < 400_000
    assert 8 <= len(held) <= 12
    assert {asset for asset in held if demo.prices.usd(asset, NOW) is None} == {"GIFT", "DTRV"}


def test_the_demo_has_twins_and_tiny_amounts(demo: World) -> None:
    def alike(row: Row) -> tuple[object, ...]:
        return row.at, row.asset, row.amount, row.kind

    for ledger in (demo.btse, demo.tether):
        assert max(Counter(alike(row) for row in ledger.rows("wallet", "transactions")).values()) > 1
    digits = [-int(row.amount.as_tuple().exponent) for row in demo.btse.rows("wallet")]
    assert max(digits) == 18


def test_no_amount_has_more_than_eighteen_decimals(demo: World) -> None:
    changes = [change for name in NAMES for row in demo.ledger(name).rows() for _, change in row.changes]
    assert all(-int(change.as_tuple().exponent) <= 18 for change in changes)


def test_a_dollar_token_is_near_a_dollar_but_not_at_it(demo: World) -> None:
    prices = [demo.prices.usd("USDT", NOW - timedelta(days=day)) for day in range(0, 700, 50)]
    assert all(price and Decimal("0.99") < price < Decimal("1.01") for price in prices)
    assert Decimal(1) not in prices
