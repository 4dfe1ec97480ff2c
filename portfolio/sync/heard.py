"""What an exchange sent, as it is sorted before it is stored: records that are new, seen again, or refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import connection as database

from exchanges import records
from exchanges.records import Meaning, Unreadable
from portfolio.models import Raw
from portfolio.sync.observations import Looked

CHUNK_SQLITE = 500
CHUNK = 5_000


@dataclass(slots=True, kw_only=True)
class Count:
    """What a page came to."""

    sent: int = 0
    new: int = 0
    changed: int = 0
    quarantined: int = 0


@dataclass(slots=True, kw_only=True)
class Arrival:
    """A record that is new, or the newest version again."""

    said: records.Raw
    row: Raw
    meaning: Meaning = field(default_factory=Meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Observations of one stream, with what they mean."""

    looked: Looked
    meanings: Sequence[Meaning]


@dataclass(slots=True, kw_only=True)
class Heard:
    """Records as they arrived, held against what is stored."""

    seen: dict[str, Seen] = field(default_factory=dict)
    arrivals: dict[str, list[Arrival]] = field(default_factory=dict)
    refused: list[Unreadable] = field(default_factory=list)

    @property
    def is_news(self) -> bool:
        """Whether there is anything that a kill could lose."""
        looked = any(one.looked.is_news for one in self.seen.values())
        return bool(looked or self.arrivals or self.refused)


def refused(raw: records.Raw, reason: str) -> Unreadable:
    return Unreadable(
        stream=raw.stream, source_id=raw.source_id, body=raw.body, digest=raw.digest, reason=reason
    )


def chunked(raws: Sequence[records.Raw]) -> Iterator[Sequence[records.Raw]]:
    size = CHUNK_SQLITE if database.vendor == "sqlite" else CHUNK
    if not raws:
        yield ()
    for start in range(0, len(raws), size):
        yield raws[start : start + size]
