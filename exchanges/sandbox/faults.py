"""What can go wrong on the way, switched on by a script or by chance from a seed, around any sandbox exchange.

Works in-process (a reset is an exception) and on a socket (the server turns that exception into a closed connection).
"""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from exchanges.sandbox.web import Distortion
from exchanges.sandbox.world.dice import Dice

Headers = list[tuple[str, str]]
FULL_CHUNK = b" " * 65_536


class Reset(ConnectionResetError):
    """The connection is gone and no answer came."""


class Fault(StrEnum):
    """The classes of faults; figures such as delays are arguments of `Faults`."""

    RATE_LIMITED = "429 without Retry-After"
    RATE_LIMITED_SECONDS = "429, Retry-After in seconds"
    RATE_LIMITED_EPOCH = "429, Retry-After as a Unix time"
    SERVER_ERROR = "500"
    MAINTENANCE = "503"
    RESET_BEFORE = "closed before the request was looked at"
    RESET_AFTER = "closed after the request was processed"
    CUT_BODY = "half of the body"
    HTML = "a web page with 200"
    DRIP = "the body byte by byte"
    GZIP_BOMB = "a small body that grows"
    HUGE_BODY = "a body without end"
    DUPLICATE_ROWS = "rows twice"
    REORDERED_ROWS = "rows in another order"
    LATE_ROWS = "some of the newest rows are not shown yet"
    STALE = "the answer of some time ago"
    EMPTY_PAGE = "no rows where there are some"
    REDIRECT = "a redirect to another host"
    WRONG_CLOCK = "the exchange's clock is off"
    NAN = "NaN in place of a number"
    DUPLICATE_KEYS = "a key twice in an object"


@dataclass(slots=True)
class Planned:
    """A fault that waits for its requests."""

    fault: Fault
    times: int
    match: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A fault that came to pass."""

    path: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer while faults may still change it."""

    status: str
    headers: Headers
    body: bytes

    def but(self, body: bytes) -> Answer:
        """The same with another body and a fitting length."""
        kept = [(name, value) for name, value in self.headers if name.lower() != "content-length"]
        return Answer(self.status, [*kept, ("Content-Length", str(len(body)))], body)


