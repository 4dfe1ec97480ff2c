"""The one place that puts catalog, key, nonce and wire together.

Adding an exchange means one more line in `_EXCHANGES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import httpx2

from exchanges.btse.fetch import BtseConnector
from exchanges.btse.normalise import normalise as normalise_btse
from exchanges.btse.prices import BtsePrices
from exchanges.catalog import ExchangeName
from exchanges.catalog import exchange as known
from exchanges.circuit import UNBROKEN, Circuit
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connector import Clock, Connector, Facts, JSONValue, NonceSource, Normaliser, PublicSource
from exchanges.line import Line
from exchanges.pace import Pace, Window
from exchanges.tether.fetch import TetherConnector
from exchanges.tether.normalise import normalise as normalise_tether
from exchanges.tether.prices import TetherPrices
from exchanges.tokens_net.fetch import TokensNetConnector
from exchanges.tokens_net.normalise import normalise as normalise_tokens_net
from exchanges.tokens_net.prices import TokensNetPrices
from exchanges.transport import CallRecord

Meter = Callable[[CallRecord], None]
NO_FACTS: Mapping[str, JSONValue] = MappingProxyType({})


class _MakeConnector(Protocol):
    def __call__(
        self, line: Line, *, key: str, secret: str, nonce: NonceSource, facts: Facts
    ) -> Connector: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What one exchange's folder offers, and how many calls a second one key may make."""

    connector: _MakeConnector
    prices: Callable[[Line], PublicSource]
    normalise: Normaliser
    calls: int
    seconds: float = 1.0


_EXCHANGES: dict[ExchangeName, _Parts] = {
    ExchangeName.BTSE: _Parts(connector=BtseConnector, prices=BtsePrices, normalise=normalise_btse, calls=5),
    # Tether.to and Tokens.net publish no limit: two calls a second on average, more at once when it was quiet.
    ExchangeName.TETHER: _Parts(
        connector=TetherConnector, prices=TetherPrices, normalise=normalise_tether, calls=20, seconds=10
    ),
    ExchangeName.TOKENS_NET: _Parts(
        connector=TokensNetConnector,
        prices=TokensNetPrices,
        normalise=normalise_tokens_net,
        calls=20,
        seconds=10,
    ),
}

_public: dict[ExchangeName, Pace] = {
    name: Window(parts.calls, parts.seconds, SYSTEM_CLOCK) for name, parts in _EXCHANGES.items()
}
"""What is asked without a key is paced by this process."""


def connect(
    exchange: str,
    *,
    base_url: str,
    key: str,
    secret: str,
    nonce: NonceSource,
    clock: Clock = SYSTEM_CLOCK,
    facts: Facts = NO_FACTS,
    client: httpx2.Client | None = None,
    pace: Pace | None = None,
    meter: Meter | None = None,
    circuit: Circuit = UNBROKEN,
    until: float | None = None,
) -> Connector:
    """The connector of one account. Without `pace` it has one of its own, that knows of nobody else with the key."""
    line = Line(
        base_url=base_url,
        clock=clock,
        pace=pace or window(exchange, clock),
        client=client,
        meter=meter,
        circuit=circuit,
        until=until,
    )
    return _parts(exchange).connector(line, key=key, secret=secret, nonce=nonce, facts=facts)


def public(
    exchange: str,
    *,
    base_url: str,
    clock: Clock = SYSTEM_CLOCK,
    client: httpx2.Client | None = None,
    pace: Pace | None = None,
    circuit: Circuit = UNBROKEN,
) -> PublicSource:
    """What the exchange tells anybody about prices."""
    own = _public[known(exchange).name] if clock is SYSTEM_CLOCK else window(exchange, clock)
    line = Line(base_url=base_url, clock=clock, pace=pace or own, client=client, circuit=circuit)
    return _parts(exchange).prices(line)


def normaliser(exchange: str) -> Normaliser:
    """What turns the exchange's Raws into Meaning; pure."""
    return _parts(exchange).normalise


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """How many calls one key makes at most in any stretch of so many seconds."""

    calls: int
    seconds: float


def allowed(name: str) -> Allowed:
    """The pace that is kept with an exchange."""
    return Allowed(calls=_parts(name).calls, seconds=_parts(name).seconds)


def window(name: str, clock: Clock, *, ages: Iterable[float] = (), quiet: float = 0.0) -> Window:
    """The pace of one key, going on from what others did with it."""
    parts = _parts(name)
    return Window(parts.calls, parts.seconds, clock, ages=ages, quiet=quiet)


def _parts(name: str) -> _Parts:
    return _EXCHANGES[known(name).name]
