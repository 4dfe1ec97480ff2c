"""One example through the product, and whether what came of it is one of the outcomes that there may be.

Stored exactly, or in quarantine, or refused with a typed error; at most 1 s of CPU and 100 MB for the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from exchanges.connect import normaliser
from exchanges.connector import Page
from exchanges.errors import ExchangeError
from exchanges.records import Raw, Unreadable
from portfolio.sync.reading import Reader
from tests.exchanges.stands import KEY, SECRET
from tests.fuzz import limits, oracles
from tests.fuzz.examples import Example
from tests.fuzz.exchange import Endless, HostileExchange
from tests.fuzz.limits import Cost
from tests.fuzz.oracles import Violation
from tests.fuzz.readings import Reading


@dataclass(frozen=True, slots=True)
class Trial:
    """How an example ended."""

    outcome: str
    cost: Cost
    stored: int = 0
    quarantined: int = 0


@dataclass
class Taken:
    """What a store would have kept: meaning is told page by page, as the product does."""

    exchange: str
    raws: list[Raw] = field(default_factory=list)
    refused: list[Unreadable | Raw] = field(default_factory=list)
    read: int = 0

    def __post_init__(self) -> None:
        self._reader = Reader(normaliser(self.exchange))

    def take(self, page: Page) -> None:
        """One page, in the order in which the store keeps it."""
        self.raws += page.raws
        self.refused += page.unreadable
        for raw in page.raws:
            try:
                meaning = self._reader.read(raw)
            except ValueError as error:
                if str(error).startswith("an unexpected form"):
                    raise Violation(f"a record of {raw.stream} was read to {error.__cause__!r}") from error
                self.refused.append(raw)
                continue
            self.read += 1
            oracles.exact(self.exchange, raw, meaning)
            if raw.stream == "reference":
                self._reader.learn([raw])


def attempt(example: Example) -> Trial:
    """Raises Violation, TooDear, Endless, or whatever else the product let through: all of them failures."""
    exchange = HostileExchange(example)
    reading, taken = Reading(exchange), Taken(example.exchange)
    reading.taken = taken.take
    error: ExchangeError | None = None
    with limits.measured() as cost:
        try:
            reading.run()
        except ExchangeError as found:
            error = found
        exchange.clocked()
    cost.cpu = exchange.longest
    limits.check(cost)
    if error is not None:
        _is_fit_to_show(error)
    _look(reading, taken, error)
    return Trial(_outcome(error, taken), cost, len(taken.raws), len(taken.refused))


def _outcome(error: ExchangeError | None, taken: Taken) -> str:
    if error is not None:
        return f"refused: {error.code}"
    if taken.refused:
        return "quarantined, the rest stored" if taken.read else "quarantined"
    return "stored"


def _look(reading: Reading, taken: Taken, error: ExchangeError | None) -> None:
    exchange, target = reading.exchange, reading.example.target
    oracles.storable([*taken.raws, *taken.refused])
    for page in reading.heard.pages:
        oracles.plain_json(page.cursor)
    if not reading.accepted:
        return
    text = oracles.text_of(exchange.sent.plain)
    oracles.prices([text, *exchange.others], reading.heard.quotes, reading.heard.candles)
    if target.rows and error is None:
        asked = {path.rstrip("/").rpartition("/")[2].removesuffix(".json") for path in exchange.paths}
        if target.name == "orders of a pair":  # what is open was listed already
            asked |= {raw.source_id for raw in taken.raws}
        oracles.nothing_lost(target, text, [*taken.raws, *taken.refused], frozenset(asked))


def _is_fit_to_show(error: ExchangeError) -> None:
    """No secret, nothing long, nothing that is not printable."""
    shown = f"{error.sentence} {error.advice}"
    if SECRET in shown or KEY in shown or len(shown) > 1000 or not shown.isprintable():
        raise Violation(f"a text that may not be shown: {shown[:200]!r}")


__all__ = ["Endless", "Trial", "attempt"]
