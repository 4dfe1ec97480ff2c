"""How the process, the database and the clock fail: a crash that only the harness catches, at any call or statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import OperationalError, connection

from tests.exchanges.clocks import START
from tests.simulation.plan import Plan, Trouble

UNTOUCHED = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
WRITES = ("INSERT", "UPDATE", "DELETE")
LOOKED_AT = ("portfolio_raw", "portfolio_transaction", "portfolio_posting", "portfolio_quarantine")
"""The tables that the oracles read at every step: they need not where nothing has written there."""


class Crash(BaseException):
    """The process is gone at this instruction; no `except Exception` may save it."""


class Busy(OperationalError):
    """The database is locked, or restarts."""


class Clock:
    """The world's clock, and ours, which may be wrong; nothing ever really waits."""

    def __init__(self, skew: float) -> None:
        self.skew = skew
        self._true = START
        self._ticks = 1000.0

    def true(self) -> datetime:
        """The exchange's time."""
        return self._true

    def now(self) -> datetime:
        """Ours."""
        return self._true + timedelta(seconds=self.skew)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._ticks

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._true += timedelta(seconds=seconds)
        self._ticks += seconds


class Statements:
    """Sees every SQL statement of the product, and lets some be the last one, or fail."""

    def __init__(self, plan: Plan, dice: Random) -> None:
        self.seen = 0
        self.failed = 0
        self._plan = plan
        self._dice = dice
        self._armed = False
        self._next_crash = self._far(Trouble.CRASH_AT_SQL)
        self._next_busy = self._far(Trouble.BUSY)
        self._next_restart = self._far(Trouble.RESTART)
        self._refusing = 0
        self.is_down = False
        """The database is gone, until somebody starts it again."""
        self.have_written = True
        """Whether a table that the oracles look at may have changed since they looked."""
        self.off = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Between here and there the product may run."""
        with connection.execute_wrapper(self._execute):
            yield

    def armed(self) -> AbstractContextManager[None]:
        """The product runs."""
        return self._set(True)

    def unwatched(self) -> AbstractContextManager[None]:
        """The harness itself asks the database, while the product waits for an answer."""
        return self._set(False)

    @contextmanager
    def _set(self, armed: bool) -> Iterator[None]:
        before, self._armed = self._armed, armed
        try:
            yield
        finally:
            self._armed = before

    def _execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if not self._armed or sql.startswith(UNTOUCHED):
            return execute(sql, params, many, context)
        self.seen += 1
        self.have_written = self.have_written or (sql.startswith(WRITES) and any(t in sql for t in LOOKED_AT))
        if self.off:
            return execute(sql, params, many, context)
        if self.seen >= self._next_restart:
            self._next_restart = self.seen + self._far(Trouble.RESTART)
            self.is_down = True
        if self.is_down:
            self.failed += 1
            raise Busy("server closed the connection unexpectedly")
        if self.seen >= self._next_busy:
            self._refusing = self._dice.choice((1, 1, 2, 5, 30))
            self._next_busy = self.seen + self._far(Trouble.BUSY)
        if self._refusing:
            self._refusing -= 1
            self.failed += 1
            raise Busy("database is locked")
        if self.seen >= self._next_crash:
            self._next_crash = self.seen + self._far(Trouble.CRASH_AT_SQL)
            if self._dice.random() < 0.5:
                raise Crash("before a statement")
            execute(sql, params, many, context)
            raise Crash("after a statement")
        return execute(sql, params, many, context)

    def _far(self, what: Trouble) -> int:
        """How many statements until it comes again."""
        rate = self._plan.rate(what)
        return int(self._dice.expovariate(rate)) + 1 if rate else 10**9
