"""The words of a walk through windows of time: what a server is known to do, what is asked, and spans.

Pure. Times are milliseconds since 1970; spans include both ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchanges.connector import JSONValue, Span
from exchanges.wire import EPOCH

DAY = 24 * 3600 * 1000
WEEK = 7 * DAY
OVERLAP = 3 * DAY
QUIET = 26 * WEEK
BEGIN = 1_514_764_800_000
"""2018-01-01: BTSE opened in that year."""
COUNT = 500
"""More is refused."""
LEAST_LIMIT = 10
"""No list of BTSE is known to be cut below this many rows."""
OPEN_SPANS = 26
"""So many separate stretches of open rows are read again; older ones wait for a full walk."""


@dataclass(slots=True, kw_only=True)
class Server:
    """What is learned about how the exchange answers windows; shared by all walks of a stream."""

    most: int = 0
    """The most rows any answer has had."""
    reach: int = WEEK
    """How far back from its end a window is known to be honoured."""
    long: bool | None = None
    """Whether windows longer than a week can be trusted at all; None until tried."""
    newest: bool = False
    """Whether a cut answer has been seen to hold the newest rows of its window."""

    @classmethod
    def load(cls, value: JSONValue) -> Server:
        """From a cursor; anything odd is forgotten."""
        stored = value if isinstance(value, dict) else {}
        most, reach, long = stored.get("most"), stored.get("reach"), stored.get("long")
        return cls(
            most=most if type(most) is int else 0,
            reach=reach if type(reach) is int and reach > WEEK else WEEK,
            long=long if isinstance(long, bool) else None,
            newest=stored.get("newest") is True,
        )

    def dump(self) -> dict[str, JSONValue]:
        """For a cursor."""
        return {"most": self.most, "reach": self.reach, "long": self.long, "newest": self.newest}

    @property
    def limit(self) -> int:
        """From how many rows on an answer may have been cut."""
        return min(COUNT, max(LEAST_LIMIT, self.most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One window: the bounds to send, and the span that the answer is hoped to complete."""

    low: int
    high: int
    start: int
    end: int
    tries: int | None = None
    """The time of a row that must come back, if a long window is being tried."""
    whole: bool = False
    """A question about all the time before, after half a year without rows."""


def millis(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def span(low: int, high: int) -> Span:
    """Both ends included -> closed-open."""
    return Span(start=EPOCH + timedelta(milliseconds=low), end=EPOCH + timedelta(milliseconds=high + 1))


def bounds(asked: Span | None) -> tuple[int, int] | None:
    """The reverse of `span`."""
    return None if asked is None else (millis(asked.start), millis(asked.end) - 1)


def around(times: Iterable[int]) -> list[tuple[int, int]]:
    """Spans around open rows, joined where they lie within a week of each other."""
    joined: list[tuple[int, int]] = []
    for time in sorted(times):
        if joined and time - joined[-1][1] <= WEEK:
            joined[-1] = (joined[-1][0], time)
        else:
            joined.append((time, time))
    return joined[-OPEN_SPANS:]


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Joined where they touch, ascending."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(s for s in spans if s[0] <= s[1]):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined


def spans(value: JSONValue | Mapping[str, JSONValue]) -> list[tuple[int, int]]:
    """From a cursor; anything odd is forgotten."""
    pairs = value if isinstance(value, list) else []
    return [
        (pair[0], pair[1])
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is int and type(pair[1]) is int
    ]


def whole(value: JSONValue, default: int) -> int:
    """From a cursor."""
    return value if type(value) is int else default
