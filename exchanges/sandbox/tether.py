"""Tether.to as a WSGI application: the 2015 shapes and the three ages of its signature.

An independent reading: nothing here knows the connector. Amounts are text of varying length, times carry +08:00 and
currency names the tugrik sign; the page number is in the path; a query string breaks the signature.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from exchanges.sandbox.web import JSON, Account, Exchange, Refusal, Request, Route, route
from exchanges.sandbox.world import Row, Status, World
from exchanges.sandbox.world.ledger import EXACT

EMPTY_MD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="
NAMES = {"USDT": "USD₮", "EURT": "EUR₮", "XAUT": "XAU₮"}
ABROAD = timezone(timedelta(hours=8))
SKEW = timedelta(seconds=900)
WORDS = {
    Status.PENDING: "pending", Status.PROCESSING: "processing", Status.COMPLETED: "completed", Status.CANCELLED: "denied",
}  # fmt: skip


class Tether(Exchange):
    """The exchange. Switches beyond the common ones are explained at `__init__`."""

    name = "tether"
    all_rights = frozenset(
        {
            "read_balances",
            "read_transactions",
            "read_exchange_orders",
            "read_exchange_rates",
            "create_transaction",
        }
    )
    read_rights = frozenset(
        {"read_balances", "read_transactions", "read_exchange_orders", "read_exchange_rates"}
    )

    def __init__(
        self,
        world: World,
        *,
        key: str,
        secret: str,
        forms: Iterable[str] = ("B", "C"),
        page_size: int = 25,
        order: str = "desc",
        first_page: int = 1,
        past_end: str = "empty",
        recent: int | None = None,
        old_endpoints: bool = True,
        page_suffix: bool = False,
        **common: Any,
    ) -> None:
        """`forms`: accepted signing forms of A, B, C; `order` of pages: "desc" (newest first) or "asc"; `first_page`: 0
        or 1; `past_end`: "empty", "404" or "last" (the last page again); `recent`: rows of transactions.json (a page
        when None); `old_endpoints`: whether exchange_orders and exchange_rates still answer."""
        self.forms, self.page_size, self.order, self.first_page = (
            frozenset(forms),
            page_size,
            order,
            first_page,
        )
        self.past_end, self.recent, self.old_endpoints, self.page_suffix = (
            past_end,
            recent,
            old_endpoints,
            page_suffix,
        )
        self._after: dict[tuple[int, int, int], dict[str, Decimal]] = {}
        super().__init__(world, key=key, secret=secret, **common)

    def routes(self) -> tuple[Route, ...]:
        """The Knowledge Base's paths, then those of 2015."""
        base = "/api/v1"

        def old(path: str, handler: Any, right: str) -> Route:
            return route(base + path + r"(?:\.json)?", handler, documented=False, right=right)

        return (
            route(rf"{base}/balances(?:\.json)?", self.balances, right="read_balances"),
            route(rf"{base}/transactions(?:\.json)?", self.transactions, right="read_transactions"),
            route(
                rf"{base}/transactions/page/(?P<page>\d+)(?:\.json)?", self.page, right="read_transactions"
            ),
            route(
                rf"{base}/transactions/(?P<id>\d+)(?:\.json)?", self.transaction, right="read_transactions"
            ),
            old("/exchange_orders", self.exchange_orders, "read_exchange_orders"),
            old(r"/exchange_orders/(?P<id>\d+)", self.exchange_order, "read_exchange_orders"),
            old("/exchange_rates", self.exchange_rates, "read_exchange_rates"),
        )

    def key_of(self, request: Request) -> tuple[str, str]:
        """The key in the Authorization header; there is no nonce."""
        scheme, _, rest = request.header("authorization").partition(" ")
        return (rest.rpartition(":")[0], "") if scheme == "APIAuth" else ("", "")

    def authenticate(self, request: Request, right: str) -> Account:
        """APIAuth: an HMAC-SHA1 in base64 over one of the accepted forms, path and query as they were sent."""
        key, _ = self.key_of(request)
        account = self._accounts.get(key)
        sent = request.header("authorization").rpartition(":")[2]
        if (
            account is None
            or not self._is_timely(request)
            or not self._is_signed(request, account.secret, sent)
        ):
            raise Refusal(401, None)  # The gem's standard recipe: no body at all.
        if right not in account.rights:
            raise self.refusal(403, request, "Forbidden")
        return account

    def refusal(self, status: int, request: Request, text: str) -> Refusal:
        """Code and text."""
        return Refusal(status, {"code": status, "error": text})

    def balances(self, request: Request, world: World) -> JSON:
        """Confirmed, and what is on its way."""
        moment = request.as_of
        held = world.tether.balances(moment)
        pending = dict.fromkeys(held, Decimal(0))
        for row in world.tether.rows(at=moment):
            if moment < row.settles:
                pending[row.asset] = EXACT.add(pending.get(row.asset, Decimal(0)), row.amount)
        return request.rows(
            {"confirmed": text(held[name].total), "pending": text(amount), "currency": NAMES.get(name, name)}
            for name, amount in pending.items()
            if name in held
        )

    def transactions(self, request: Request, world: World) -> JSON:
        """The most recent ones."""
        rows = self._all(request, world)
        newest = sorted(rows, key=lambda row: int(row.id))[-(self.recent or self.page_size) :]
        return request.rows(
            self._shown(newest[::-1] if self.order == "desc" else newest, world, request.as_of)
        )

    def page(self, request: Request, world: World, page: str) -> JSON:
        """One page of all of them."""
        rows = sorted(self._all(request, world), key=lambda row: int(row.id), reverse=self.order == "desc")
        index = int(page) - self.first_page
        last = max((len(rows) - 1) // self.page_size, 0)
        if index > last and self.past_end == "404":
            raise self.refusal(404, request, "Not Found")
        if index > last and self.past_end == "last":
            index = last
        start = index * self.page_size
        chosen = rows[start : start + self.page_size] if index >= 0 else []
        return request.rows(self._shown(chosen, world, request.as_of))

    def transaction(self, request: Request, world: World, id: str) -> JSON:
        """One transaction by its id."""
        for row in self._all(request, world):
            if row.id == id:
                return self._shown([row], world, request.as_of)[0]
        raise self.refusal(404, request, "Not Found")

    def exchange_orders(self, request: Request, world: World) -> JSON:
        """One per conversion."""
        self._need_old(request)
        return request.rows(self._orders(request, world))

    def exchange_order(self, request: Request, world: World, id: str) -> JSON:
        """One conversion by its id."""
        self._need_old(request)
        for order in self._orders(request, world):
            if str(order["id"]) == id:
                return order
        raise self.refusal(404, request, "Not Found")

    def exchange_rates(self, request: Request, world: World) -> JSON:
        """What Tether's own tokens cost in each other."""
        self._need_old(request)
        pairs = [(a, b) for a in NAMES for b in NAMES if a != b]
        rates = [(a, b, world.prices.pair(a, b, request.as_of)) for a, b in pairs]
        return request.rows(
            {"source_currency": NAMES[a], "target_currency": NAMES[b], "exchange_rate": f"{rate:f}"}
            for a, b, rate in rates
            if rate is not None
        )

    def _need_old(self, request: Request) -> None:
        if not self.old_endpoints:
            raise self.refusal(404, request, "Not Found")

    def _is_timely(self, request: Request) -> bool:
        try:
            sent = parsedate_to_datetime(request.header("date"))
        except ValueError:
            return False
        return sent.tzinfo is not None and abs(sent - request.now) <= SKEW

    def _is_signed(self, request: Request, secret: str, sent: str) -> bool:
        query = str(request.environ.get("QUERY_STRING", ""))
        path = request.path + (f"?{query}" if query else "")
        expected = [
            signature(
                secret,
                form,
                path,
                request.header("date"),
                request.header("content-type"),
                request.header("content-md5"),
            )
            for form in self.forms
        ]
        return any(hmac.compare_digest(one, sent) for one in expected)

    def _all(self, request: Request, world: World) -> list[Row]:
        return request.listed(world.tether.rows("transactions", at=request.as_of))

    def _shown(self, rows: list[Row], world: World, at: datetime) -> list[dict[str, JSON]]:
        after = self._balances_after(world, at)
        return [shown(row, after[row.id], at) for row in rows]

    def _balances_after(self, world: World, at: datetime) -> dict[str, Decimal]:
        """Reckoned again only when something came or settled: pages of a long history ask for it often."""
        rows = world.tether.rows("transactions", at=at)
        known = (id(world), len(rows), sum(row.settles <= at for row in rows))
        if known not in self._after:
            self._after = {known: balances_after(rows, at)}
        return self._after[known]

    def _orders(self, request: Request, world: World) -> list[dict[str, JSON]]:
        rows = [
            row
            for row in self._all(request, world)
            if row.kind == "convert" and row.amount < 0 and "order" in row.facts
        ]
        return [exchange_order(row, request.as_of) for row in rows]


def signature(secret: str, form: str, path: str, date: str, content_type: str, content_md5: str) -> str:
    """Base64 HMAC-SHA1 over the fields of that form, joined by commas. C takes no Content-MD5, A and B the one sent."""
    fields = {
        "A": (content_type, content_md5, path, date),
        "B": ("GET", content_type, content_md5, path, date),
        "C": ("GET", content_type, "", path, date),
    }[form]
    return b64encode(hmac.digest(secret.encode(), ",".join(fields).encode(), "sha1")).decode()


def balances_after(rows: list[Row], at: datetime) -> dict[str, Decimal]:
    """The account's balance of the row's currency right after each row settled, or now where it has not."""
    running: dict[str, Decimal] = {}
    after: dict[str, Decimal] = {}
    for row in sorted(rows, key=lambda one: (min(one.settles, at), int(one.id))):
        if row.status(at) is Status.COMPLETED:
            running[row.asset] = EXACT.add(running.get(row.asset, Decimal(0)), row.amount)
        after[row.id] = running.get(row.asset, Decimal(0))
    return after


def shown(row: Row, balance: Decimal, at: datetime) -> dict[str, JSON]:
    """A transaction as Tether shows it; optional fields depend on its type."""
    status = row.status(at)
    body = {
        "id": int(row.id), "amount": text(row.amount), "balance": text(balance), "message": row.facts.get("message"),
        "created_at": iso(row.at), "updated_at": iso(min(row.settles, at)), "description": describe(row),
        "currency": NAMES.get(row.asset, row.asset), "status": WORDS[status], "could_be_exchanged": False,
        "tx_type": row.kind,
    }  # fmt: skip
    if row.kind in {"send", "receive"}:
        chain = row.facts.get("hash") if status is Status.COMPLETED else None
        body |= {"transaction_id": chain, "counterparty_address": row.facts.get("counterparty")}
    if row.kind in {"acquire", "redeem"}:
        body |= {"reference_id": row.facts.get("reference_id"), "fee": text(row.fee)}
    return body


def exchange_order(row: Row, at: datetime) -> dict[str, JSON]:
    """A conversion as the endpoint of 2015 shows it; its times end in Z."""
    when = row.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": int(row.facts["order"]), "uuid": row.facts["uuid"], "source_currency": NAMES[row.facts["source"]],
        "target_currency": NAMES[row.facts["target"]], "original_amount": row.facts["sold"],
        "exchanged_amount": row.facts["bought"], "exchange_rate": row.facts["rate"],
        "status": WORDS[row.status(at)].capitalize(), "created_at": when, "updated_at": when,
    }  # fmt: skip


def describe(row: Row) -> str:
    """A sentence such as the account page shows."""
    verbs = {
        "acquire": "Acquired",
        "redeem": "Redeemed",
        "send": "Sent",
        "receive": "Received",
        "convert": "Converted",
    }
    return f"{verbs.get(row.kind, row.kind)} {NAMES.get(row.asset, row.asset)}"


def text(amount: Decimal) -> str:
    """At least one decimal, no more zeros than needed."""
    plain = f"{amount:f}"
    whole, _, rest = plain.partition(".")
    return f"{whole}.{rest.rstrip('0') or '0'}"


def iso(at: datetime) -> str:
    """Seconds, eight hours east."""
    return at.astimezone(ABROAD).isoformat(timespec="seconds")
