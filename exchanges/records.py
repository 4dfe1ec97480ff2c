"""The only words an exchange speaks to the rest: Raw, Balance, Entry, Posting, Quote and their enums.

Knows no exchange, no wire and no store. Times are aware and in UTC, amounts are exact Decimals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """What a transaction was, in our words; an unknown one is OTHER."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRADE = "trade"
    CONVERSION = "conversion"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    ISSUE = "issue"
    REDEEM = "redeem"
    INCOME = "income"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    OTHER = "other"


class Status(StrEnum):
    """How far a transaction is; an unknown one is PENDING."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Role(StrEnum):
    """Why an amount moved within its transaction."""

    PRINCIPAL = "principal"
    FEE = "fee"


class Assumption(StrEnum):
    """What we had to assume to read a record; a proof that rests on it names it."""

    NONE = ""
    FEE_CURRENCY = "fee_currency"
    DIRECTION = "direction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One record exactly as the exchange gave it.

    `body` is the record's JSON text with every digit kept, `digest` the SHA-256 of its canonical form
    (`exchanges.wire.digest`). For what is *observed* (balances, reference lists) `source_id` names the scope
    ("all", or a currency) and a change is a new observation; elsewhere it is the exchange's own id.
    """

    stream: str
    source_id: str
    body: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One signed amount of one asset; the postings of completed transactions sum to the balance."""

    asset: str
    amount: Decimal
    role: Role = Role.PRINCIPAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one Raw means for the ledger: one leg of one transaction.

    (stream, external_id, leg) identifies it within a connection. Several Raws may speak of the same entry (an
    older version of the row, another endpoint): the one with the highest (rank, status is final, revised_at,
    order of arrival) wins, so that a stale answer never undoes a newer one.
    """

    stream: str
    external_id: str
    leg: str = ""
    kind: Kind
    status: Status
    occurred_at: datetime
    description: str = ""
    postings: tuple[Posting, ...]
    raw_kind: str = ""
    raw_status: str = ""
    revised_at: datetime | None = None
    rank: int = 0
    assumption: Assumption = Assumption.NONE
    balance_after: Decimal | None = None
    """What the exchange says the balance of the (single) asset was after this entry (Tether only)."""
    network_id: str = ""
    """The transaction's hash on its chain, where the exchange gives one."""

    @property
    def is_final(self) -> bool:
        """Whether the exchange can no longer change it by its own rules."""
        return self.status is not Status.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the exchange says is held of one asset; `pending` is shown beside it, never added."""

    asset: str
    total: Decimal
    available: Decimal
    pending: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What one `base` cost in `counter`, by a named source, at a time."""

    base: str
    counter: str
    price: Decimal
    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """The close of one UTC day of one `base` in `counter`, by a named source."""

    base: str
    counter: str
    day: date
    close: Decimal
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A record that could not be read, and why: it is kept in quarantine, the rest of its page is not lost."""

    stream: str
    source_id: str
    body: str
    digest: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """All that one Raw of any stream means; a Raw may mean nothing (a reference list) and that is no error."""

    entries: tuple[Entry, ...] = ()
    balances: tuple[Balance, ...] = ()
    open_until: tuple[str, ...] = field(default=())
    """Source ids that must be read again until they are final (an order still open, a pending row)."""
