"""How a history that answers only windows of time is read to its beginning without losing a row.

BTSE says neither how long a window may be, nor how many rows it returns, nor in which order. So nothing is taken
for granted: a window counts as read only as far as the answer proves it.

1. What is left to read is a list of spans, kept in the cursor; the newest is read first.
2. An answer with as many rows as any answer ever had may be cut: its window is split at the middle row and both
   parts are asked. An answer with fewer rows is whole. Once a split has shown that answers are cut at their old
   end, a cut answer counts as read down to its oldest row (but not in a full walk).
3. A week is always granted. A longer window is tried once over a week already known: only if it brings that
   week's newest row too is it trusted, and then only as far back as a row lies from its end (the *reach*), because
   a server may silently move a window's start.
4. Neighbouring windows overlap by a millisecond on either side: whether bounds belong to a window is not known.
5. The beginning of the account is where the earliest possible date is reached, or where half a year is empty and
   one question about all time before is empty too: an assumption, and written down as one.

Pure: no network, no clock. Times are milliseconds since 1970, spans include both ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

from exchanges.btse.windows import (
    BEGIN,
    OVERLAP,
    QUIET,
    WEEK,
    Ask,
    Server,
    around,
    merged,
    span,
    spans,
    whole,
)
from exchanges.connector import JSONValue, Span


@dataclass(slots=True, kw_only=True)
class Walk:
    """One walk down one list; `server` is shared, the rest is this list's own."""

    server: Server
    floor: int = BEGIN
    quiet_ends: bool = True
    """Whether a long quiet may be taken for the beginning."""
    held: bool = False
    """Whether something is held: then a history without a single row is not believed."""
    lowest: int | None = None
    """The floor of the walk so far; where the account turns out to be older, the rest is read too."""
    top: int | None = None
    todo: list[tuple[int, int]] = field(default_factory=list)
    quiet_from: int = 0
    thorough: bool = False
    seen: bool = False
    week: tuple[int, int] | None = None
    """End and newest row of a week that was read: the touchstone for a long window."""
    exact: bool = False
    """Send the next window without overlap: its neighbours' rows crowd it out."""
    crowded: bool = False
    """A single millisecond brought as many rows as an answer can have."""
    split: tuple[int, int, list[int]] | None = None
    """The upper part of the last split (start, end, times of its rows) until it is known how answers are cut."""
    deeper: int | None = None
    """The oldest row of the last split answer whose upper part came back the same."""
    assumed: int | None = None

    @classmethod
    def load(cls, value: JSONValue, server: Server, **settings: int | bool) -> Walk:
        """From a cursor; without one, a walk that has not begun."""
        walk = cls(server=server, **settings)  # type: ignore[arg-type]
        if not isinstance(value, dict) or type(value.get("top")) is not int:
            return walk
        walk.top = cast(int, value["top"])
        walk.todo = spans(value.get("todo"))
        walk.quiet_from = whole(value.get("quiet_from"), walk.top)
        walk.thorough = value.get("thorough") is True
        walk.seen = value.get("seen") is True
        week = spans([value.get("week")])
        walk.week = week[0] if week else None
        assumed = value.get("assumed")
        walk.assumed = assumed if type(assumed) is int else None
        walk.lowest = whole(value.get("lowest"), walk.floor)
        return walk

    def dump(self) -> dict[str, JSONValue]:
        """For a cursor."""
        return {
            "top": self.top,
            "lowest": self.lowest,
            "todo": [[start, end] for start, end in self.todo],
            "quiet_from": self.quiet_from,
            "thorough": self.thorough,
            "seen": self.seen,
            "week": list(self.week) if self.week else None,
            "assumed": self.assumed,
        }

    def plan(
        self,
        now: int,
        open_times: Iterable[int] = (),
        *,
        full: bool = False,
        again: tuple[int, int] | None = None,
    ) -> None:
        """Decide what to read: everything the first time or when `full`, else what is new, open, or asked for again."""
        if self.top is None or full:
            self.todo = [(self.floor, max(self.floor, now))]
            self.quiet_from, self.thorough, self.assumed, self.week = now, full, None, None
        else:
            fresh = (max(self.floor, min(self.top, now) - OVERLAP), now)
            older = (self.floor, (self.lowest or self.floor) - 1)
            self.todo = merged([older, *self.todo, *around(open_times), fresh, *self._within(again)])
            self.floor = min(self.floor, self.lowest or self.floor)
        self.top = max(now, self.top or now)
        self.lowest = self.floor

    def _within(self, again: tuple[int, int] | None) -> list[tuple[int, int]]:
        return [] if again is None else [(max(self.floor, again[0]), min(again[1], self.top or again[1]))]

    def next(self) -> Ask | None:
        """The next window to ask, or None when all is read."""
        if not self.todo:
            return None
        low, high = self.todo[-1]
        if high - low <= WEEK - 2:
            return self._ask(low, high)
        if self.server.long is None and self.week and self.week[0] >= high:
            return Ask(low=low, high=high, start=low - 1, end=self.week[0] + 1, tries=self.week[1])
        if self.server.long:
            return self._ask(low, high)
        if self._is_quiet(low, high):
            return Ask(low=low, high=high, start=low - 1, end=high + 1, whole=True)
        return self._ask(high - WEEK + 2, high)

    def _ask(self, low: int, high: int) -> Ask:
        pad = 0 if self.exact else 1
        return Ask(low=low, high=high, start=low - pad, end=high + pad)

    def refused(self, ask: Ask) -> bool:
        """A window was refused as such; True if it will be asked in another way."""
        if ask.end - ask.start <= WEEK:
            return False
        self.server.long = False
        if ask.whole:
            self.quiet_ends = False
        return True

    def take(
        self, ask: Ask, times: Sequence[int], total: int, distinct: int | None = None
    ) -> tuple[Span, ...]:
        """Take in one answer: its rows' times, how many rows it had, and how many of them were not sent twice.

        Returns what is now read completely. Rows sent twice must not make the answer seem longer than answers are.
        """
        cut = total > 0 and total >= self.server.limit
        self.server.most = max(self.server.most, total if distinct is None else distinct)
        within = sorted(t for t in times if ask.start <= t <= ask.end)
        if ask.whole and self.server.long is not True:
            return self._end(ask.high + 1) if not total else self._look_deeper(within)
        if ask.tries is not None:
            self.server.long = ask.tries in within
            if not self.server.long:
                return ()
        if within and ask.end - ask.start > WEEK:
            self.server.reach = max(self.server.reach, ask.end - within[0])
        inside = [t for t in within if ask.low <= t <= ask.high]
        if inside:
            self.seen = True
            self.quiet_from = min(self.quiet_from, inside[0])
            if self.server.long is None:
                self.week = (ask.high, inside[-1])
        self._learn_order(ask, inside, cut)
        hidden = self.crowded and self.exact and not inside
        if (cut and within) or hidden:
            return self._narrow(ask, inside)
        self.exact = self.crowded = False
        low = max(ask.low, min(ask.high, ask.end - self.server.reach))
        self._done(low)
        if not total and self.server.long and ask.low == self.floor and self._is_quiet(ask.low, low):
            self._end(low)
        return (span(low, ask.high),)

    def _learn_order(self, ask: Ask, inside: Sequence[int], cut: bool) -> None:
        """Compare the two parts of a split: are the newest rows there, and were older ones cut off?"""
        if self.deeper is not None and inside and inside[0] < self.deeper:
            self.server.newest = True
        self.deeper = None
        if self.split and self.split[:2] == (ask.low, ask.high) and not cut and self.split[2][1:] == inside:
            self.deeper = self.split[2][0]
        self.split = None

    def is_tied(self, ask: Ask) -> bool:
        """Whether an answer that was cut leaves nothing to split: one millisecond, asked exactly."""
        return ask.low == ask.high and ask.start == ask.end and self.crowded

    def skip(self, ask: Ask) -> tuple[Span, ...]:
        """Leave a millisecond that cannot be divided, as well as it could be read."""
        self.exact = self.crowded = False
        self._done(ask.low)
        return (span(ask.low, ask.high),)

    def _narrow(self, ask: Ask, inside: Sequence[int]) -> tuple[Span, ...]:
        """Split at the middle row; where only neighbours' rows came, ask again without overlap."""
        if not inside or ask.low == ask.high:
            tried, self.exact = self.exact, True
            self.crowded = self.crowded or bool(inside)
            return () if self.crowded or not tried else self.skip(ask)
        self.exact = False
        if self.server.newest and not self.thorough and inside[0] < inside[-1]:
            self._done(inside[0] + 1)
            return (span(inside[0] + 1, ask.high),)
        middle = inside[len(inside) // 2]
        upper = middle if middle > ask.low else ask.low + 1
        self.split = (upper, ask.high, [inside[0], *(t for t in inside if t >= upper)])
        self.todo[-1:] = [
            s
            for s in ((self.todo[-1][0], ask.low - 1), (ask.low, upper - 1), (upper, ask.high))
            if s[0] <= s[1]
        ]
        return ()

    def _done(self, low: int) -> None:
        start, _ = self.todo.pop()
        if start < low:
            self.todo.append((start, low - 1))

    def _is_quiet(self, low: int, high: int) -> bool:
        believed = self.seen or not self.held
        allowed = self.quiet_ends and believed and not self.thorough and low == self.floor
        return allowed and self.quiet_from - high >= QUIET

    def _look_deeper(self, within: Sequence[int]) -> tuple[Span, ...]:
        """There is something further down after all: walk on, and do not ask again before it is reached."""
        self.quiet_from = within[-1] if within else self.floor
        return ()

    def _end(self, low: int) -> tuple[Span, ...]:
        if self.todo:
            self.todo.pop()
        self.assumed = low
        return ()
