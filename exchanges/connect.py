"""The one place that puts catalog, key, nonce and wire together.

Adding an exchange means one more line in `_EXCHANGES`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import httpx2

from exchanges.btse.fetch import BtseConnector
from exchanges.btse.normalise import normalise as normalise_btse
from exchanges.btse.prices import BtsePrices
from exchanges.catalog import ExchangeName, exchange
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connector import Clock, Connector, Facts, JSONValue, NonceSource, Normaliser, PublicSource
from exchanges.line import Line
from exchanges.pace import Pace, Paces, Window
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

_paces: dict[ExchangeName, Paces] = {
    name: Paces(lambda parts=parts: Window(parts.calls, parts.seconds, SYSTEM_CLOCK))  # type: ignore[misc]
    for name, parts in _EXCHANGES.items()
}


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
) -> Connector:
    """The connector of one account. Without `pace`, one pace per key is kept within this process."""
    line = _line(exchange, base_url, key, clock, client, pace, meter)
    return _parts(exchange).connector(line, key=key, secret=secret, nonce=nonce, facts=facts)


def public(
    exchange: str,
    *,
    base_url: str,
    clock: Clock = SYSTEM_CLOCK,
    client: httpx2.Client | None = None,
    pace: Pace | None = None,
    meter: Meter | None = None,
) -> PublicSource:
    """What the exchange tells anybody about prices."""
    return _parts(exchange).prices(_line(exchange, base_url, "", clock, client, pace, meter))


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


def _parts(name: str) -> _Parts:
    return _EXCHANGES[exchange(name).name]


def _line(
    name: str,
    base_url: str,
    key: str,
    clock: Clock,
    client: httpx2.Client | None,
    pace: Pace | None,
    meter: Meter | None,
) -> Line:
    return Line(
        base_url=base_url,
        clock=clock,
        pace=pace or pace_of(name, key, clock),
        client=client,
        meter=meter,
    )


def pace_of(name: str, key: str, clock: Clock = SYSTEM_CLOCK) -> Pace:
    """How fast one key may ask: one pace a key within this process; for another clock a pace of its own."""
    known = exchange(name).name
    if clock is not SYSTEM_CLOCK:
        parts = _EXCHANGES[known]
        return Window(parts.calls, parts.seconds, clock)
    return _paces[known].of(hashlib.sha256(key.encode()).hexdigest())
