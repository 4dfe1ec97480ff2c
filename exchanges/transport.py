"""get() and nothing else: how one exchange is asked, and what of its answer is let in.

Read-only by construction: there is no verb, no body, and a path must be on the exchange's list. Redirects are
refused, an answer has a deadline and a size, and every try is signed afresh. Knows no exchange's rules: who may
ask how fast (`pace`), how to sign (`sign`) and what a refusal means (`judge`) is handed in. Logs nothing.
"""

from __future__ import annotations

import logging
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx2

from exchanges import circuit as circuits
from exchanges import replies, sockets, wire
from exchanges.circuit import UNBROKEN, Circuit
from exchanges.clock import Clock
from exchanges.errors import (
    ClockSkewed,
    ExchangeError,
    Hostile,
    KeyRejected,
    NonceRejected,
    RateLimited,
    Refused,
    Temporary,
    TooSlow,
    Unreachable,
)
from exchanges.hosts import origin
from exchanges.pace import Pace

for _name in ("httpx2", "httpcore2"):  # they would write addresses with queries, and answers' headers
    logging.getLogger(_name).setLevel(logging.CRITICAL)

BODY_CAP = 16 * 1024 * 1024
DEADLINE = 30.0
ATTEMPTS = 3
PATIENCE = 60.0

_SAFE_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")

