"""A sync without waiting: a clock that jumps over every pause, and an exchange whose own time is counted apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from accounts.keys import store_key
from accounts.models import Connection, State, User

Timer = Callable[[], float]


class RushingClock:
    """The wall clock, but a pause is over at once. With `timer=time.process_time` others' work does not count."""

    def __init__(self, timer: Timer = time.perf_counter) -> None:
        """Nothing was skipped yet."""
        self.timer = timer
        self.skipped = 0.0
        self.day_moves = True

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.skipped if self.day_moves else 0)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self.timer() + self.skipped

    def sleep(self, seconds: float) -> None:
        """Skip them."""
        self.skipped += seconds


class Timed:
    """An application that notes how often and how long it was asked."""

    def __init__(self, app: WSGIApplication, clock: RushingClock, latency: float = 0.0) -> None:
        """Nobody has asked yet. `latency` goes by on the clock with each request."""
        self._app, self._clock, self._latency = app, clock, latency
        self.seconds, self.cpu, self.refused = 0.0, 0.0, 0
        self.paths: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began, worked = self._clock.timer(), time.process_time()
        answer = list(self._app(environ, self._noting(start_response)))
        self.seconds += self._clock.timer() - began
        self.cpu += time.process_time() - worked
        self.paths.append(environ["PATH_INFO"])
        self._clock.sleep(self._latency)
        return answer

    @property
    def requests(self) -> int:
        """How often it was asked."""
        return len(self.paths)

    def _noting(self, start_response: StartResponse) -> StartResponse:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            self.refused += status.startswith("429")
            return start_response(status, headers, exc_info)

        return start


def connected(exchange: str, key: str, secret: str) -> Connection:
    """A connection of a new user."""
    user = User.objects.create(email=f"{exchange}-{User.objects.count()}@example.org")
    made = Connection.objects.create(user=user, exchange=exchange, label=exchange, state=State.ACTIVE)
    store_key(made, key, secret)
    return made
