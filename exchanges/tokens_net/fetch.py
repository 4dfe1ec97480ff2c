"""What of Tokens.net is asked for one account, and in which order.

One request at a time, each with a nonce drawn afresh. Balances are here; orders and trades are read by `orders`
and `trades`. The list of transactions is not asked for: the shape of its answer is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from exchanges import wire
from exchanges.connector import Clock, Cursor, Facts, KeyReport, NonceSource, Page, Progress
from exchanges.errors import (
    BadRequest,
    ExchangeError,
    ExchangeFault,
    Hostile,
    MissingRight,
    NonceRejected,
    NotOffered,
)
from exchanges.line import Line
from exchanges.records import Balance
from exchanges.tokens_net import sign
from exchanges.tokens_net.answers import held, without_envelope
from exchanges.tokens_net.judge import judge
from exchanges.tokens_net.normalise import (
    BALANCES,
    EVERYTHING,
    ORDERS,
    PAIRS,
    REFERENCE,
    TRADES,
    balance,
    under,
)
from exchanges.tokens_net.normalise import pairs as read_pairs
from exchanges.tokens_net.orders import Orders
from exchanges.tokens_net.prices import NAME, PAIRS_PATH, get
from exchanges.tokens_net.trades import Trades

ALL_BALANCES_PATH = "/private/balance/all/"
ALLOWED: tuple[re.Pattern[str] | str, ...] = (
    re.compile(rf"/private/balance/{NAME}/"),
    re.compile(rf"/private/orders/get/{NAME}/"),
    re.compile(r"/private/orders/get/[0-9A-Za-z-]{8,64}/"),
    re.compile(r"/private/trades/all/[0-9]{1,6}/"),
)
MINUTE, DAY = 60 * sign.TICKS_PER_SECOND, 86_400 * sign.TICKS_PER_SECOND


class Signer:
    """Signs each try with a fresh nonce; after a refused one it draws from further ahead."""

    def __init__(self, *, key: str, secret: str, nonce: NonceSource, clock: Clock) -> None:
        """`nonce` never gives the same number twice."""
        self._key = key
        self._secret = secret
        self._nonce = nonce
        self._clock = clock
        self._lead = 0

    def __call__(self, path: str) -> Mapping[str, str]:
        """The headers of one try; the path is not part of the signature."""
        nonce = self._nonce(sign.ticks(self._clock.now()) + self._lead)
        return sign.headers(key=self._key, secret=self._secret, nonce=nonce)

    def judge(self, status: int, value: wire.Value, headers: Mapping[str, str]) -> None:
        """As the exchange's errors say; another program with a clock ahead of ours may have used the key."""
        try:
            judge(status, value, headers)
        except NonceRejected:
            self._lead = MINUTE if self._lead == 0 else DAY
            raise


class TokensNetConnector:
    """One account at Tokens.net, read-only."""

    streams: Sequence[str] = (ORDERS, TRADES)

    def __init__(self, line: Line, *, key: str, secret: str, nonce: NonceSource, facts: Facts) -> None:
        """Nothing is asked yet; there is nothing that would have to be remembered of a key."""
        signer = Signer(key=key, secret=secret, nonce=nonce, clock=line.clock)
        self._private = line.transport(allowed=ALLOWED, sign=signer, judge=signer.judge)
        self._public = line.transport(allowed=(PAIRS_PATH,), judge=judge)
        self._clock = line.clock
        self._pair_list: wire.Value = None

    def check(self) -> KeyReport:
        """Read the balances; where there is no list of all, the one of bitcoin."""
        try:
            get(self._private, ALL_BALANCES_PATH)
        except (NotOffered, BadRequest):
            get(self._private, "/private/balance/btc/")
        return KeyReport(
            warnings=("Tokens.net has no scopes: this key can trade. Holdfast only ever reads with it.",),
            evidence=("Reading: the balances were answered.",),
        )

    def balances(self, progress: Progress) -> Iterator[Page]:
        """All balances in one answer where that is offered, else one answer a currency."""
        if not progress.cursor.get("not_offered") or progress.full:
            try:
                answer = get(self._private, ALL_BALANCES_PATH)
            except (NotOffered, BadRequest, MissingRight):
                pass
            else:
                yield _all_balances(held(answer.value))
                return
        yield from self._each_balance(progress)

    def _each_balance(self, progress: Progress) -> Iterator[Page]:
        """One currency after the other; one that fails does not cost the others, but is reported at the end."""
        cursor: Cursor = {"not_offered": True, "asked": self._clock.now().isoformat()}
        failed: ExchangeError | None = None
        for name in self._currencies(progress):
            try:
                row = without_envelope(get(self._private, f"/private/balance/{name}/").value)
            except NotOffered:
                continue
            except (BadRequest, ExchangeFault, Hostile) as error:
                failed = failed or error
                continue
            raw = wire.record(BALANCES, wire.asset(name), row)
            yield Page(stream=BALANCES, raws=(raw,), cursor=cursor, complete=False, sent=1)
        if failed:
            raise failed

    def _currencies(self, progress: Progress) -> list[str]:
        """What the markets trade and what was held before, as paths spell it."""
        markets = read_pairs(self._pairs())
        names = {name for pair in markets for name in (pair.base, pair.counter)}
        names |= {asset.lower() for asset in progress.assets}
        return sorted(name for name in names if re.fullmatch(NAME, name) and name != EVERYTHING)

    def read(self, stream: str, progress: Progress) -> Iterator[Page]:
        """The list of pairs, then the rows of one ledger stream from where `progress` stands."""
        if stream not in self.streams:
            raise ValueError(f"Tokens.net has no stream “{stream}”.")
        yield Page(stream=REFERENCE, raws=(wire.record(REFERENCE, PAIRS, self._pairs()),), sent=1)
        if stream == TRADES:
            yield from Trades(self._private, self._clock, progress).pages()
        else:
            names = [pair.name for pair in read_pairs(self._pairs()) if re.fullmatch(NAME, pair.name)]
            yield from Orders(self._private, self._clock, progress, names).pages()

    def skew(self) -> float | None:
        """Exchange's clock minus ours in seconds as last seen, or None; it does not matter here."""
        return self._private.skew

    def _pairs(self) -> wire.Value:
        """The list of pairs, asked for once; without its envelope, if it has one."""
        if self._pair_list is None:
            value = get(self._public, PAIRS_PATH).value
            self._pair_list = without_envelope(value) if isinstance(value, dict) else value
            if not isinstance(self._pair_list, dict | list):
                raise Hostile("The exchange's list of pairs is not a list.")
        return self._pair_list


def _all_balances(rows: dict[str, wire.Value]) -> Page:
    """One record for all; where a row cannot be read, the others one by one, as an incomplete list."""
    unreadable = {}
    seen: dict[str, Balance] = {}
    for code, row in rows.items():
        try:
            one = balance(under(code, row))
            if seen.setdefault(one.asset, one) != one:
                raise ValueError("one currency is listed twice with different amounts")
        except ValueError as error:
            unreadable[code] = wire.unreadable(BALANCES, row, str(error))
    if unreadable:
        readable = {code: row for code, row in rows.items() if code not in unreadable}
        raws = tuple(wire.record(BALANCES, wire.asset(code), row) for code, row in readable.items())
    else:
        raws = (wire.record(BALANCES, EVERYTHING, rows),)
    return Page(
        stream=BALANCES,
        raws=raws,
        unreadable=tuple(unreadable.values()),
        complete=not unreadable,
        sent=len(raws) + len(unreadable),
    )
