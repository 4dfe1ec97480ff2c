"""Whatever befell an account and its syncs: what stands is what the raw records say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from exchanges.sandbox.faults import Fault
from exchanges.sandbox.world import Status
from portfolio.models import Quarantine
from portfolio.sync import read_again
from tests.conftest import make_user
from tests.portfolio.desks import Desk, desk

SPOILT = {
    "btse": ('"amount":', '"amount":"much'),
    "tether": ('"amount":"', '"amount":"much'),
    "tokens_net": ('"price":"', '"price":"much'),
}


def spoil(at: Desk) -> None:
    """An answer holds a row that nobody can read; later the row is well again."""
    at.spoil(*SPOILT[at.connection.exchange])
    at.sync()
    at.wire.spoilt.clear()


def told(at: Desk) -> None:
    """A sync, with proofs and figures."""
    at.sync()
    at.tell()


def kill(at: Desk, number: int) -> None:
    """The process dies at a request, and its lease runs out."""
    at.sync_killed_at_request(number)
    at.later(60)


def pay(at: Desk, number: int) -> None:
    """Money comes in, and for some of it only after a while, or never."""
    settles = at.ahead(number * 60) if number % 3 else None
    outcome = Status.CANCELLED if number % 6 == 1 else Status.COMPLETED
    world = at.at.world
    if at.connection.exchange == "btse":
        world.btse.add("Deposit", "USDT", str(number), settles=settles, outcome=outcome)
    elif at.connection.exchange == "tether":
        world.tether.add("receive", "USDT", str(number), settles=settles, outcome=outcome)
    else:
        world.tokens_net.add_trade("btcusdt", "sell", "0.001", str(number))


def retry(at: Desk) -> None:
    """Records in quarantine are tried again."""
    for row in Quarantine.objects.of(at.connection):
        read_again(row, at.at.clock)


STEPS: dict[str, Callable[[Desk, int], object]] = {
    "a sync": lambda at, _: at.sync(),
    "a sync that is told": lambda at, _: told(at),
    "all is read again": lambda at, _: at.sync(full=True),
    "a short turn": lambda at, n: at.sync(seconds=n / 50),
    "a kill": lambda at, n: kill(at, n % 9 + 1),
    "told": lambda at, _: at.tell(),
    "minutes pass": lambda at, n: at.later(n),
    "days pass": lambda at, n: at.later(n * 3600),
    "a payment": lambda at, n: pay(at, n),
    "a late row": lambda at, _: "77" in at.at.ids() or at.late_row(),
    "stale answers": lambda at, n: at.at.faults.plan(Fault.STALE, times=n % 9),
    "rows twice": lambda at, n: at.at.faults.plan(Fault.DUPLICATE_ROWS, times=n % 5),
    "an unreadable row": lambda at, _: spoil(at),
    "quarantine tried again": lambda at, _: retry(at),
}


EXAMPLES = 8


class Laws(TestCase):
    pass


def law(exchange: str) -> Any:
    @example({"empty": True}, [("a kill", 7), ("a payment", 31), ("a kill", 49)])
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.sampled_from([{"empty": True}, {"years": 0.05}, {"years": 0.05, "live": False}]),
        st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(1, 90)), min_size=2, max_size=14),
    )
    def test(self: Laws, world: dict[str, Any], steps: list[tuple[str, int]]) -> None:
        at = desk(make_user("alice"), exchange, world=world)
        for name, number in steps:
            STEPS[name](at, number)

        at.assert_rebuilds()

    return test


for one in ("btse", "tether", "tokens_net"):
    setattr(Laws, f"test_what_stands_is_what_raw_says_at_{one}", law(one))
