"""Sandbox accounts with a long history of final rows, for each exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from benchmarks.inside.rush import RushingClock
from exchanges.sandbox.btse import Btse
from exchanges.sandbox.tether import Tether
from exchanges.sandbox.tokens_net import TokensNet
from exchanges.sandbox.web import Exchange
from exchanges.sandbox.world import World

SPAN = timedelta(days=700)


def _at_btse(world: World, number: int, at: datetime) -> None:
    asset = ("BTC", "ETH", "USDT")[number % 3]
    world.btse.add("Deposit", asset, str(Decimal(number + 1).scaleb(-6)), at=at, id=f"{number:020}")


def _at_tether(world: World, number: int, at: datetime) -> None:
    amount = str(Decimal(number + 1).scaleb(-6))
    world.tether.add("receive", "USDT", amount, at=at.replace(microsecond=0), id=str(10_000_000 - number))


def _at_tokens_net(world: World, number: int, at: datetime) -> None:
    at = at.replace(microsecond=0)
    world.tokens_net.add_trade("btcusdt", "buy", "0.001", "9000", at=at, id=str(10_000_000 - number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How an account of one exchange is filled, and how fast it may be asked: calls in seconds."""

    app: Callable[..., Exchange]
    add: Callable[[World, int, datetime], None]
    pace: tuple[int, float]


WAYS = {
    "btse": Way(app=Btse, add=_at_btse, pace=(5, 1.0)),
    "tether": Way(app=Tether, add=_at_tether, pace=(20, 10.0)),
    "tokens_net": Way(app=TokensNet, add=_at_tokens_net, pace=(20, 10.0)),
}


def app_of(exchange: str, records: int, clock: RushingClock, *, pace: int | None = None) -> Exchange:
    """The exchange with one account that has so many rows, spread evenly over two years."""
    opened = datetime.now(UTC).replace(microsecond=0)
    world = World("bench", now=clock.now, opened=opened, empty=True)
    for number in range(records):
        at = opened - timedelta(days=1) - SPAN * number / max(records, 1)
        WAYS[exchange].add(world, number, at.replace(microsecond=at.microsecond // 1000 * 1000))
    world.ledger(exchange).rows()
    return WAYS[exchange].app(world, key="key", secret="secret", pace=pace)
