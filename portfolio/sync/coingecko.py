"""CoinGecko as one more source of the closes of past days: off unless it is switched on, GET only, never in a page.

https://docs.coingecko.com/reference/coins-id-market-chart-range: up to 90 days come by the hour, longer spans one a day at
midnight UTC, which is the close of the day before. Its coins have names of their own, so only assets that are mapped
are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import httpx2

from exchanges import wire
from exchanges.circuit import UNBROKEN, Circuit
from exchanges.clock import SYSTEM_CLOCK, Clock
from exchanges.errors import BadRequest, NotOffered
from exchanges.pace import Window
from exchanges.records import Candle, Quote
from exchanges.transport import Transport
from portfolio.rates.routes import cut

SOURCE = "CoinGecko"
PREFIX = "/api/v3"
NAMES: Mapping[str, str] = {
    "BTC": "bitcoin",
    "ETH": "ethereum",
    "USDT": "tether",
    "EURT": "tether-eurt",
    "XAUT": "tether-gold",
    "LTC": "litecoin",
    "XRP": "ripple",
    "USDC": "usd-coin",
}
"""The names of what the three exchanges are most used for; more by the setting COINGECKO_IDS."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")
_PATH = re.compile(rf"/coins/{_NAME.pattern}/market_chart/range")
_INSTANT = timedelta(microseconds=1)
CALLS, SECONDS = 5, 60.0


class CoinGecko:
    """Its public prices; `key` is that of its free plan, or empty."""

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        names: Mapping[str, str] = NAMES,
        clock: Clock = SYSTEM_CLOCK,
        client: httpx2.Client | None = None,
        circuit: Circuit = UNBROKEN,
    ) -> None:
        """Asks at most five times a minute, which every plan allows."""
        self._clock = clock
        self._names = {asset: name for asset, name in names.items() if _NAME.fullmatch(name)}
        self._transport = Transport(
            url,
            allowed=[_PATH],
            clock=clock,
            pace=Window(CALLS, SECONDS, clock),
            sign=(lambda _: {"x-cg-demo-api-key": key}) if key else None,
            client=client,
            prefix=PREFIX,
            circuit=circuit,
        )

    def quotes(self, assets: Iterable[str]) -> Iterator[Quote]:
        """None: what things cost now the exchanges say."""
        return iter(())

    def candles(self, asset: str, start: date, end: date) -> Iterator[Candle]:
        """The last price of each day of the span that is over; nothing for what is not mapped."""
        name = self._names.get(asset)
        last = min(end, self._clock.now().astimezone(UTC).date() - timedelta(days=1))
        if name is None or start > last:
            return
        query = {
            "vs_currency": "usd",
            "from": str(_seconds(start)),
            "to": str(_seconds(last + timedelta(days=1)) + 60),
        }
        try:
            answer = self._transport.get(f"/coins/{name}/market_chart/range", query)
        except (NotOffered, BadRequest):
            return
        for day, close in sorted(_closes(answer.value).items()):
            if start <= day <= last:
                yield Candle(base=asset, counter="USD", day=day, close=close, source=SOURCE)


def _closes(value: wire.Value) -> dict[date, Decimal]:
    """The last readable price of each day; midnight belongs to the day that it ends."""
    closes: dict[date, Decimal] = {}
    for at, price in sorted(filter(None, map(_point, wire.rows(value, "prices")))):
        closes[(at - _INSTANT).date()] = price
    return closes


def _point(row: wire.Value) -> tuple[datetime, Decimal] | None:
    if not isinstance(row, list) or len(row) != 2:
        return None
    try:
        price = cut(Decimal(str(row[1])))
        return None if price is None else (wire.moment(row[0]), price)
    except (ValueError, ArithmeticError):
        return None


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
