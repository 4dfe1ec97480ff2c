"""How many of a process's worker threads one host, or one user, may take at a time. Knows neither store nor exchange.

A host gets many threads only while it answers: the first few find out whether it does. Whoever finds no room waits a
moment where turns flow, and gives his turn back where they do not, so that the thread is free for others.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

RESERVE = 2
"""Threads that no single host and no single user ever takes."""
LATELY = 2.0
PATIENCE = 1.0
"""Seconds to wait for room, or for the first sign of life of a host."""


class Crowd:
    """The threads of one worker process that read connections."""

    def __init__(self) -> None:
        """Without `threads` nothing is bounded: a command or a test."""
        self.threads: int | None = None
        self._inside: Counter[str] = Counter()
        self._moved: dict[str, float] = {}
        """When something last went on at a host or for a user."""
        self._stuck: set[str] = set()
        """Where somebody waited in vain since something last went on."""
        self._change = threading.Condition()

    @contextmanager
    def room(self, host: str, user: str) -> Iterator[bool]:
        """A place at a host and for a user, while the block runs; False where there is none."""
        names = (f"host {host}", f"user {user}")
        entered = self._enter(names)
        try:
            yield entered
        finally:
            if entered:
                self._leave(names)

    def answered(self, host: str) -> None:
        """A host gave an answer to one of our threads."""
        with self._change:
            self._go_on(f"host {host}")

    def _enter(self, names: tuple[str, str]) -> bool:
        with self._change:
            end = time.monotonic() + PATIENCE
            while (full := self._full(names)) and full not in self._stuck:
                left = end - time.monotonic()
                if left <= 0 or not self._change.wait(left):
                    self._stuck.add(full)
            if full:
                return False
            self._inside.update(names)
            return True

    def _leave(self, names: tuple[str, str]) -> None:
        with self._change:
            self._inside.subtract(names)
            self._go_on(names[1])

    def _go_on(self, name: str) -> None:
        self._moved[name] = time.monotonic()
        self._stuck.discard(name)
        self._change.notify_all()

    def _full(self, names: tuple[str, str]) -> str:
        """Which of the two has no room, if any."""
        if self.threads is None:
            return ""
        host, user = names
        most = max(1, self.threads - RESERVE)
        lately = time.monotonic() - self._moved.get(host, float("-inf")) < LATELY
        if self._inside[host] >= (most if lately else max(1, self.threads // 4)):
            return host
        return user if self._inside[user] >= most else ""


CROWD = Crowd()
"""Of this process."""
