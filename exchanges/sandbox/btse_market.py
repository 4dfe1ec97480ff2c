"""BTSE's public side: markets, prices, history of prices, exchange rates, clock.

The shapes are those of the spot document v3.2 (market_summary, ohlcv, price, time), the wallet document
(exchangeRate, availableCurrencies, availableCurrencyNetworks) and wire-facts (its successor, markets).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.sandbox.web import JSON, Refusal, Request, Route, milliseconds, route
from exchanges.sandbox.world import World
from exchanges.sandbox.world.dice import Dice, places
from exchanges.sandbox.world.prices import LEVELS, from_seconds

MARKETS = (
    "BTC-USDT",
    "ETH-USDT",
    "BTC-USD",
    "ETH-USD",
    "SOL-USDT",
    "XRP-USDT",
    "LTC-USDT",
    "SOL-USD",
    "USDT-USD",
    "XAUT-USDT",
    "EURT-USDT",
    "DTR-USDT",
)
NETWORKS = {
    "BTC": ["Bitcoin", "Liquid"], "ETH": ["Ethereum"], "USDT": ["ERC20", "TRC20", "Liquid"], "SOL": ["Solana"],
    "XRP": ["Ripple"], "LTC": ["Litecoin"], "USDC": ["ERC20"], "XAUT": ["ERC20"],
}  # fmt: skip
LISTED = tuple(sorted({*LEVELS, "USD"}))
RESOLUTIONS = {1, 5, 15, 30, 60, 240, 360, 1440, 10080, 43200}
BARS = 300


def success(request: Request, data: JSON) -> JSON:
    """The envelope of the newer endpoints."""
    return {"code": 1, "msg": "Success", "time": milliseconds(request.now), "data": data, "success": True}


def failure(request: Request, status: int, code: int, text: str) -> Refusal:
    """The same envelope when something is wrong."""
    body = {"code": code, "msg": text, "time": milliseconds(request.now), "data": None, "success": False}
    return Refusal(status, body)


def bad(status: int, code: int, text: str) -> Refusal:
    """The envelope of the gateway."""
    return Refusal(status, {"status": status, "errorCode": code, "message": text, "extraData": None})


class Market:
    """Everything that BTSE says to anybody."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> tuple[Route, ...]:
        """Documented: what the wallet document names."""
        spot = "/spot/api/v3.[23]"
        return (
            route("/spot/api/v3.2/exchangeRate", self.exchange_rate),
            route("/spot/api/v3.2/availableCurrencies", self.currencies),
            route("/spot/api/v3.2/availableCurrencyNetworks", self.networks),
            route(f"{spot}/time", self.time, documented=False),
            route(f"{spot}/market_summary", self.summary, documented=False),
            route(f"{spot}/price", self.price, documented=False),
            route(f"{spot}/ohlcv", self.ohlcv, documented=False),
            route("/public-api/wallet/v1/assets/exchangeRate", self.successor, documented=False),
            route("/public-api/market/v1/markets", self.markets, documented=False),
        )

    def exchange_rate(self, request: Request) -> JSON:
        """`srcCurrency`, `targetCurrency`: a number."""
        return success(request, self._rate(request, "srcCurrency", "targetCurrency"))

    def successor(self, request: Request) -> JSON:
        """`baseCurrency`, `quoteCurrency`, `amount`: text."""
        rate = self._rate(request, "baseCurrency", "quoteCurrency")
        return success(request, {"rate": f"{rate:f}"})

    def currencies(self, request: Request) -> JSON:
        """Codes that can be converted, withdrawn or sent."""
        if request.query.get("action") not in {"CONVERT", "WITHDRAW", "SEND"}:
            raise bad(400, -2, "Required parameter 'action' is not valid")
        return request.rows(LISTED)

    def networks(self, request: Request) -> JSON:
        """Networks of one currency."""
        if not (currency := request.query.get("currency")):
            raise bad(400, -2, "Required parameter 'currency' is not present")
        return request.rows(NETWORKS.get(currency, []))

    def time(self, request: Request) -> JSON:
        """The clock: seconds, and ISO with milliseconds."""
        iso = request.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"iso": iso, "epoch": int(request.now.timestamp())}

    def price(self, request: Request) -> JSON:
        """Index and last price of one or all markets."""
        return request.rows(
            {
                "symbol": name,
                "indexPrice": self._at(name, request.as_of),
                "lastPrice": self._tick(name, request.as_of),
                "markPrice": 0,
            }
            for name in self._asked(request)
        )

    def summary(self, request: Request) -> JSON:
        """All markets with the last day's figures."""
        return request.rows(self._summary(name, request.as_of) for name in self._asked(request))

    def markets(self, request: Request) -> JSON:
        """The newer list of markets."""
        rows = [
            {
                "symbol": name, "baseCurrency": name.split("-")[0], "quoteCurrency": name.split("-")[1], "active": True,
                "minOrderSize": "0.00001", "maxOrderSize": "2000", "minPriceIncrement": "0.1",
                "minSizeIncrement": "0.00001", "type": "SPOT",
            }
            for name in self._asked(request)
        ]  # fmt: skip
        return success(request, request.rows(rows))

    def ohlcv(self, request: Request) -> JSON:
        """`symbol`, `resolution` (minutes), `start`, `end` (ms): rows of [seconds, o, h, l, c, volume], newest first."""
        (name,) = self._asked(request, required=True)
        resolution = request.query.get("resolution", "")
        if not resolution.isdigit() or int(resolution) not in RESOLUTIONS:
            raise bad(400, -2, "resolution is not supported")
        length = int(resolution) * 60
        end = self._moment(request, "end", request.as_of)
        start = self._moment(request, "start", end - timedelta(seconds=length * BARS))
        last = int(min(end, request.as_of).timestamp()) // length
        first = max(-(-int(start.timestamp()) // length), last - BARS + 1)
        rows = [
            self._bar(name, from_seconds(index * length), length, request.as_of)
            for index in range(last, first - 1, -1)
        ]
        return request.rows(row for row in rows if row is not None)

    def _bar(self, name: str, start: datetime, length: int, now: datetime) -> JSON:
        base, quote = name.split("-")
        bar = self._world.prices.bar(base, quote, start, timedelta(seconds=length), now)
        if bar is None:
            return None
        volume = Dice(self._world.seed, name, start).between(10, 900, 5)
        return [
            int(start.timestamp()),
            *(places(p, 8) for p in (bar.open, bar.high, bar.low, bar.close)),
            volume,
        ]

    def _moment(self, request: Request, field: str, default: datetime) -> datetime:
        text = request.query.get(field, "")
        if not text:
            return default
        if not text.isdigit() or len(text) > 14:
            raise bad(400, -2, f"{field} is not valid")
        return from_seconds(0) + timedelta(milliseconds=int(text))

    def _asked(self, request: Request, *, required: bool = False) -> tuple[str, ...]:
        symbol = request.query.get("symbol")
        if symbol is None and not required:
            return MARKETS
        if symbol not in MARKETS:
            raise bad(400, -2, "Market pair provided is currently not supported.")
        return (symbol,)

    def _rate(self, request: Request, source: str, target: str) -> Decimal:
        names = [request.query.get(source, ""), request.query.get(target, "")]
        rate = (
            self._world.prices.pair(names[0], names[1], request.as_of) if set(names) <= set(LISTED) else None
        )
        if rate is None:
            raise failure(request, 400, -2, "Currency is not supported")
        return rate

    def _at(self, name: str, at: datetime) -> Decimal:
        base, quote = name.split("-")
        return self._world.prices.pair(base, quote, at) or Decimal(0)

    def _tick(self, name: str, at: datetime) -> Decimal:
        price = self._at(name, at)
        return places(price, 1 if price > 100 else 4)

    def _summary(self, name: str, at: datetime) -> JSON:
        base, quote = name.split("-")
        day = self._world.prices.bar(base, quote, at - timedelta(days=1), timedelta(days=1), at)
        last, size = self._tick(name, at), Dice(self._world.seed, name, at.date()).between(100, 3000, 5)
        change = (day.close / day.open - 1) * 100 if day else Decimal(0)
        return {
            "symbol": name, "last": last, "lowestAsk": places(last * Decimal("1.0002"), 4),
            "highestBid": places(last * Decimal("0.9998"), 4), "percentageChange": places(change, 9),
            "volume": places(size * last, 8), "high24Hr": places(day.high, 4) if day else last,
            "low24Hr": places(day.low, 4) if day else last, "base": base, "quote": quote, "active": True, "size": size,
            "minValidPrice": Decimal("0.01"), "minPriceIncrement": Decimal("0.1"), "minOrderSize": Decimal("0.00001"),
            "maxOrderSize": 2000, "minSizeIncrement": Decimal("0.00001"), "openInterest": 0, "openInterestUSD": 0,
            "contractStart": 0, "contractEnd": 0, "timeBasedContract": False, "openTime": 0, "closeTime": 0,
            "startMatching": 0, "inactiveTime": 0, "fundingRate": 0, "contractSize": 0, "maxPosition": 0,
            "minRiskLimit": 0, "maxRiskLimit": 0, "availableSettlement": None, "futures": False,
            "isMarketOpenToOtc": False, "isMarketOpenToSpot": True,
        }  # fmt: skip
