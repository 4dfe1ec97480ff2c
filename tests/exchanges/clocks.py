"""A clock that tests move by hand: sleeping takes no time and is remembered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 8, 13, 12, 0, tzinfo=UTC)


class VirtualClock:
    """Stands still until somebody sleeps or advances it."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._ticks = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._ticks

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._ticks += seconds
