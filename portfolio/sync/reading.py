"""What stored records mean, in forms that the store can hold: the one way from Raw to entries and balances.

Used alike when a page is stored and when everything is derived again. Knows no database.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from django.core.exceptions import ValidationError

from exchanges.connector import Normaliser
from exchanges.records import Balance, Entry, Meaning, Raw
from portfolio.fields import checked

BALANCES = "balances"
REFERENCE = "reference"
OBSERVED = frozenset({BALANCES, REFERENCE})
"""Streams whose records say how things are now; everything else is a ledger of what happened."""
EVERYTHING = "all"
"""The scope of an observation that lists all that is held: what it does not name is zero."""

LONGEST_SOURCE_ID = 200
LONGEST_EXTERNAL_ID = 200
LONGEST_LEG = 60
LONGEST_ASSET = 32
NEVER = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


class Reader:
    """Reads the records of one exchange with all reference lists it has sent so far."""

    def __init__(self, normalise: Normaliser, reference: Iterable[Raw] = ()) -> None:
        """`reference` in the order of arrival: what a later list repeats wins, what it drops stays known."""
        self._normalise = normalise
        self._reference: tuple[Raw, ...] = tuple(reference)

    def learn(self, raws: Iterable[Raw]) -> None:
        """Take in newer reference lists."""
        self._reference += tuple(raws)

    def read(self, raw: Raw) -> Meaning:
        """What the record means; raises ValueError with a reason that is safe to show."""
        if len(raw.source_id) > LONGEST_SOURCE_ID:
            raise ValueError("an id is too long to be kept")
        try:
            meaning = self._normalise(raw, self._reference)
        except ValueError:
            raise
        except Exception as error:
            # What an exchange sends is hostile: a form nobody thought of must cost its row only.
            log.exception("A record of stream %s has an unexpected form", raw.stream)
            raise ValueError(f"an unexpected form ({type(error).__name__})") from error
        return Meaning(
            entries=tuple(fitting(entry) for entry in meaning.entries),
            balances=tuple(_fitting_balance(balance) for balance in meaning.balances),
            open_until=meaning.open_until,
        )


def fitting(entry: Entry) -> Entry:
    """The entry with texts cut to what is kept; ValueError where an identity or an amount does not fit."""
    texts = (entry.external_id, entry.leg, entry.description, entry.raw_kind, entry.raw_status)
    _storable("".join((*texts, entry.network_id)))
    if not 0 < len(entry.external_id) <= LONGEST_EXTERNAL_ID or len(entry.leg) > LONGEST_LEG:
        raise ValueError("an id is missing or too long to be kept")
    for posting in entry.postings:
        _asset(posting.asset)
        _amount(posting.amount)
    if entry.balance_after is not None:
        _amount(entry.balance_after)
    if len(entry.description) > 300 or max(len(entry.raw_kind), len(entry.raw_status)) > 60:
        entry = replace(
            entry,
            description=entry.description[:300],
            raw_kind=entry.raw_kind[:60],
            raw_status=entry.raw_status[:60],
        )
    return replace(entry, network_id=entry.network_id[:160]) if len(entry.network_id) > 160 else entry


def order_of(entry: Entry, current_at: datetime, raw_id: int) -> tuple[int, bool, datetime, datetime, int]:
    """Of several records that speak of one entry the greatest wins, so a stale answer never undoes a newer one."""
    return entry.rank, entry.is_final, entry.revised_at or NEVER, current_at, raw_id


def assets_text(assets: Sequence[str]) -> str:
    """The assets of a transaction as filters look for them: a blank on both sides of each."""
    text = " "
    for asset in sorted(set(assets)):
        if len(text) + len(asset) + 1 > 140:
            break
        text += f"{asset} "
    return text if text != " " else ""


def scope_of(source_id: str) -> str:
    """The scope of a stored observation: its source id is "scope@time"."""
    return source_id.rpartition("@")[0]


def seen_first(source_id: str) -> datetime:
    """When a stored observation was first made, by the exchange's clock."""
    return datetime.fromisoformat(source_id.rpartition("@")[2])


def observation_id(scope: str, at: datetime) -> str:
    """The source id of an observation made at `at`."""
    return f"{scope}@{at.isoformat(timespec='microseconds')}"


def _fitting_balance(balance: Balance) -> Balance:
    _asset(balance.asset)
    for amount in (balance.total, balance.available, balance.pending):
        _amount(amount)
    return balance


def _storable(text: str) -> None:
    if "\0" in text or not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("a text has characters that cannot be kept") from None
        if "\0" in text:
            raise ValueError("a text has characters that cannot be kept")


def _asset(name: str) -> None:
    _storable(name)
    if not 0 < len(name) <= LONGEST_ASSET or " " in name:
        raise ValueError("an asset's name is missing or not usable")


def _amount(amount: object) -> None:
    try:
        checked(amount)
    except ValidationError:
        raise ValueError("an amount has more digits than can be kept exactly") from None
