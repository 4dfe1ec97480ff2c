"""Tokens.net as a WSGI application: the web page's calls and those that only its clients knew.

An independent reading: nothing here knows the connector. The signature covers nonce and key only; a nonce must rise
per key; amounts are text with eight decimals, times are Unix seconds.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.sandbox.tokens_market import NAMES, TokensMarket, said, wrong
from exchanges.sandbox.web import JSON, Account, Exchange, Refusal, Request, Route, route
from exchanges.sandbox.world import Balance, Order, Row, World
from exchanges.sandbox.world.dice import places
from exchanges.sandbox.world.tokens_net import PAIRS

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class TokensNet(Exchange):
    """The exchange. Switches beyond the common ones are explained at `__init__`."""

    name = "tokens_net"
    all_rights = frozenset({"read", "trade"})
    read_rights = frozenset({"read"})

    def __init__(
        self,
        world: World,
        *,
        key: str,
        secret: str,
        page_size: int = 50,
        errors_with_200: bool = False,
        lower_status: bool = False,
        **common: Any,
    ) -> None:
        """`page_size` of trades; `errors_with_200`: errors come with HTTP 200; `lower_status`: `filled`, not `Filled`."""
        self.page_size, self.errors_with_200, self.lower_status = page_size, errors_with_200, lower_status
        self.market = TokensMarket(world)
        super().__init__(world, key=key, secret=secret, **common)

    def routes(self) -> tuple[Route, ...]:
        """Documented ones, and those that only wire-facts names; transactions and deposit addresses are not offered."""

        def undocumented(path: str, handler: Any) -> Route:
            return route(path, handler, documented=False, right="read")

        return (
            undocumented("/private/balance/all/", self.balances),
            route("/private/balance/{currency}/", self.balance, right="read"),
            route("/private/orders/get/all/", self.open_orders, right="read"),
            route("/private/orders/get/{what}/", self.orders, right="read"),
            undocumented("/private/trades/all/{page}/", self.all_trades),
            undocumented("/private/trades/{pair}/{page}/", self.pair_trades),
            *(self.market.routes()),
        )

    def key_of(self, request: Request) -> tuple[str, str]:
        """The headers `key` and `nonce`."""
        return request.header("key"), request.header("nonce")

    def authenticate(self, request: Request, right: str) -> Account:
        """HMAC-SHA256 in upper hex over nonce and key; the nonce must exceed the last one."""
        key, nonce = self.key_of(request)
        sent = request.header("signature")
        for code, name, value in ((100, "API Key", key), (101, "Nonce", nonce), (102, "Signature", sent)):
            if not value:
                raise self._wrong(request, 401, code, f"{name} is missing")
        if not re.fullmatch(r"\d{1,18}", nonce, re.ASCII):
            raise self._wrong(request, 400, 110, "Nonce has to be integer")
        account = self._accounts.get(key)
        if account is None:
            raise self._wrong(request, 401, 120, "Invalid API key")
        if not hmac.compare_digest(signature(account.secret, key, nonce), sent):
            raise self._wrong(request, 401, 121, "Signature is invalid")
        if account.last_nonce is not None and int(nonce) <= account.last_nonce:
            raise self._wrong(request, 400, 111, "Provided nonce is less or equal to the last nonce")
        account.last_nonce = int(nonce)
        if right not in account.rights:
            raise self._wrong(request, 403, 122, "Insufficient permissions")
        return account

    def refusal(self, status: int, request: Request, text: str) -> Refusal:
        """429 has a code of its own in the document; the others are plain."""
        return wrong(request, status, status, "API rate limit exceeded" if status == 429 else text)

    def balance(self, request: Request, world: World, currency: str) -> JSON:
        """One currency."""
        code = currency.upper()
        if code not in NAMES:
            raise self._wrong(request, 400, 160, "Invalid currency code")
        one = world.tokens_net.balances(request.as_of).get(
            code, Balance(total=Decimal(0), available=Decimal(0))
        )
        return said(request, total=eight(one.total), currency=code, available=eight(one.available))

    def balances(self, request: Request, world: World) -> JSON:
        """Everything that is not zero."""
        held = {code: one for code, one in world.tokens_net.balances(request.as_of).items() if one.total}
        body = {
            code: {
                "total": eight(one.total), "available": eight(one.available),
                "usdtValue": self._worth(world, one.total, code, "USDT", request.as_of, 2),
                "btcValue": self._worth(world, one.total, code, "BTC", request.as_of, 8),
            }
            for code, one in held.items()
        }  # fmt: skip
        return said(request, balances=body)

    def open_orders(self, request: Request, world: World) -> JSON:
        """All that are open, newest first."""
        return said(request, openOrders=request.rows(self._open(request, world, None)))

    def orders(self, request: Request, world: World, what: str) -> JSON:
        """Open orders of a pair, or one order by its id whatever became of it."""
        if what in PAIRS:
            return said(request, openOrders=request.rows(self._open(request, world, what)))
        if not UUID.fullmatch(what):
            raise self._wrong(request, 400, 130, "Invalid trading pair")
        for order in world.tokens_net.orders(request.as_of):
            if order.id == what:
                return said(request, **self._whole(order, request))
        raise self._wrong(request, 404, 131, "Invalid order id")

    def all_trades(self, request: Request, world: World, page: str) -> JSON:
        """One page of all trades, newest first."""
        return self._trades(request, world, None, page)

    def pair_trades(self, request: Request, world: World, pair: str, page: str) -> JSON:
        """One page of one pair's trades."""
        if pair not in PAIRS:
            raise self._wrong(request, 400, 130, "Invalid trading pair")
        return self._trades(request, world, pair, page)

    def _trades(self, request: Request, world: World, pair: str | None, page: str) -> JSON:
        if not page.isdigit() or int(page) < 1:
            raise self._wrong(request, 400, 150, "Parameter page is invalid with error: not a number above 0")
        rows = [
            row
            for row in request.listed(world.tokens_net.rows("trades", at=request.as_of))
            if pair in (None, row.facts["pair"])
        ][::-1]
        start = (int(page) - 1) * self.page_size
        shown = [trade(row) for row in rows[start : start + self.page_size]]
        pages = max(-(-len(rows) // self.page_size), 1)
        return said(request, trades=request.rows(shown), page=int(page), pages=pages)

    def _open(self, request: Request, world: World, pair: str | None) -> list[dict[str, JSON]]:
        moment = request.as_of
        orders = world.tokens_net.orders(moment)[::-1]
        return [
            placed(one, moment)
            for one in orders
            if one.status(moment) == "Open" and pair in (None, pair_of(one))
        ]

    def _whole(self, order: Order, request: Request) -> dict[str, JSON]:
        moment = request.as_of
        status = order.status(moment)
        nested = [
            {
                "datetime": int(row.at.timestamp()), "id": int(row.id), "type": taker(row), "price": plain(row.facts["price"]),
                "amount": eight(row.amount), "value": eight(row.amount * Decimal(row.facts["price"])),
            }
            for row in order.fills
            if row.at <= moment
        ]  # fmt: skip
        return {
            **placed(order, moment), "orderStatus": status.lower() if self.lower_status else status,
            "trades": request.rows(nested),
        }  # fmt: skip

    def _wrong(self, request: Request, status: int, code: int, reason: str) -> Refusal:
        return wrong(request, 200 if self.errors_with_200 else status, code, reason)

    def _worth(self, world: World, total: Decimal, code: str, counter: str, at: datetime, digits: int) -> str:
        return f"{places(total * (world.prices.pair(code, counter, at) or 0), digits):f}"


def signature(secret: str, key: str, nonce: str) -> str:
    """What the exchange expects in `signature`."""
    return hmac.new(secret.encode(), f"{nonce}{key}".encode(), "sha256").hexdigest().upper()


def pair_of(order: Order) -> str:
    """The pair in its lower-case, joined form."""
    return f"{order.base}{order.counter}".lower()


def placed(order: Order, at: datetime) -> dict[str, JSON]:
    """An order as lists show it."""
    return {
        "id": order.id, "created": int(order.created.timestamp()), "type": order.side, "price": plain(order.price),
        "amount": eight(order.amount), "remainingAmount": eight(order.remaining(at)), "currencyPair": pair_of(order),
        "takeProfit": None if order.take_profit is None else plain(order.take_profit),
    }  # fmt: skip


def trade(row: Row) -> dict[str, JSON]:
    """A trade as the history shows it."""
    return {
        "id": int(row.id), "datetime": int(row.at.timestamp()), "type": row.kind, "amount": eight(row.amount),
        "currencyPair": row.facts["pair"], "price": plain(row.facts["price"]), "fee": eight(row.fee),
    }  # fmt: skip


def taker(row: Row) -> str:
    """Inside an order a trade's type looks like the taker's side: every third one differs from the order's."""
    other = "sell" if row.kind == "buy" else "buy"
    return other if int(row.id) % 3 == 0 else row.kind


def eight(amount: Decimal) -> str:
    """With eight decimals."""
    return f"{amount:.8f}"


def plain(price: Decimal | str) -> str:
    """Digits as they are, never an exponent."""
    return f"{Decimal(price):f}"