class Faults:
    """A middleware around one exchange. Without a plan and without rates it changes nothing."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        rates: Mapping[Fault, int] | None = None,
        seed: str = "",
        reset: Callable[[str], Exception] = Reset,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] | None = None,
        retry_after: int = 2,
        drip: float = 0.5,
        stale: timedelta = timedelta(hours=1),
        late: timedelta = timedelta(hours=1),
        clock: timedelta = timedelta(hours=2),
        redirect: tuple[int, str] = (302, "http://elsewhere.invalid/"),
        huge: int = 64 * 1024 * 1024,
    ) -> None:
        """`rates`: of a hundred requests, how many meet the fault, drawn from `seed`. `reset`: the exception that
        stands for a lost connection (in-process tests hand in the client's own). `now`: for Retry-After as an epoch."""
        self.app, self.rates, self.seed, self.reset, self.sleep = app, dict(rates or {}), seed, reset, sleep
        self.now, self.retry_after, self.drip, self.stale, self.late = now, retry_after, drip, stale, late
        self.clock, self.redirect, self.huge = clock, redirect, huge
        self.happened: list[Happened] = []
        self._plan: deque[Planned] = deque()
        self._count = 0
        self._lock = threading.Lock()

    def plan(self, *faults: Fault, times: int = 1, match: str = "") -> None:
        """The next `times` requests whose path holds `match` (a pattern) meet each of these faults, in this order."""
        with self._lock:
            self._plan.extend(Planned(fault, times, re.compile(match)) for fault in faults)

    def off(self) -> None:
        """From now on everything is well."""
        with self._lock:
            self._plan.clear()
            self.rates.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or fail as planned."""
        path = str(environ.get("PATH_INFO", ""))
        fault = self._next(path)
        if fault is None:
            return self.app(environ, start_response)
        self.happened.append(Happened(path=path, fault=fault))
        if fault is Fault.RESET_BEFORE:
            raise self.reset("connection reset by the exchange")
        instead = self._instead(fault)
        if instead is not None:
            return self._send(instead, start_response)
        environ["sandbox.distortion"] = self._distortion(fault)
        answer = self._ask(environ)
        if fault is Fault.RESET_AFTER:
            raise self.reset("connection reset by the exchange")
        return self._send(
            self._spoilt(fault, answer),
            start_response,
            drip=fault is Fault.DRIP,
            huge=fault is Fault.HUGE_BODY,
        )

    def _next(self, path: str) -> Fault | None:
        with self._lock:
            self._count += 1
            for planned in self._plan:
                if planned.match.search(path):
                    planned.times -= 1
                    if planned.times < 1:
                        self._plan.remove(planned)
                    return planned.fault
            dice = Dice(self.seed, "fault", self._count)
            return next((fault for fault, rate in self.rates.items() if dice.chance(rate)), None)

    def _instead(self, fault: Fault) -> Answer | None:
        """An answer for which the exchange is not even asked."""
        status, headers = "", [("Content-Type", "application/json")]
        if fault in {Fault.RATE_LIMITED, Fault.RATE_LIMITED_SECONDS, Fault.RATE_LIMITED_EPOCH}:
            status = "429 Too Many Requests"
        if fault is Fault.RATE_LIMITED_SECONDS:
            headers.append(("Retry-After", str(self.retry_after)))
        if fault is Fault.RATE_LIMITED_EPOCH:
            seconds = self.now().timestamp() if self.now else time.time()
            headers.append(("Retry-After", str(int(seconds) + self.retry_after)))
        if fault is Fault.SERVER_ERROR:
            status = "500 Internal Server Error"
        if fault is Fault.MAINTENANCE:
            status = "503 Service Unavailable"
        if fault is Fault.REDIRECT:
            status, headers = f"{self.redirect[0]} Redirect", [("Location", self.redirect[1])]
        if fault is Fault.HTML:
            page = b"<!doctype html><title>Just a moment...</title><h1>Checking your browser</h1>"
            return Answer("200 OK", [("Content-Type", "text/html")], b"").but(page)
        return Answer(status, headers, b"").but(b"") if status else None

    def _distortion(self, fault: Fault) -> Distortion:
        if fault is Fault.STALE:
            return Distortion(behind=self.stale)
        if fault is Fault.WRONG_CLOCK:
            return Distortion(shift=self.clock)
        dice = Dice(self.seed, "rows", self._count)
        bend: dict[Fault, Callable[[list[Any]], list[Any]]] = {
            Fault.DUPLICATE_ROWS: lambda rows: [again for row in rows for again in (row, row)],
            Fault.REORDERED_ROWS: lambda rows: dice.shuffled(rows),
            Fault.EMPTY_PAGE: lambda rows: [],
        }
        return Distortion(
            rows=bend.get(fault, list), late=self.late if fault is Fault.LATE_ROWS else timedelta(0)
        )

    def _ask(self, environ: WSGIEnvironment) -> Answer:
        seen: list[tuple[str, Headers]] = []

        def start(status: str, headers: Headers, exc_info: object = None, /) -> Callable[[bytes], object]:
            seen.append((status, headers))
            return lambda _: None

        body = b"".join(self.app(environ, start))
        return Answer(*seen[-1], body)

    def _spoilt(self, fault: Fault, answer: Answer) -> Answer:
        if fault is Fault.CUT_BODY:
            return Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
        if fault is Fault.GZIP_BOMB:
            spoilt = answer.but(gzip.compress(b"[" + b" " * self.huge, compresslevel=9))
            return Answer(spoilt.status, [*spoilt.headers, ("Content-Encoding", "gzip")], spoilt.body)
        if fault is Fault.NAN:
            return answer.but(re.sub(rb":\s*\"?-?\d[\d.eE+-]*\"?", b":NaN", answer.body, count=1))
        if fault is Fault.DUPLICATE_KEYS:
            return answer.but(re.sub(rb"\{(\"[^\"]+\":)", rb"{\1null,\1", answer.body, count=1))
        return answer

    def _send(
        self, answer: Answer, start_response: StartResponse, *, drip: bool = False, huge: bool = False
    ) -> Iterable[bytes]:
        headers = answer.headers
        if huge:
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(answer.status, headers)
        if drip:
            return self._dripping(answer.body)
        return self._endless() if huge else [answer.body]

    def _dripping(self, body: bytes) -> Iterator[bytes]:
        for index in range(len(body)):
            self.sleep(self.drip)
            yield body[index : index + 1]

    def _endless(self) -> Iterator[bytes]:
        yield b"["
        for _ in range(self.huge // len(FULL_CHUNK)):
            yield FULL_CHUNK
