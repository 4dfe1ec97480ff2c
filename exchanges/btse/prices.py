"""What BTSE tells anybody about prices: exchange rates now, closes of past days.

The documented rate endpoint is announced to end; its successor is asked first, and what answers is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from exchanges import wire
from exchanges.btse import paths
from exchanges.btse.judge import judge
from exchanges.btse.rows import listed
from exchanges.btse.windows import millis
from exchanges.errors import BadRequest, Hostile, KeyProblem, NotOffered
from exchanges.line import Line
from exchanges.records import Candle, Quote
from exchanges.transport import Answer

SOURCE = "BTSE"
COUNTERS = ("USD", "USDT")
POINTS = 300
"""So many candles come in one answer."""
_NOT_KNOWN = (NotOffered, BadRequest, KeyProblem, Hostile, ValueError)
"""How BTSE says that it has no such rate or market: it is skipped."""


class BtsePrices:
    """Public prices, without a key."""

    def __init__(self, line: Line) -> None:
        """One object may be kept as long as one likes: it remembers which endpoint answers."""
        self._clock = line.clock
        self._bare = line.transport(allowed=paths.BARE, judge=judge)
        self._open = line.transport(allowed=paths.OPEN, judge=judge, prefix=paths.PREFIX)
        self._dead: set[str] = set()
        self._in_seconds = False

    def quotes(self, assets: Iterable[str]) -> Iterator[Quote]:
        """Each asset in USD and in USDT; always USDT and BTC in USD, over which others are reached."""
        wanted = sorted(
            {*assets, "USDT", "BTC"} - {"USD"}, key=lambda asset: (asset not in ("USDT", "BTC"), asset)
        )
        for base in wanted:
            for counter in COUNTERS:
                quote = None if base == counter else self._quote(base, counter)
                if quote is not None:
                    yield quote

    def _quote(self, base: str, counter: str) -> Quote | None:
        for ask in (self._by_successor, self._by_document):
            if ask.__name__ in self._dead:
                continue
            try:
                answer, price = ask(base, counter)
            except NotOffered:
                self._dead.add(ask.__name__)
                continue
            except _NOT_KNOWN:
                continue
            if price > 0:
                at = self._told(answer)
                return Quote(base=base, counter=counter, price=price, source=SOURCE, at=at)
        return None

    def _by_successor(self, base: str, counter: str) -> tuple[Answer, Decimal]:
        query = {"baseCurrency": base, "quoteCurrency": counter, "amount": "1"}
        answer = self._bare.get(paths.NEW_RATE, query)
        data = wire.fields(wire.fields(answer.value).get("data"))
        return answer, wire.amount(data.get("rate"))

    def _by_document(self, base: str, counter: str) -> tuple[Answer, Decimal]:
        answer = self._open.get(paths.RATE, {"srcCurrency": base, "targetCurrency": counter})
        return answer, wire.amount(wire.fields(answer.value).get("data"))

    def _told(self, answer: Answer) -> datetime:
        """When the rate was told, by the exchange's own clock where it says so."""
        try:
            return wire.moment(wire.fields(answer.value).get("time"))
        except ValueError:
            return answer.date or self._clock.now()

    def candles(self, asset: str, start: date, end: date) -> Iterator[Candle]:
        """Closes of whole days in USD, else in USDT; a day that is not over has none."""
        last = min(end, self._clock.now().astimezone(UTC).date() - timedelta(days=1))
        for counter in COUNTERS:
            closes = {} if asset == counter else self._closes(f"{asset}-{counter}", start, last)
            for day in sorted(closes):
                yield Candle(base=asset, counter=counter, day=day, close=closes[day], source=SOURCE)
            if closes:
                return

    def _closes(self, symbol: str, start: date, last: date) -> dict[date, Decimal]:
        """By day, asked in stretches that fit into one answer; rows come in any order."""
        closes: dict[date, Decimal] = {}
        while start <= last:
            stop = min(last, start + timedelta(days=POINTS - 2))
            try:
                closes |= self._stretch(symbol, start, stop)
            except _NOT_KNOWN:
                return closes
            start = stop + timedelta(days=1)
        return closes

    def _stretch(self, symbol: str, start: date, stop: date) -> dict[date, Decimal]:
        """The document shows milliseconds, programs in use send seconds: where one brings nothing, the other."""
        found: dict[date, Decimal] = {}
        for in_seconds in (self._in_seconds, not self._in_seconds):
            unit = 1000 if in_seconds else 1
            window = {"start": str(_midnight(start) // unit), "end": str(_midnight(stop) // unit)}
            answer = self._open.get(paths.CANDLES, {"symbol": symbol, "resolution": "1440", **window})
            found = {d: close for d, close in _rows(answer.value) if start <= d <= stop}
            if found:
                self._in_seconds = in_seconds
                break
        return found


def _midnight(day: date) -> int:
    return millis(datetime.combine(day, time(), UTC))


def _rows(value: wire.Value) -> Iterator[tuple[date, Decimal]]:
    """Day and close of each candle [time, open, high, low, close, volume]; unreadable ones are left out."""
    for row in listed(value):
        if not isinstance(row, list) or len(row) < 5:
            continue
        try:
            day, close = wire.moment(row[0]).date(), wire.amount(row[4])
        except ValueError:
            continue
        if close > 0:
            yield day, close