Sign = Callable[[str], Mapping[str, str]]
Judge = Callable[[int, "wire.Value | None", Mapping[str, str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One whole, accepted answer."""

    value: wire.Value
    date: datetime | None
    """The exchange's own clock, where it told."""
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What may be remembered of one try: no header, no query, no text of the answer."""

    path: str
    outcome: str
    """ "ok" or the code of the error."""
    status: int | None
    seconds: float
    waited: float
    """Seconds spent waiting for the pace before it."""
    attempt: int
    size: int
    shape: str = ""
    """How the answer was built: names and numbers of fields and rows, nothing of what they held."""


@dataclass(slots=True)
class _Heard:
    """What has been heard so far of one answer."""

    status: int | None = None
    size: int = 0
    headers: Mapping[str, str] | None = None
    body: bytes = b""


_local = threading.local()


def _own_client() -> httpx2.Client:
    """This thread's client, kept so that connections are used again."""
    found: httpx2.Client | None = getattr(_local, "client", None)
    if found is None:
        found = _local.client = sockets.client()
    return found


class Transport:
    """Asks one host with one key (or none), one request at a time."""

    def __init__(
        self,
        base_url: str,
        *,
        allowed: Sequence[re.Pattern[str] | str],
        clock: Clock,
        pace: Pace,
        sign: Sign | None = None,
        judge: Judge | None = None,
        client: httpx2.Client | None = None,
        prefix: str = "",
        meter: Callable[[CallRecord], None] | None = None,
        skew_limit: float | None = None,
        deadline: float = DEADLINE,
        attempts: int = ATTEMPTS,
        patience: float = PATIENCE,
        circuit: Circuit = UNBROKEN,
        until: float | None = None,
    ) -> None:
        """`prefix` goes on the wire before the path but is not signed; `skew_limit`: seconds beyond which a
        rejected key is blamed on the clock; `until`: when whoever asks has no time left for a second try."""
        self._base = origin(base_url)
        self._allowed = tuple(re.compile(re.escape(p)) if isinstance(p, str) else p for p in allowed)
        self._clock = clock
        self._pace = pace
        self._sign = sign
        self._judge = judge
        self._client = client
        self._prefix = prefix
        self._meter = meter
        self._skew_limit = skew_limit
        self._deadline = deadline
        self._attempts = attempts
        self._patience = patience
        self._circuit = circuit
        self._until = until
        self.skew: float | None = None

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, attempts: int | None = None
    ) -> Answer:
        """The answer to a GET of that path; tries again, signed afresh, what may pass; raises ExchangeError."""
        self._guard(path)
        limit = self._clock.monotonic() + self._patience
        limit = limit if self._until is None else min(limit, self._until)
        last = attempts or self._attempts
        for attempt in range(1, last + 1):
            outcome = self._try(path, query, attempt)
            if isinstance(outcome, Answer):
                return outcome
            pause = self._pause(outcome, attempt)
            if not outcome.retry or attempt == last or self._clock.monotonic() + pause > limit:
                raise outcome
            if pause:
                self._clock.sleep(pause)
        raise AssertionError("unreachable")

    def _guard(self, path: str) -> None:
        fits = _SAFE_PATH.fullmatch(path) and len(path) <= 300
        if not fits or not any(p.fullmatch(path) for p in self._allowed):
            raise Refused("A path that is not on the list of this exchange was not asked.")

    def _pause(self, error: ExchangeError, attempt: int) -> float:
        if isinstance(error, NonceRejected):
            return 0.0
        asked = error.retry_after if isinstance(error, Temporary) else None
        own: float = 0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
        return own if asked is None else max(asked, 0.1)

    def _try(self, path: str, query: Mapping[str, str] | None, attempt: int) -> Answer | ExchangeError:
        self._circuit.admit()
        waited = self._pace.wait()
        began = self._clock.monotonic()
        heard = _Heard()
        outcome: Answer | ExchangeError
        try:
            outcome = self._hear(path, query, heard)
        except ExchangeError as error:
            outcome = self._explained(error, heard)
        if self._meter:
            self._meter(
                CallRecord(
                    path=self._prefix + path,
                    outcome=outcome.code if isinstance(outcome, ExchangeError) else "ok",
                    status=heard.status,
                    seconds=self._clock.monotonic() - began,
                    waited=waited,
                    attempt=attempt,
                    size=heard.size,
                    shape=replies.shape(outcome.value) if isinstance(outcome, Answer) else "",
                )
            )
        self._tell(outcome)
        return outcome

    def _tell(self, outcome: Answer | ExchangeError) -> None:
        """Let circuit and pace, which others share, know how it went."""
        if isinstance(outcome, RateLimited) and outcome.retry_after:
            self._pace.told(outcome.retry_after)
        if isinstance(outcome, ExchangeError) and circuits.points(outcome):
            self._circuit.failed(outcome)
        else:
            self._circuit.answered()

    def _explained(self, error: ExchangeError, heard: _Heard) -> ExchangeError:
        """The same error, with the pause the exchange asked for, or with the clock as its true cause."""
        if isinstance(error, Temporary) and error.retry_after is None and heard.headers is not None:
            error.retry_after = replies.retry_after(heard.headers, self._clock.now())
        skewed = self._skew_limit is not None and abs(self.skew or 0.0) > self._skew_limit
        if skewed and isinstance(error, KeyRejected | NonceRejected):
            text = f"This computer's clock differs from the exchange's by {abs(self.skew or 0):.0f} seconds."
            return ClockSkewed(f"{text} {ClockSkewed.advice}", said=error.said)
        return error

    def _hear(self, path: str, query: Mapping[str, str] | None, heard: _Heard) -> Answer:
        asked_at = self._clock.now()
        failure = self._fetch(path, query, heard)
        if failure is not None:
            raise failure
        headers = heard.headers or {}
        now = self._clock.now()
        date = replies.header_date(headers)
        if date is not None:  # a Date header is cut to whole seconds, hence the half
            self.skew = (date - asked_at - (now - asked_at) / 2).total_seconds() + 0.5
        value: wire.Value = None
        problem: ExchangeError | None = None
        try:
            value = wire.parse(heard.body)
        except Hostile as error:
            problem = replies.from_gateway(heard.body) or error
        if self._judge:
            self._judge(heard.status or 0, None if problem else value, headers)
        replies.judge_status(heard.status or 0)
        if problem:
            raise problem
        return Answer(value=value, date=date, path=path)

    def _fetch(self, path: str, query: Mapping[str, str] | None, heard: _Heard) -> ExchangeError | None:
        """Ask once; returns what went wrong instead of raising it, so that no error carries the request along."""
        client = self._client or _own_client()
        end = self._clock.monotonic() + self._deadline
        response = None
        try:
            response = client.send(
                client.build_request(
                    "GET",
                    self._base + self._prefix + path,
                    params=dict(query) if query else None,
                    headers={
                        "Accept": "application/json",
                        "Accept-Encoding": "gzip, deflate",
                        "User-Agent": "holdfast",
                        **(self._sign(path) if self._sign else {}),
                    },
                    extensions={"budget": self._deadline},
                ),
                stream=True,
                follow_redirects=False,
            )
            heard.status = response.status_code
            heard.headers = dict(response.headers)
            return replies.refuse_head(response.status_code, response.headers) or self._take(
                response.iter_bytes(), end, heard
            )
        except httpx2.TimeoutException:
            if response is not None:
                return TooSlow(f"The exchange's answer took longer than {self._deadline:.0f} seconds.")
            return Unreachable("The exchange did not answer in time. It is tried again by itself.")
        except httpx2.DecodingError:
            return Hostile("The exchange's answer is packed in a way that cannot be read.")
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            return _unreachable(error)
        finally:
            if response is not None:
                response.close()
            client.cookies.clear()  # one client serves many users

    def _take(self, chunks: Iterator[bytes], end: float, heard: _Heard) -> ExchangeError | None:
        parts = []
        for chunk in chunks:
            heard.size += len(chunk)
            if heard.size > BODY_CAP:
                return Hostile("The exchange's answer is larger than 16 MiB.")
            if self._clock.monotonic() > end:
                return TooSlow(f"The exchange's answer took longer than {self._deadline:.0f} seconds.")
            parts.append(chunk)
        heard.body = b"".join(parts)
        return None


def _unreachable(error: BaseException) -> Unreachable:
    """Why no whole answer came; says whether the host's name is known at all."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            found = Unreachable("The exchange's host name is not known on the network.")
            found.unresolved = True
            return found
        cause = cause.__cause__ or cause.__context__
    return Unreachable()
