"""One answer that lists rows: its records, what could not be read, and what it tells about the order of the list.

Pure. Which answer is asked for next is not decided here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from exchanges import wire
from exchanges.errors import Hostile
from exchanges.records import Raw, Unreadable
from exchanges.tether.normalise import occurred_at

NAMES = ("data", "transactions", "balances", "exchange_orders", "exchange_rates", "items", "results")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The rows of one answer, each once."""

    raws: tuple[Raw, ...]
    unreadable: tuple[Unreadable, ...]
    times: Mapping[str, datetime]
    """When each row happened, by its id, in the order in which they were listed."""
    sent: int

    @property
    def tokens(self) -> frozenset[str]:
        """What tells its rows from those of other answers: their ids, or a digest where there is none."""
        return frozenset([raw.source_id for raw in self.raws] + [one.digest for one in self.unreadable])

    @property
    def newest(self) -> datetime | None:
        """The time of its newest row."""
        return max(self.times.values(), default=None)

    @property
    def falling(self) -> bool:
        """Whether it plainly lists the newest row first."""
        return self._varied and all(a >= b for a, b in pairwise(self.times.values()))

    @property
    def rising(self) -> bool:
        """Whether it plainly lists the oldest row first."""
        return self._varied and all(a <= b for a, b in pairwise(self.times.values()))

    @property
    def _varied(self) -> bool:
        return len(set(self.times.values())) > 1

    def reaches(self, threshold: datetime) -> bool:
        """Whether it goes back beyond `threshold`; in a mixed order one back-dated row among others does not prove it."""
        older = sum(time < threshold for time in self.times.values())
        return older >= (1 if self.falling or self.rising else min(2, len(self.times) or 2))

    def follows(self, earlier: Sheet) -> str:
        """ "down" when it is plainly older than the page before it, "up" when newer, else nothing."""
        if not self.times or not earlier.times:
            return ""
        mine, theirs = self.times.values(), earlier.times.values()
        if max(mine) < max(theirs) and min(mine) < min(theirs):
            return "down"
        return "up" if max(mine) > max(theirs) and min(mine) > min(theirs) else ""


EMPTY = Sheet(raws=(), unreadable=(), times={}, sent=0)


def listed(value: wire.Value) -> list[wire.Value]:
    """The list of an answer: bare, under a known name, or the only list inside; Hostile where there is none."""
    try:
        return wire.rows(value, *NAMES)
    except ValueError:
        inside = [one for one in value.values() if isinstance(one, list)] if isinstance(value, dict) else []
        if len(inside) != 1:
            raise Hostile("The exchange's answer holds no list where one was expected.") from None
        return inside[0]


def sheet(stream: str, rows: Sequence[wire.Value]) -> Sheet:
    """The rows of one answer of `stream`; a row without an id goes to quarantine, one sent twice counts once."""
    raws: dict[tuple[str, str], Raw] = {}
    unreadable: dict[str, Unreadable] = {}
    times: dict[str, datetime] = {}
    for row in rows:
        try:
            raw = wire.record(stream, wire.identifier(wire.fields(row).get("id")), row)
            raws[raw.source_id, raw.digest] = raw
            _note_time(times, raw.source_id, wire.fields(row))
        except ValueError as error:
            one = wire.unreadable(stream, row, str(error))
            unreadable[one.digest] = one
    return Sheet(
        raws=tuple(raws.values()),
        unreadable=tuple(unreadable.values()),
        times=times,
        sent=len(rows),
    )


def _note_time(times: dict[str, datetime], source_id: str, row: Mapping[str, wire.Value]) -> None:
    """A row without a readable time is kept all the same: its meaning, not its page, will be refused."""
    with contextlib.suppress(ValueError):
        times[source_id] = occurred_at(row)
