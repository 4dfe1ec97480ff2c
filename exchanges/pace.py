"""How fast one key may ask: at most so many calls in any stretch of so many seconds.

Clock and sleep come from outside. Whoever needs one pace over many processes hands in an object of his own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from exchanges.clock import Clock

MARGIN = 1.1
"""Calls may bunch on their way, so the stretch is kept a little longer than the exchange asks."""


class Pace(Protocol):
    """Says when the next call may be made."""

    def wait(self) -> float:
        """Wait until a call may be made, count it, and return the seconds waited."""
        ...


class Window:
    """A sliding window: `calls` in any `seconds`."""

    def __init__(self, calls: int, seconds: float, clock: Clock) -> None:
        """One such object per key."""
        self._made: deque[float] = deque(maxlen=calls)
        self._stretch = seconds * MARGIN
        self._clock = clock
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Wait until fewer than `calls` lie in the stretch behind us; threads queue."""
        with self._lock:
            pause = 0.0
            if len(self._made) == self._made.maxlen:
                pause = max(0.0, self._made[0] + self._stretch - self._clock.monotonic())
            if pause:
                self._clock.sleep(pause)
            self._made.append(self._clock.monotonic())
            return pause


class Unpaced:
    """No limit; for exchanges without one and for tests."""

    def wait(self) -> float:
        """Return at once."""
        return 0.0


class Paces:
    """One pace per key within this process, remembered from one connector to the next."""

    def __init__(self, make: Callable[[], Pace], keep: int = 4096) -> None:
        """`make` builds the pace of a key not seen lately; the `keep` last used are remembered."""
        self._make = make
        self._keep = keep
        self._paces: OrderedDict[str, Pace] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: str) -> Pace:
        """The pace of that key; `key` is a digest, not the key itself."""
        with self._lock:
            pace = self._paces.pop(key, None) or self._make()
            self._paces[key] = pace
            while len(self._paces) > self._keep:
                self._paces.popitem(last=False)
            return pace
