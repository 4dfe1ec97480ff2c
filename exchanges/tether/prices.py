"""What Tether.to says one currency costs in another, where that endpoint of 2015 still answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from exchanges import wire
from exchanges.errors import BadRequest, KeyProblem, MissingRight, NotOffered
from exchanges.line import Line
from exchanges.records import Candle, Quote
from exchanges.tether.judge import judge
from exchanges.tether.sheets import listed
from exchanges.transport import Transport

SOURCE = "Tether.to"
RATE_PATHS = ("/api/v1/exchange_rates.json", "/api/v1/exchange_rates")


class TetherPrices:
    """What Tether.to says one currency costs in another, where that endpoint still lives; a PublicSource."""

    def __init__(self, line: Line, transport: Transport | None = None) -> None:
        """Unsigned unless a connector hands in its own transport: the document of 2015 names a right for it."""
        self._transport = transport or line.transport(allowed=RATE_PATHS, judge=judge)
        self._clock = line.clock
        self._gone = False

    def quotes(self, assets: Iterable[str]) -> Iterator[Quote]:
        """The rates that touch `assets`; nothing where the exchange does not answer this any more."""
        wanted = set(assets)
        answered = None
        if not self._gone:
            with contextlib.suppress(BadRequest):
                answered = first_answer(self._transport, RATE_PATHS)
        if answered is None:
            self._gone = True
            return
        now = self._clock.now()
        for row in listed(answered[1]):
            quote = _quote(row, now)
            if quote and wanted & {quote.base, quote.counter}:
                yield quote

    def candles(self, asset: str, start: date, end: date) -> Iterator[Candle]:
        """None: Tether.to has no history of rates."""
        yield from ()


def _quote(row: wire.Value, at: datetime) -> Quote | None:
    """One rate, or None for a row that cannot be read or says nothing."""
    try:
        fields = wire.fields(row)
        base, counter = wire.asset(fields.get("source_currency")), wire.asset(fields.get("target_currency"))
        price = wire.amount(fields.get("exchange_rate"))
    except ValueError:
        return None
    if price <= 0 or base == counter:
        return None
    return Quote(base=base, counter=counter, price=price, source=SOURCE, at=at)


def first_answer(
    transport: Transport, paths: tuple[str, ...], known: object = None
) -> tuple[str, wire.Value] | None:
    """The first of the paths that answers, the known one before the others; None where none is offered to us.

    403 is such an answer: the guide asks for no right to these. A refused key would have failed the documented
    endpoints first, so here it is only this call's own failure.
    """
    for path in sorted(paths, key=lambda one: one != known):
        try:
            return path, transport.get(path).value
        except NotOffered:
            continue
        except MissingRight:
            return None
        except KeyProblem as error:
            raise BadRequest(f"{path} was refused: {error}", said=error.said) from None
    return None
