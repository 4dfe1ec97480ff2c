"""How fast one key may ask: at most so many calls in any stretch of so many seconds.

Clock and sleep come from outside, and so does what others did with the same key before (`ages`, `quiet`): whoever
keeps one pace over many processes hands that from one window to the next.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from exchanges.clock import Clock

MARGIN = 1.1
"""Calls may bunch on their way, so the stretch is kept a little longer than the exchange asks."""


class Pace(Protocol):
    """Says when the next call may be made."""

    def wait(self) -> float:
        """Wait until a call may be made, count it, and return the seconds waited."""
        ...

    def told(self, seconds: float) -> None:
        """The exchange asked for no call for so many seconds."""
        ...


class Window:
    """A sliding window: `calls` in any `seconds`."""

    def __init__(
        self, calls: int, seconds: float, clock: Clock, *, ages: Iterable[float] = (), quiet: float = 0.0
    ) -> None:
        """`ages`: how many seconds ago others called with the key; `quiet`: seconds without any call from now on."""
        now = clock.monotonic()
        self._made: deque[float] = deque(sorted(now - age for age in ages), maxlen=calls)
        self._quiet_until = now + quiet
        self._stretch = seconds * MARGIN
        self._clock = clock
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Wait until fewer than `calls` lie in the stretch behind us; threads queue."""
        with self._lock:
            now = self._clock.monotonic()
            pause = max(0.0, self._quiet_until - now)
            if len(self._made) == self._made.maxlen:
                pause = max(pause, self._made[0] + self._stretch - now)
            if pause:
                self._clock.sleep(pause)
            self._made.append(self._clock.monotonic())
            return pause

    def told(self, seconds: float) -> None:
        """Let nobody through for so long."""
        with self._lock:
            self._quiet_until = max(self._quiet_until, self._clock.monotonic() + seconds)

    def ages(self) -> list[float]:
        """How many seconds ago the calls were made that still count, oldest first."""
        with self._lock:
            now = self._clock.monotonic()
            return [now - made for made in self._made if now - made < self._stretch]


class Unpaced:
    """No limit; for exchanges without one and for tests."""

    def wait(self) -> float:
        """Return at once."""
        return 0.0

    def told(self, seconds: float) -> None:
        """Nobody waits."""
