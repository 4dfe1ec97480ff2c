"""The hold of one run on its connection: a lease that must be shown alive before every call, and its heartbeat.

The connector gets `Hold` as its clock: whoever asks for the time, or waits, keeps the lease. A worker that was
frozen longer than the lease lasts therefore notices before it makes another call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import LEASE, Connection, ConnectionQuerySet
from exchanges.connector import Clock
from exchanges.transport import CallRecord
from portfolio.models import Run
from portfolio.sync.calls import CallLog

BEAT = 5.0
"""Seconds between two heartbeats."""
SLICE = 10.0
"""No wait is longer than this without a heartbeat."""


class LeaseLost(Exception):
    """Somebody else holds the connection, or it is gone or paused: work must stop at once."""


class Hold:
    """One run's hold; also the clock and the nonce source of its connector, and the meter of its calls."""

    def __init__(self, connection: Connection, run: Run, clock: Clock) -> None:
        """The lease was taken under `run.worker` just now."""
        self.requests = self.retries = 0
        self.waited = 0.0
        self.calls = CallLog()
        self._connection = connection
        self._run = run
        self._clock = clock
        self._beaten = self._written = clock.monotonic()
        self._looked = False
        """Whether the call under way began with a look at the lease."""

    def now(self) -> datetime:
        """Aware, UTC."""
        self.beat()
        return self._clock.now()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, and stay alive."""
        self.waited += seconds
        while seconds > 0:
            self._clock.sleep(min(seconds, SLICE))
            seconds -= SLICE
            self.beat()

    def nonce(self, floor: int) -> int:
        """The next nonce of the connection's key, stored before it is returned, and only while the lease is ours."""
        self.beat()
        self._looked = True
        try:
            return self._connection.draw_nonce(floor, self._run.worker)
        except Connection.DoesNotExist:
            raise LeaseLost from None

    def met(self, call: CallRecord) -> None:
        """Count a call; where it drew no nonce, look now whether there may be another one."""
        self._look()
        self.requests += 1
        self.retries += call.attempt > 1
        self.waited += call.waited
        self.calls.add(call, self._clock.now())

    def _look(self) -> None:
        if not self._looked and not self._mine().exists():
            raise LeaseLost
        self._looked = False

    def _mine(self) -> ConnectionQuerySet:
        return Connection.objects.filter(pk=self._connection.pk).held_by(self._run.worker)

    def beat(self) -> None:
        """Keep the lease, at most once in a few seconds; raises LeaseLost."""
        if self._clock.monotonic() - self._beaten >= BEAT:
            self.keep()

    def keep(self) -> None:
        """Keep the lease now. Inside a transaction this also keeps others from taking it until the end."""
        now = self._clock.now()
        if not self._mine().update(lease_until=now + LEASE):
            raise LeaseLost
        self._beaten = self._clock.monotonic()
        if self._beaten - self._written >= BEAT:
            self._written = self._beaten
            Run.objects.filter(pk=self._run.pk).update(heartbeat_at=now, **self.figures())

    def figures(self) -> dict[str, Any]:
        """All that was counted, as the run keeps it at its end."""
        counts = {"requests": self.requests, "retries": self.retries, "waited_ms": int(self.waited * 1000)}
        return {**counts, "calls": self.calls.told()}
