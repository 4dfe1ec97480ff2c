"""What every connector can do, and the pages in which it hands over what the exchange said.

The caller stores each Page with its cursor in one database transaction before asking for the next one.
A connector keeps nothing between calls except through `Cursor` and `Facts`, which the caller stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from exchanges.clock import Clock as Clock
from exchanges.records import Candle, Meaning, Quote, Raw, Unreadable

JSONValue = str | int | bool | None | list["JSONValue"] | dict[str, "JSONValue"]
Cursor = Mapping[str, JSONValue]
Facts = Mapping[str, JSONValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A closed-open stretch of time, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """A stored row that is not final yet and must be read again."""

    source_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """From where a stream is read: the stored cursor, open rows, and whether everything is to be walked again."""

    cursor: Cursor = field(default_factory=dict)
    open_rows: tuple[OpenRow, ...] = ()
    full: bool = False
    since: datetime | None = None
    """The earliest time at which the account is known to have existed, where another stream told it."""
    assets: frozenset[str] = frozenset()
    """Assets the account is known to have held (in our folded names); narrows what per-market streams ask for."""
    span: Span | None = None
    """A stretch to be read again besides what is new. The first page's cursor remembers it until it is read."""
    within: tuple[str, ...] = ()
    """Source ids of the stored rows of that stretch, for lists that can only be asked row by row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one answer (or a few that belong together) brought.

    `raws` plus `unreadable` are all rows that were sent. `cursor` replaces the stored one when the page is stored.
    `covered` are spans now completely read; `complete` says that an observation lists all that is held, so that
    what it does not name is zero.
    """

    stream: str
    raws: tuple[Raw, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    cursor: Cursor = field(default_factory=dict)
    covered: tuple[Span, ...] = ()
    complete: bool = True
    sent: int = 0
    """How many rows the exchange sent, duplicates and rows of no interest (zero balances) included."""
    not_offered: bool = False
    """The endpoint answered 404: remembered, not asked again until a full walk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReport:
    """What a check of a key with real calls found out.

    `facts` are remembered with the connection (for example which signing form worked). `warnings` are sentences
    about too wide a key. `evidence` says how each right is known.
    """

    facts: Facts = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class Connector(Protocol):
    """One account at one exchange, read-only. All methods may raise `exchanges.errors.ExchangeError`."""

    streams: Sequence[str]
    """Names of the ledger streams, in the order in which they should be read ("balances" is not among them)."""

    def check(self) -> KeyReport:
        """Try the key with the least real calls; raise KeyProblem where it does not serve."""
        ...

    def balances(self, progress: Progress) -> Iterator[Page]:
        """What is held now, as pages of stream "balances"."""
        ...

    def read(self, stream: str, progress: Progress) -> Iterator[Page]:
        """The rows of one ledger stream from where `progress` stands; lazily, one request at a time."""
        ...

    def skew(self) -> float | None:
        """Exchange's clock minus ours in seconds as last seen, or None."""
        ...


class PublicSource(Protocol):
    """What an exchange says about prices to anybody, without a key."""

    def quotes(self, assets: Iterable[str]) -> Iterator[Quote]:
        """Current quotes that help to price `assets` (folded names); skips what it does not know."""
        ...

    def candles(self, asset: str, start: date, end: date) -> Iterator[Candle]:
        """Daily closes of `asset`, both days included; yields nothing where the source has none."""
        ...


class Normaliser(Protocol):
    """Raw -> Meaning for one exchange; pure. `reference` are the latest Raws of stream "reference".

    Raises ValueError with a reason that is safe to show when the record cannot be read.
    """

    def __call__(self, raw: Raw, reference: Sequence[Raw]) -> Meaning:
        """What the record means."""
        ...


class NonceSource(Protocol):
    """Draws the next nonce of one key: strictly rising for ever, stored before it is handed out."""

    def __call__(self, floor: int) -> int:
        """A number above every one drawn before and at least `floor`."""
        ...
