"""Tokens.net's public side: pairs, tickers, order book, trades, currencies, voting. Amounts are text, times seconds."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.sandbox.web import JSON, Refusal, Request, Route, route
from exchanges.sandbox.world import World
from exchanges.sandbox.world.dice import Dice, places
from exchanges.sandbox.world.tokens_net import PAIRS, QUIET

NAMES = {
    "BTC": "Bitcoin", "ETH": "Ether", "LTC": "Litecoin", "XRP": "Ripple", "DTR": "Dynamic Trading Rights",
    "DTRV": "DTR Voucher", "USDT": "Tether",
}  # fmt: skip
SPANS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


def said(request: Request, **body: JSON) -> JSON:
    """Status and time beside the answer."""
    return {"status": "ok", "timestamp": int(request.now.timestamp()), **body}


def wrong(request: Request, status: int, code: int, reason: str) -> Refusal:
    """An error with the document's code."""
    body = {"timestamp": int(request.now.timestamp()), "status": "error", "errorCode": code, "reason": reason}
    return Refusal(status, body)


class TokensMarket:
    """Everything that Tokens.net says to anybody."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> tuple[Route, ...]:
        """The web page's paths, then those that only clients knew."""
        return (
            route("/public/trading-pairs/get/all/", self.pairs),
            route("/public/ticker/all/", self.tickers, documented=False),
            route("/public/ticker/hour/{pair}/", self.hour),
            route("/public/ticker/{pair}/", self.day),
            route("/public/order-book/all/{pair}/", self.book, documented=False),
            route("/public/order-book/{pair}/", self.book),
            route("/public/trades/{span}/{pair}/", self.trades),
            route("/public/voting/get/all/", self.voting),
            route("/public/currency/all/", self.currencies, documented=False),
        )

    def pairs(self, request: Request) -> JSON:
        """Keyed by pair, without status or time."""
        return {
            name: {
                "title": f"{base}/{counter}", "amountDecimals": 8 - digits, "priceDecimals": digits,
                "minAmount": "0.0005", "baseCurrency": base.lower(), "counterCurrency": counter.lower(),
            }
            for name, (base, counter, digits) in PAIRS.items()
        }  # fmt: skip

    def day(self, request: Request, pair: str) -> JSON:
        """The last day of one pair."""
        return said(request, **self._ticker(request, self._known(request, pair), SPANS["day"]))

    def hour(self, request: Request, pair: str) -> JSON:
        """The last hour of one pair."""
        return said(request, **self._ticker(request, self._known(request, pair), SPANS["hour"]))

    def tickers(self, request: Request) -> JSON:
        """All pairs beside status and time."""
        return said(request, **{pair: self._ticker(request, pair, SPANS["day"]) for pair in PAIRS})

    def book(self, request: Request, pair: str) -> JSON:
        """Rows of [amount, price]."""
        _, _, digits = PAIRS[self._known(request, pair)]
        last = self._last(request, pair)
        dice = Dice(self._world.seed, pair, int(request.as_of.timestamp()) // 10)

        def side(sign: int) -> list[list[str]]:
            if not last:
                return []
            prices = [places(last * (1 + Decimal(sign * step) / 2000), digits) for step in range(1, 16)]
            return [[f"{dice.between('0.01', 3, 8):f}", f"{price:f}"] for price in prices]

        return said(request, bids=request.rows(side(-1)), asks=request.rows(side(1)))

    def trades(self, request: Request, span: str, pair: str) -> JSON:
        """What strangers traded lately, newest first."""
        length = SPANS.get(span)
        if length is None:
            raise wrong(request, 404, 150, "Parameter interval is invalid with error: unknown")
        base, counter, digits = PAIRS[self._known(request, pair)]
        now, rows = int(request.as_of.timestamp()), []
        step = max(int(length.total_seconds()) // 40, 15)
        for second in range(now - now % step, now - int(length.total_seconds()), -step):
            price = self._world.prices.pair(base, counter, request.as_of - timedelta(seconds=now - second))
            if price is None or pair in QUIET:
                break
            dice = Dice(self._world.seed, pair, "public", second)
            rows.append(
                {
                    "id": second // 15, "datetime": second, "price": f"{places(price, digits):f}",
                    "type": dice.one_of(("buy", "sell")), "amount": f"{dice.between('0.01', 4, 8):f}",
                }
            )  # fmt: skip
        return said(request, trades=request.rows(rows))

    def voting(self, request: Request) -> JSON:
        """Which coins may come next."""
        end = int(request.as_of.timestamp()) // 604800 * 604800 + 604800
        winner = {
            "currency": "XLM", "currencyName": "Stellar", "totalVotes": 10000, "publishStatus": 2,
            "winDate": end - 2419200, "addToMarketDate": end - 1209600,
        }  # fmt: skip
        active = [{"currency": "ADA", "currencyName": "Cardano", "votes": 5000}]
        return said(request, votingEndDate=end, winnerList=[winner], activeList=request.rows(active))

    def currencies(self, request: Request) -> JSON:
        """Names, decimals and rough values."""
        body = {
            code: {
                "decimals": 8, "name": name, "usdtValue": self._worth(request, code, "USDT", 2),
                "btcValue": self._worth(request, code, "BTC", 8), "ethValue": self._worth(request, code, "ETH", 8),
                "withdrawalFee": "0.00050000", "minimalWithdrawal": "0.00100000", "canWithdraw": True,
            }
            for code, name in NAMES.items()
        }  # fmt: skip
        return said(request, currencies=body)

    def _known(self, request: Request, pair: str) -> str:
        if pair not in PAIRS:
            raise wrong(request, 400, 130, "Invalid trading pair")
        return pair

    def _worth(self, request: Request, code: str, counter: str, digits: int) -> str:
        return f"{places(self._world.prices.pair(code, counter, request.as_of) or Decimal(0), digits):f}"

    def _last(self, request: Request, pair: str) -> Decimal:
        base, counter, digits = PAIRS[pair]
        price = None if pair in QUIET else self._world.prices.pair(base, counter, request.as_of)
        return places(price or Decimal(0), digits)

    def _ticker(self, request: Request, pair: str, span: timedelta) -> dict[str, str]:
        base, counter, digits = PAIRS[pair]
        last, now = self._last(request, pair), request.as_of
        bar = self._world.prices.bar(base, counter, now - span, span, now) if last else None
        volume = Dice(self._world.seed, pair, now.date()).between(1, 400, 8) if bar else Decimal(0)

        def show(price: Decimal) -> str:
            return f"{places(price, digits):f}"

        mean = (bar.high + bar.low) / 2 if bar else Decimal(0)
        return {
            "last": show(last), "bid": show(last * Decimal("0.9995")), "ask": show(last * Decimal("1.0005")),
            "open": show(bar.open if bar else last), "low": show(bar.low if bar else last),
            "high": show(bar.high if bar else last), "vwap": f"{places(mean, 8):f}", "volume": f"{places(volume, 8):f}",
            "volume_usdt": f"{places(volume * mean, 8):f}",
        }  # fmt: skip
