"""One invented user per seed, from whom every answer of the three sandbox exchanges derives.

A world depends on its seed and on `opened` (the moment at which the past ends and the live part begins), not on when
it is looked at: what was there stays, more comes as `now` moves on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from exchanges.sandbox.world.btse import BtseLedger, BtseLife
from exchanges.sandbox.world.ledger import Balance, Ledger, Order, Row, Status, Step
from exchanges.sandbox.world.life import Course, Told
from exchanges.sandbox.world.prices import Prices
from exchanges.sandbox.world.tether import TetherLedger, TetherLife
from exchanges.sandbox.world.tokens_net import TokensNetLedger, TokensNetLife

__all__ = ["Balance", "Ledger", "Order", "Prices", "Row", "Status", "Step", "World"]

YEARS = {"btse": "2.1", "tether": "2.5", "tokens_net": "1.5"}
MOMENTS = {"btse": 460, "tether": 140, "tokens_net": 190}
EVERY = {
    "btse": timedelta(seconds=110),
    "tether": timedelta(seconds=310),
    "tokens_net": timedelta(seconds=230),
}
_YEAR = timedelta(days=365, hours=6)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(tz=UTC)


LIVES: Mapping[str, Callable[[Course, Prices], Iterable[Step]]] = {
    "btse": BtseLife,
    "tether": TetherLife,
    "tokens_net": TokensNetLife,
}


@lru_cache(maxsize=24)
def lived(exchange: str, course: Course) -> Told:
    """The same life for every world of that seed: what it consists of never changes, so it is invented once."""
    return Told(LIVES[exchange](course, Prices(course.seed)))


class World:
    """The three truth ledgers and the price list of one invented user."""

    def __init__(
        self,
        seed: str = "demo",
        *,
        now: Callable[[], datetime] = utc_now,
        opened: datetime | None = None,
        years: int | None = None,
        moments: Mapping[str, int] | None = None,
        empty: bool = False,
        live: bool = True,
    ) -> None:
        """`years`: length of every past instead of the usual ones. `moments`: how many things happened in it, by
        exchange. `empty`: nothing happens but what is added. `live`: whether more comes after `opened`."""
        self.seed, self.now = seed, now
        self.opened = (opened or now()).replace(microsecond=0)
        self.prices = Prices(seed)
        counts = {**MOMENTS, **(moments or {})}

        def course(name: str) -> Course:
            span = years * _YEAR if years else int(YEARS[name].replace(".", "")) * _YEAR / 10
            born = (self.opened - span).replace(hour=0, minute=0, second=0)
            return Course(seed=seed, born=born, opened=self.opened, moments=counts[name], every=EVERY[name])

        def told(life: Iterable[Step]) -> Iterator[Step]:
            if not empty:
                for step in life:
                    if not live and step.at >= self.opened:
                        return
                    yield step

        self.btse = BtseLedger(told(lived("btse", course("btse"))), now)
        self.tether = TetherLedger(told(lived("tether", course("tether"))), now)
        self.tokens_net = TokensNetLedger(told(lived("tokens_net", course("tokens_net"))), now)

    def ledger(self, exchange: str) -> Ledger:
        """The truth ledger of one exchange: btse, tether or tokens_net."""
        return {"btse": self.btse, "tether": self.tether, "tokens_net": self.tokens_net}[exchange]

    def worth(self, at: datetime | None = None) -> dict[str, Balance]:
        """All that is held, added up over the three exchanges."""
        moment, held = at or self.now(), dict[str, Balance]()
        for name in YEARS:
            for asset, one in self.ledger(name).balances(moment).items():
                had = held.get(asset, Balance(total=one.total * 0, available=one.total * 0))
                held[asset] = Balance(total=had.total + one.total, available=had.available + one.available)
        return held
