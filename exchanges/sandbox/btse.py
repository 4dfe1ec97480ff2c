"""BTSE as a WSGI application: the wallet document 1.1.0 and what is known of the wire beyond it.

An independent reading: nothing here knows the connector. Numbers are JSON numbers, type, status and orderId are text,
zero balances are sent, the query is not signed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from exchanges.sandbox.btse_market import LISTED, MARKETS, Market, bad, failure, success
from exchanges.sandbox.web import JSON, Account, Exchange, Refusal, Request, Route, milliseconds, route
from exchanges.sandbox.world import Row, Status, World
from exchanges.sandbox.world.prices import from_seconds

WEEK = timedelta(days=7)
MOST = 500
NUMERIC = {Status.PENDING: 1, Status.PROCESSING: 2, Status.COMPLETED: 10, Status.CANCELLED: 16}
UNIFIED = {
    "Deposit": "DEPOSIT", "Withdraw": "WITHDRAW", "Convert fiat": "CONVERT", "Transfer_In": "TRANSFER_IN",
    "Transfer_Out": "TRANSFER_OUT", "ReferralEarning": "REFERRAL",
}  # fmt: skip


class Btse(Exchange):
    """The exchange. Switches beyond the common ones are explained at `__init__`."""

    name = "btse"
    all_rights = frozenset({"Read", "Trading", "Wallet", "Transfer", "Withdraw"})
    read_rights = frozenset({"Read"})

    def __init__(
        self,
        world: World,
        *,
        key: str,
        secret: str,
        pace: int | None = 5,
        header_families: Iterable[str] = ("btse", "request"),
        windows: str = "honour",
        reach: timedelta | None = None,
        default_count: int = 50,
        nonce_drift: timedelta | None = timedelta(seconds=60),
        numeric_status: bool = False,
        wallet_name: str = "SPOT@",
        missing_right: int = 401,
        **common: Any,
    ) -> None:
        """`windows` of wallet_history: "honour" long ones or "clamp" to seven days by moving the start; `reach`: how far
        back history goes; `default_count`: rows without `count`; `nonce_drift`: how far a nonce may be from the clock;
        `missing_right`: 401 as today or 403 as documented."""
        self.header_families, self.windows, self.reach = frozenset(header_families), windows, reach
        self.default_count, self.nonce_drift, self.numeric_status = default_count, nonce_drift, numeric_status
        self.wallet_name, self.missing_right = wallet_name, missing_right
        self.market = Market(world)
        super().__init__(world, key=key, secret=secret, pace=pace, **common)

    def routes(self) -> tuple[Route, ...]:
        """The wallet document's paths, then those that only wire-facts names."""
        spot, unified = "/spot/api/v3.2", "/public-api/wallet/v1/user"

        def undocumented(path: str, handler: Any, right: str = "Read") -> Route:
            return route(path, handler, documented=False, right=right)

        return (
            route(f"{spot}/user/wallet", self.wallet, right="Read"),
            route(f"{spot}/user/wallet_history", self.wallet_history, right="Read"),
            route(f"{spot}/user/wallet/address", self.address, right="Wallet"),
            undocumented("/spot/api/v3.[23]/user/trade_history", self.trade_history),
            undocumented("/spot/api/v4/trade/trade_history", self.unified_trades),
            undocumented("/spot/api/v3.[23]/user/fees", self.fees),
            undocumented("/spot/api/v3.[23]/user/open_orders", self.nothing, "Trading"),
            undocumented("/spot/api/v3.[23]/invest/orders", self.nothing, "Wallet"),
            undocumented(f"{spot}/subaccount/wallet/history", self.subaccounts),
            undocumented(f"{unified}/assets", self.assets),
            undocumented(f"{unified}/walletHistory", self.unified_history),
            undocumented("/futures/api/v2.[123]/user/wallet", self.nothing),
            undocumented("/futures/api/v2.3/user/wallet_history", self.nothing),
            *self.market.routes(),
        )

    def key_of(self, request: Request) -> tuple[str, str]:
        """From whichever header family was sent."""
        family = self._family(request)
        return request.header(f"{family}-api"), request.header(f"{family}-nonce")

    def authenticate(self, request: Request, right: str) -> Account:
        """HMAC-SHA384 in lower hex over path (without product) and nonce; a nonce rises and is near the clock."""
        family = self._family(request)
        key, nonce, sign = (request.header(f"{family}-{part}") for part in ("api", "nonce", "sign"))
        for part, value in (("api", key), ("nonce", nonce), ("sign", sign)):
            if not value:
                raise bad(400, -2, f"{part} parameter is mandatory")
        account = self._accounts.get(key)
        if account is None or not hmac.compare_digest(signature(account.secret, request.path, nonce), sign):
            raise failure(request, 401, 10002, "UNAUTHORIZED: Authentication Failed")
        self._check_nonce(account, nonce, request)
        if right not in account.rights:
            raise failure(request, self.missing_right, 10002, "UNAUTHORIZED: Insufficient permission")
        return account

    def refusal(self, status: int, request: Request, text: str) -> Refusal:
        """The documented envelope; 303 is the code of a broken rate limit."""
        code = 303 if status == 429 else status
        return Refusal(status, {"status": status, "error": text, "code": code, "message": text})

    def wallet(self, request: Request, world: World) -> JSON:
        """All currencies, the empty ones too."""
        held = world.btse.balances(request.as_of)
        names = [*held, *(name for name in LISTED if name not in held)]
        return request.rows(
            {
                "currency": name,
                "total": held[name].total if name in held else 0,
                "available": held[name].available if name in held else 0,
            }
            for name in names
        )

    def wallet_history(self, request: Request, world: World) -> JSON:
        """Newest first, at most `count`, no pages."""
        count = self._count(request)
        currency = request.query.get("currency")
        start, end = self._window(request, clamp=self.windows == "clamp")
        rows = [
            row
            for row in request.listed(world.btse.rows("wallet", at=request.as_of, since=start))
            if start <= row.at <= end
            and (currency in (None, row.asset) or currency == row.facts.get("target"))
        ]
        return request.rows(self._wallet_row(row, request.as_of) for row in rows[::-1][:count])

    def address(self, request: Request, world: World) -> JSON:
        """Answers only to a key with the right Wallet."""
        if not request.query.get("currency"):
            raise bad(400, -2, "Required parameter 'currency' is not present")
        born = world.btse.rows(at=request.as_of)[:1]
        return [
            {"address": "bc1qsandboxsandboxsandbox", "created": int(born[0].at.timestamp()) if born else 0}
        ]

    def trade_history(self, request: Request, world: World) -> JSON:
        """Fills of one market, newest first, at most seven days: a longer span moves the start."""
        return request.rows(fill(row) for row in self._fills(request, world))

    def unified_trades(self, request: Request, world: World) -> JSON:
        """The same under other names."""
        rows = [
            {("orderSide" if name == "side" else name): value for name, value in fill(row).items()}
            for row in self._fills(request, world)
        ]
        return success(request, request.rows(rows))

    def fees(self, request: Request, world: World) -> JSON:
        """The same rate everywhere."""
        asked = request.query.get("symbol")
        return [
            {"symbol": name, "makerFee": Decimal("0.0005"), "takerFee": Decimal("0.0006")}
            for name in MARKETS
            if asked in (None, name)
        ]

    def nothing(self, request: Request, world: World) -> JSON:
        """This user has no open orders, investments or futures."""
        return []

    def subaccounts(self, request: Request, world: World) -> JSON:
        """No sub-accounts."""
        empty = {"totalRows": 0, "pageSize": 10, "currentPage": 1, "totalPages": 0, "data": []}
        return success(request, empty)

    def assets(self, request: Request, world: World) -> JSON:
        """Balances in the newer shape."""
        held = world.btse.balances(request.as_of)
        rows = [
            {
                "asset": name,
                "type": "SPOT",
                "totalAmount": f"{one.total:f}",
                "availableAmount": f"{one.available:f}",
            }
            for name, one in held.items()
        ]
        return success(request, request.rows(rows))

    def unified_history(self, request: Request, world: World) -> JSON:
        """One asset, the last 120 days at most, seven without a span."""
        asset = request.query.get("asset")
        if not asset:
            raise failure(
                request,
                400,
                11000001,
                "Request parameter is error, 'asset' is required in spot wallet history query",
            )
        start, end = self._window(request, clamp=False, default=WEEK)
        start = max(start, request.as_of - timedelta(days=120))
        rows = [
            row
            for row in request.listed(world.btse.rows("wallet", at=request.as_of, since=start))
            if start <= row.at <= end and row.asset == asset
        ]
        size = int(request.query.get("pageSize", "50"))
        return success(request, request.rows(unified(row, request.as_of) for row in rows[::-1][:size]))

    def _family(self, request: Request) -> str:
        sent = [
            name
            for name in ("request", "btse")
            if name in self.header_families and request.header(f"{name}-api")
        ]
        return sent[0] if sent else "request" if "request" in self.header_families else "btse"

    def _check_nonce(self, account: Account, nonce: str, request: Request) -> None:
        good = nonce.isascii() and nonce.isdigit() and len(nonce) < 18
        if good and self.nonce_drift is not None:
            good = abs(int(nonce) - milliseconds(request.now)) <= self.nonce_drift / timedelta(milliseconds=1)
        if good and account.last_nonce is not None:
            good = int(nonce) > account.last_nonce
        if not good:
            raise failure(request, 401, 10002, "UNAUTHORIZED: Invalid nonce")
        account.last_nonce = int(nonce)

    def _count(self, request: Request) -> int:
        text = request.query.get("count", str(self.default_count))
        if not text.isdigit():
            raise bad(400, -2, "count is not valid")
        if int(text) > MOST:
            raise bad(400, -2, f"Can't support count more than {MOST}")
        return int(text)

    def _window(
        self, request: Request, *, clamp: bool, default: timedelta | None = None
    ) -> tuple[datetime, datetime]:
        moments = {}
        for name in ("startTime", "endTime"):
            text = request.query.get(name, "")
            if text and (not text.isdigit() or len(text) > 14):
                raise bad(400, -2, f"{name} is not valid")
            moments[name] = from_seconds(0) + timedelta(milliseconds=int(text)) if text else None
        end = moments["endTime"] or request.as_of
        start = moments["startTime"] or (end - default if default else from_seconds(0))
        if clamp:
            start = max(start, end - WEEK)
        return (max(start, request.as_of - self.reach) if self.reach else start), end

    def _fills(self, request: Request, world: World) -> list[Row]:
        symbol = request.query.get("symbol")
        if not symbol:
            raise bad(400, -2, "Required parameter 'symbol' is not present")
        count = self._count(request)
        start, end = self._window(request, clamp=True, default=WEEK)
        rows = request.listed(world.btse.rows("fills", at=request.as_of, since=start))
        return [row for row in rows if row.facts["symbol"] == symbol and start <= row.at <= end][::-1][:count]

    def _wallet_row(self, row: Row, at: datetime) -> dict[str, JSON]:
        status = row.status(at)
        done = status is Status.COMPLETED
        facts = row.facts
        return {
            "username": "demo", "orderId": row.id, "wallet": self.wallet_name, "currency": row.asset, "type": row.kind,
            "amount": row.amount, "fees": row.fee, "description": facts.get("description", ""),
            "timestamp": milliseconds(row.at), "status": NUMERIC[status] if self.numeric_status else str(status),
            "txId": facts.get("hash", "") if done else "", "toAddress": facts.get("address", ""),
            "currencyNetwork": facts.get("network", ""), "sourceCurrency": row.asset,
            "sourceAmount": row.amount if "target" in facts else 0, "targetCurrency": facts.get("target", ""),
            "targetAmount": Decimal(facts.get("target_amount", "0")), "rate": Decimal(facts.get("rate", "0")),
        }  # fmt: skip


