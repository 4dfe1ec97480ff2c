"""What of Tether.to is asked, and how it is signed, judged and paged.

Every path is signed as it is sent and never carries a query. The transactions are read by `walk`; here are the
key's check, the balances and the exchange orders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC

from exchanges import wire
from exchanges.connector import Clock, Cursor, Facts, KeyReport, NonceSource, Page, Progress
from exchanges.errors import ExchangeError, KeyRejected, MissingRight
from exchanges.line import Line
from exchanges.records import Balance
from exchanges.tether import sign
from exchanges.tether.judge import judge
from exchanges.tether.normalise import BALANCES, EVERYTHING, ORDERS, TRANSACTIONS, balance
from exchanges.tether.prices import RATE_PATHS, TetherPrices, first_answer
from exchanges.tether.sheets import listed, sheet
from exchanges.tether.walk import LIST_PATH, Walk

# Knowledge Base: https://tether.to/en/api-documentation ; orders and rates: the reference of 2015 only.
BALANCES_PATH = "/api/v1/balances.json"
ORDER_PATHS = ("/api/v1/exchange_orders.json", "/api/v1/exchange_orders")
ALLOWED: tuple[re.Pattern[str] | str, ...] = (
    BALANCES_PATH,
    LIST_PATH,
    re.compile(r"/api/v1/transactions/page/[0-9]{1,5}"),
    re.compile(r"/api/v1/transactions/[0-9A-Za-z-]{1,64}\.json"),
    *ORDER_PATHS,
    *RATE_PATHS,
)
SKEW_LIMIT = 900.0
"""Seconds by which the Date of a request may differ; measured on the server's own library."""


class Signer:
    """Signs each path with the form in use; the form changes only while a key is being checked."""

    def __init__(self, *, key: str, secret: str, clock: Clock, facts: Facts) -> None:
        """`facts["form"]` is the form that an earlier check found to work."""
        self._key = key
        self._secret = secret
        self._clock = clock
        known = facts.get("form")
        self.form = sign.Form(known) if known in list(sign.Form) else sign.Form.VERB

    def __call__(self, path: str) -> Mapping[str, str]:
        """The headers of one try."""
        return sign.headers(
            self.form, key=self._key, secret=self._secret, path=path, at=self._clock.now().astimezone(UTC)
        )


class TetherConnector:
    """One account at Tether.to, read-only."""

    streams: Sequence[str] = (TRANSACTIONS, ORDERS)

    def __init__(self, line: Line, *, key: str, secret: str, nonce: NonceSource, facts: Facts) -> None:
        """Nothing is asked yet. Tether.to knows no nonce."""
        self._signer = Signer(key=key, secret=secret, clock=line.clock, facts=facts)
        self._transport = line.transport(
            allowed=ALLOWED, sign=self._signer, judge=judge, skew_limit=SKEW_LIMIT
        )
        self._clock = line.clock
        self.prices = TetherPrices(line, self._transport)
        """The exchange's rates, signed: they answer to keys with read_exchange_rates, if at all."""

    def check(self) -> KeyReport:
        """Read the balances with the newest signing form, on 401 with the older ones; then the transactions."""
        self._find_form()
        try:
            self._transport.get(LIST_PATH)
        except MissingRight as error:
            raise _lacks("read_transactions", error) from None
        return KeyReport(
            facts={"form": self._signer.form.value},
            evidence=(
                "read_balances: the balances were answered.",
                "read_transactions: the transactions were answered.",
                "Tether.to does not tell what else a key may do: make sure that create_transaction and "
                "create_exchange_order are not ticked.",
            ),
        )

    def _find_form(self) -> None:
        refused: KeyRejected | None = None
        for form in sign.Form:
            self._signer.form = form
            try:
                self._transport.get(BALANCES_PATH)
                return
            except KeyRejected as error:
                refused = refused or error
            except MissingRight as error:
                raise _lacks("read_balances", error) from None
        assert refused is not None
        raise refused

    def balances(self, progress: Progress) -> Iterator[Page]:
        """All balances in one answer; where a row cannot be read, the others one by one, as an incomplete list."""
        rows = listed(self._transport.get(BALANCES_PATH).value)
        readable, unreadable = _sorted_out(rows)
        if unreadable:
            raws = tuple(wire.record(BALANCES, name, row) for name, row in readable)
        else:
            raws = (wire.record(BALANCES, EVERYTHING, rows),)
        yield Page(
            stream=BALANCES,
            raws=raws,
            unreadable=tuple(wire.unreadable(BALANCES, row, reason) for row, reason in unreadable),
            cursor=progress.cursor,
            complete=not unreadable,
            sent=len(raws) + len(unreadable),
        )

    def read(self, stream: str, progress: Progress) -> Iterator[Page]:
        """The rows of one ledger stream from where `progress` stands."""
        if stream == TRANSACTIONS:
            return Walk(self._transport, self._clock, progress).pages()
        if stream == ORDERS:
            return self._orders(progress)
        raise ValueError(f"Tether.to has no stream “{stream}”.")

    def skew(self) -> float | None:
        """Exchange's clock minus ours in seconds as last seen, or None."""
        return self._transport.skew

    def _orders(self, progress: Progress) -> Iterator[Page]:
        """All exchange orders, where the endpoint still lives; our guide does not ask for its right."""
        cursor = progress.cursor
        if cursor.get("not_offered") and not progress.full:
            return
        now = self._clock.now().isoformat()
        answered = first_answer(self._transport, ORDER_PATHS, cursor.get("path"))
        if answered is None:
            remembered: Cursor = {"not_offered": True, "asked": now}
            yield Page(stream=ORDERS, cursor=remembered, not_offered=True)
            return
        path, value = answered
        found = sheet(ORDERS, listed(value))
        yield Page(
            stream=ORDERS,
            raws=found.raws,
            unreadable=found.unreadable,
            cursor={"path": path, "asked": now},
            sent=found.sent,
        )


def _lacks(right: str, error: ExchangeError) -> MissingRight:
    return MissingRight(
        f"The key lacks the right {right}. Make a key with read_balances and read_transactions.",
        said=error.said,
    )


def _sorted_out(
    rows: list[wire.Value],
) -> tuple[list[tuple[str, wire.Value]], list[tuple[wire.Value, str]]]:
    """Rows that can be read, with the currency's name as sent; and the others with their reasons."""
    readable: list[tuple[str, wire.Value]] = []
    seen: dict[str, Balance] = {}
    bad: list[tuple[wire.Value, str]] = []
    for row in rows:
        try:
            name, one = balance(wire.fields(row))
            if seen.setdefault(name, one) != one:
                raise ValueError("one currency is listed twice with different amounts")
            readable.append((name, row))
        except ValueError as error:
            bad.append((row, str(error)))
    return readable, bad
