"""What Tokens.net tells anybody: markets, tickers, order books, public trades, and what is voted on.

`quotes` turns tickers into prices, base in counter; a price of zero means that nothing was ever traded and is none.
Amounts and names are read as strictly as those of an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from exchanges import wire
from exchanges.errors import BadRequest, Closed, Hostile, NotOffered, Unreachable
from exchanges.line import Line
from exchanges.records import Candle, Quote
from exchanges.tokens_net.judge import judge
from exchanges.tokens_net.normalise import Pair, pairs
from exchanges.transport import Answer, Transport

SOURCE = "Tokens.net"
NAME = r"[a-z0-9]{1,24}"
PAIRS_PATH = "/public/trading-pairs/get/all/"
TICKERS_PATH = "/public/ticker/all/"
CURRENCIES_PATH = "/public/currency/all/"
VOTING_PATH = "/public/voting/get/all/"
ALLOWED: tuple[re.Pattern[str] | str, ...] = (
    PAIRS_PATH,
    CURRENCIES_PATH,
    VOTING_PATH,
    re.compile(rf"/public/ticker/(?:hour/)?{NAME}/"),
    re.compile(rf"/public/order-book/{NAME}/"),
    re.compile(rf"/public/trades/(?:minute|hour|day)/{NAME}/"),
)


class Lately(StrEnum):
    """How far back public trades go."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One row of an order book."""

    amount: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBook:
    """What is bid and asked in one market."""

    bids: tuple[Offer, ...]
    asks: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTrade:
    """One trade between others."""

    id: str
    at: datetime
    side: str
    amount: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A currency that was voted on; `listed` once trading began."""

    asset: str
    name: str
    votes: Decimal
    listed: bool


def get(transport: Transport, path: str) -> Answer:
    """An answer; when not even the host's name exists any more, the exchange has closed."""
    try:
        return transport.get(path)
    except Unreachable as error:
        if error.unresolved:
            raise Closed(
                "Tokens.net's address no longer exists: the exchange has closed. What was read stays here."
            ) from None
        raise


class TokensNetPrices:
    """The public side; a PublicSource."""

    def __init__(self, line: Line) -> None:
        """Nothing is asked yet."""
        self._transport = line.transport(allowed=ALLOWED, judge=judge)
        self._clock = line.clock
        self._no_ticker_of_all = False

    def quotes(self, assets: Iterable[str]) -> Iterator[Quote]:
        """Last prices of markets that help to price `assets`: their own, and those of what they are priced in."""
        markets = [pair for pair in self.pairs() if re.fullmatch(NAME, pair.name)]
        wanted = set(assets)
        wanted |= {wire.asset(pair.counter) for pair in markets if wire.asset(pair.base) in wanted}
        chosen = [pair for pair in markets if wire.asset(pair.base) in wanted]
        everything = self._tickers() if chosen else {}
        for pair in chosen:
            ticker = everything.get(pair.name) if everything is not None else self._ticker(pair.name)
            quote = self._quote(pair, ticker, everything or {})
            if quote:
                yield quote

    def candles(self, asset: str, start: date, end: date) -> Iterator[Candle]:
        """None: Tokens.net has no price history."""
        yield from ()

    def pairs(self) -> tuple[Pair, ...]:
        """All markets."""
        return tuple(pairs(self._get(PAIRS_PATH)))

    def ticker(self, pair: Pair, *, hour: bool = False) -> Quote | None:
        """The last price of one market within a day (or an hour)."""
        return self._quote(pair, self._ticker(f"hour/{pair.name}" if hour else pair.name), {})

    def order_book(self, pair: Pair) -> OrderBook:
        """What is bid and asked; rows are amount and price."""
        book = _object(self._get(f"/public/order-book/{pair.name}/"))
        return OrderBook(bids=tuple(_offers(book.get("bids"))), asks=tuple(_offers(book.get("asks"))))

    def trades(self, pair: Pair, lately: Lately = Lately.DAY) -> tuple[PublicTrade, ...]:
        """What was traded lately; rows that cannot be read are left out."""
        answer = _object(self._get(f"/public/trades/{lately}/{pair.name}/"))
        return tuple(_public_trades(answer.get("trades")))

    def voting(self) -> tuple[Candidate, ...]:
        """Currencies that won or take part in the voting."""
        answer = _object(self._get(VOTING_PATH))
        return tuple(_candidates(answer.get("winnerList"))) + tuple(_candidates(answer.get("activeList")))

    def currencies(self) -> Mapping[str, str]:
        """Names of the currencies by our spelling of their code; empty where this is not offered."""
        try:
            listed = _object(self._get(CURRENCIES_PATH)).get("currencies")
        except (NotOffered, BadRequest):
            return {}
        names: dict[str, str] = {}
        for code, row in listed.items() if isinstance(listed, dict) else ():
            with suppress(ValueError):
                names[wire.asset(code)] = wire.text(wire.fields(row).get("name"), 60)
        return names

    def _get(self, path: str) -> wire.Value:
        return get(self._transport, path).value

    def _tickers(self) -> dict[str, wire.Value] | None:
        """All tickers at once; None where that is not offered, which is remembered."""
        if not self._no_ticker_of_all:
            try:
                return {wire.word(name): row for name, row in _object(self._get(TICKERS_PATH)).items()}
            except (NotOffered, BadRequest):
                self._no_ticker_of_all = True
        return None

    def _ticker(self, name: str) -> wire.Value:
        try:
            return self._get(f"/public/ticker/{name}/")
        except NotOffered:
            return None

    def _quote(self, pair: Pair, ticker: wire.Value, envelope: Mapping[str, wire.Value]) -> Quote | None:
        if not isinstance(ticker, dict):
            return None
        try:
            price = wire.amount(ticker.get("last"))
            said = wire.first(ticker, ("timestamp",)) or wire.first(envelope, ("timestamp",))
            at = self._clock.now() if said is None else wire.moment(said)
        except ValueError:
            return None
        if price <= 0:
            return None
        base, counter = wire.asset(pair.base), wire.asset(pair.counter)
        return Quote(base=base, counter=counter, price=price, source=SOURCE, at=at)


def _object(value: wire.Value) -> dict[str, wire.Value]:
    if not isinstance(value, dict):
        raise Hostile("The exchange's answer is not an object where one was expected.")
    return value


def _rows(value: wire.Value) -> list[wire.Value]:
    return value if isinstance(value, list) else []


def _offers(value: wire.Value) -> Iterator[Offer]:
    for row in _rows(value):
        try:
            amount, price = (wire.amount(one) for one in _rows(row)[:2])
        except ValueError:
            continue
        yield Offer(amount=amount, price=price)


def _public_trades(value: wire.Value) -> Iterator[PublicTrade]:
    for row in _rows(value):
        try:
            fields = wire.fields(row)
            yield PublicTrade(
                id=wire.identifier(fields.get("id")),
                at=wire.moment(fields.get("datetime")),
                side=wire.word(fields.get("type")),
                amount=wire.amount(fields.get("amount")),
                price=wire.amount(fields.get("price")),
            )
        except ValueError:
            continue


def _candidates(value: wire.Value) -> Iterator[Candidate]:
    for row in _rows(value):
        try:
            fields = wire.fields(row)
            yield Candidate(
                asset=wire.asset(fields.get("currency")),
                name=wire.text(fields.get("currencyName"), 60),
                votes=wire.amount(wire.first(fields, ("totalVotes", "votes"))),
                listed=wire.word(fields.get("publishStatus")) == "2",
            )
        except ValueError:
            continue