def signature(secret: str, path: str, nonce: str) -> str:
    """What the exchange expects in `…-sign` for a GET: the product prefix belongs to the host, not to the path."""
    signed = path
    for product in ("/spot", "/futures"):
        signed = signed.removeprefix(product) if path.startswith(f"{product}/") else signed
    return hmac.new(secret.encode(), f"{signed}{nonce}".encode(), "sha384").hexdigest()


def fill(row: Row) -> dict[str, JSON]:
    """A fill as trade_history shows it."""
    base, quote = row.facts["symbol"].split("-")
    price = Decimal(row.facts["price"])
    return {
        "tradeId": row.id, "orderId": row.facts["order"], "clOrderID": None, "username": "demo", "side": row.kind,
        "orderType": 77, "triggerType": 0, "price": price, "size": row.amount, "filledPrice": price,
        "filledSize": row.amount, "triggerPrice": 0, "base": base, "quote": quote, "symbol": row.facts["symbol"],
        "feeCurrency": row.facts["fee_asset"], "feeAmount": row.fee, "wallet": "SPOT@", "realizedPnl": 0, "total": 0,
        "serialId": int(row.facts["serial"]), "timestamp": milliseconds(row.at), "avgFilledPrice": price,
    }  # fmt: skip


def unified(row: Row, at: datetime) -> dict[str, JSON]:
    """A wallet row in the newer shape: text amounts."""
    return {
        "transactionTime": milliseconds(row.at), "type": UNIFIED.get(row.kind, row.kind.upper().replace(" ", "_")),
        "walletName": "SPOT@", "asset": row.asset, "netAmount": f"{row.amount - row.fee:f}", "amount": f"{row.amount:f}",
        "transactionRef": row.id, "status": str(row.status(at)), "description": row.facts.get("description"),
        "fees": f"{row.fee:f}", "cryptoNetwork": row.facts.get("network"), "toAddress": row.facts.get("address"),
        "confirmTimes": "(15/15)", "txId": row.facts.get("hash"),
    }  # fmt: skip
