"""Reads the lists of one account in their order, page by page into the store, as far as the turn's time reaches.

A failing list does not stop the others; a key problem, a closed or resting exchange, or a told pause does. Knows
neither lease nor schedule: what it came to is the turn's to judge.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import DatabaseError

from accounts.models import Connection
from exchanges.connector import Clock, Connector, Page, Progress, Span
from exchanges.errors import (
    Closed,
    ExchangeError,
    KeyProblem,
    NotOffered,
    RateLimited,
    Resting,
    Temporary,
)
from portfolio.models import Run, RunState, StreamRun
from portfolio.sync import holes
from portfolio.sync.hold import Hold, LeaseLost
from portfolio.sync.notes import Notes
from portfolio.sync.reading import BALANCES, NEVER
from portfolio.sync.result import StreamResult
from portfolio.sync.store import Store

log = logging.getLogger(__name__)


class Broken(ExchangeError):
    """Our own code stumbled over an answer."""

    code = "internal"
    advice = "Holdfast could not work with this answer. The log says where; please report it."


class _TimeIsUp(Exception):
    """The turn's time is over; the next one goes on from the stored cursor."""


class Lists:
    """One reading of all lists; used once."""

    def __init__(
        self,
        connection: Connection,
        run: Run,
        hold: Hold,
        clock: Clock,
        notes: Notes,
        *,
        wave: datetime | None,
        deadline: float | None,
    ) -> None:
        """`wave`: when the full walk became due that is under way, if one is."""
        self.results: list[StreamResult] = []
        self.errors: list[ExchangeError] = []
        self.balances_at: datetime | None = None
        self._connection = connection
        self._run = run
        self._hold = hold
        self._clock = clock
        self._notes = notes
        self._wave = wave
        self._deadline = deadline

    def read(self, connector: Connector, store: Store) -> bool:
        """Balances, then every stream; False where the time was over before the end.

        What waits longest for being complete comes first, so that a busy stream does not starve the others.
        """
        try:
            self._read(BALANCES, connector.balances(self._progress(BALANCES, store)), store)
            self.balances_at = store.exchange_now()
            for stream in sorted(connector.streams, key=lambda one: store.coverage(one).complete_at or NEVER):
                if self._must_stop():
                    break
                progress = self._progress(stream, store)
                self._read(
                    stream, connector.read(stream, progress), store, full=progress.full, hole=progress.span
                )
        except _TimeIsUp:
            return False
        return True

    def _must_stop(self) -> bool:
        """Whether another call would be useless or unwelcome."""
        if any(isinstance(error, KeyProblem | Closed | RateLimited | Resting) for error in self.errors):
            return True
        if self.errors:
            if self._is_over():
                return True
            self._hold.keep()  # no page has shown since whether the connection is still ours
        return sum(isinstance(error, Temporary) for error in self.errors) >= 2

    def _progress(self, stream: str, store: Store) -> Progress:
        """From where a stream is read, with what is known of the account."""
        coverage = store.begin(stream)
        full = any(
            asked is not None and (coverage.full_began_at is None or coverage.full_began_at < asked)
            for asked in (self._wave, coverage.again_at)
        )
        if stream == BALANCES:
            return Progress(cursor=coverage.cursor, full=full)
        return Progress(
            cursor=coverage.cursor,
            open_rows=store.open_rows(stream),
            full=full,
            since=store.account.begins,
            assets=store.account.assets,
            **holes.asked(self._connection, coverage),
        )

    def _read(
        self,
        stream: str,
        pages: Iterable[Page],
        store: Store,
        *,
        full: bool = False,
        hole: Span | None = None,
    ) -> None:
        """Read one stream to its end, page by page."""
        progress = StreamRun(run=self._run, stream=stream)
        self._notes.progress(progress)
        began, ends = store.exchange_now(), list[datetime]()
        try:
            for page in _guarded(pages):
                store.put(page, progress, full_began=full)
                full = False
                if hole and page.stream == stream:
                    store.write_now()  # a wish is over only when the cursor knows of it
                    holes.begun(self._run, store.coverage(stream), hole)
                    hole = None
                ends += [span.end for span in page.covered]
                self._check_time(progress)
            self._note(progress, RunState.OK)
            store.finish(stream, max(ends, default=began))
        except NotOffered:
            self._note(progress, RunState.OK)
            store.finish(stream, began)
        except ExchangeError as error:
            self.errors.append(error)
            self._note(progress, RunState.FAILED, error)

    def _check_time(self, progress: StreamRun) -> None:
        if self._is_over():
            self._note(progress, RunState.PARTIAL)
            raise _TimeIsUp

    def _is_over(self) -> bool:
        """Whether the turn's time is."""
        return self._deadline is not None and self._clock.monotonic() >= self._deadline

    def _note(self, progress: StreamRun, state: RunState, error: ExchangeError | None = None) -> None:
        progress.state = state
        if error is not None:
            progress.error_code, progress.error = error.code, error.sentence[:400]
            progress.advice = error.advice[:400]
        self._notes.progress(progress)
        self.results.append(
            StreamResult(
                stream=progress.stream,
                state=state,
                pages=progress.pages,
                sent=progress.sent,
                new=progress.new,
                changed=progress.changed,
                quarantined=progress.quarantined,
                error=progress.error,
                advice=progress.advice,
            )
        )


def _guarded(pages: Iterable[Page]) -> Iterator[Page]:
    """The pages; whatever a connector stumbles over costs its own stream only."""
    iterator = iter(pages)
    while True:
        try:
            page = next(iterator)
        except StopIteration:
            return
        except (ExchangeError, LeaseLost, DatabaseError):
            raise
        except Exception as error:
            log.exception("A connector stumbled")
            raise Broken from error
        yield page
