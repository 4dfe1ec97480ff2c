"""What the three sandbox exchanges share as WSGI applications: routing, the log, keys, pace, and writing JSON.

Only GET is answered; everything that was asked is remembered in `log`, for a test to look at afterwards.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from exchanges.sandbox.world import Row, World
from exchanges.sandbox.world.dice import draw

JSON = Any
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it arrived, and how it was answered."""

    at: datetime
    method: str
    path: str
    query: Mapping[str, str]
    key: str
    nonce: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """How faults bend an answer's data; put into the environment by `faults`."""

    shift: timedelta = timedelta(0)
    behind: timedelta = timedelta(0)
    late: timedelta = timedelta(0)
    rows: Callable[[list[Any]], list[Any]] = list


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, body: JSON, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}")
        self.status, self.body, self.headers = status, body, dict(headers or {})


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler sees. `now` is the server's clock, `as_of` the moment whose truth is told."""

    method: str
    path: str
    query: Mapping[str, str]
    environ: WSGIEnvironment
    now: datetime
    as_of: datetime
    distortion: Distortion

    def header(self, name: str) -> str:
        """A header's text, empty when it was not sent."""
        special = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
        return str(
            self.environ.get(special.get(name.lower(), "HTTP_" + name.upper().replace("-", "_")), "") or ""
        )

    def listed(self, rows: Iterable[Row]) -> list[Row]:
        """Rows of the truth, without the newest ones of every other id where faults make them late."""
        since = self.as_of - self.distortion.late
        return (
            [row for row in rows if row.at <= since or draw(row.id) % 2]
            if self.distortion.late
            else list(rows)
        )

    def rows(self, rows: Iterable[T]) -> list[T]:
        """The rows of a list answer, as faults let them through."""
        return self.distortion.rows(list(rows))


Handler = Callable[..., JSON]


@dataclass(frozen=True, slots=True)
class Route:
    """A path and who may ask for it: `right` None is public, "" any key."""

    pattern: re.Pattern[str]
    handler: Handler
    documented: bool
    right: str | None


def route(path: str, handler: Handler, *, documented: bool = True, right: str | None = None) -> Route:
    """`{name}` in the path stands for one part of it."""
    return Route(re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), handler, documented, right)


@dataclass(slots=True)
class Account:
    """A key that was handed out: whose world it opens, and what it may do."""

    secret: str
    world: World
    rights: frozenset[str]
    last_nonce: int | None = None


@dataclass(slots=True)
class Pace:
    """So many requests in so many seconds; whoever asks more is shut out, longer each time within an hour."""

    limit: int
    seconds: float = 1.0
    blocks: tuple[int, ...] = (1,)
    _asked: list[datetime] = field(default_factory=list)
    _until: datetime | None = None
    _strikes: int = 0

    def refused_until(self, now: datetime) -> datetime | None:
        """Count one request; the moment at which the next one may come, if this one came too early."""
        if self._until is not None and now < self._until:
            return self._until
        if self._until is not None and now > self._until + timedelta(hours=1):
            self._strikes = 0
        self._asked = [at for at in self._asked if now - at < timedelta(seconds=self.seconds)]
        if len(self._asked) < self.limit:
            self._asked.append(now)
            return None
        self._until = now + timedelta(seconds=self.blocks[min(self._strikes, len(self.blocks) - 1)])
        self._strikes += 1
        return self._until


class Exchange:
    """One sandbox exchange; subclasses bring routes, the reading of signatures, and the shapes of errors."""

    name = ""
    all_rights: frozenset[str] = frozenset()
    read_rights: frozenset[str] = frozenset()

    def __init__(
        self,
        world: World,
        *,
        key: str,
        secret: str,
        rights: Iterable[str] | None = None,
        documented_only: bool = False,
        pace: int | None = None,
        retry_after: str | None = "seconds",
        blocks: Sequence[int] = (1,),
    ) -> None:
        """`pace`: requests per second and key, None for no limit. `retry_after`: "seconds", "epoch" or None."""
        self.world = world
        self.documented_only, self.pace, self.retry_after, self.blocks = (
            documented_only,
            pace,
            retry_after,
            tuple(blocks),
        )
        self.log: list[Asked] = []
        self._accounts: dict[str, Account] = {}
        self._paces: dict[str, Pace] = {}
        self._lock = threading.RLock()
        self._routes = self.routes()
        self.admit(key, secret, rights=rights)

    def admit(
        self, key: str, secret: str, *, world: World | None = None, rights: Iterable[str] | None = None
    ) -> None:
        """Hand out one more key, also for another user's world."""
        granted = frozenset(self.read_rights if rights is None else rights)
        self._accounts[key] = Account(secret=secret, world=world or self.world, rights=granted)

    def revoke(self, key: str) -> None:
        """The key is no longer known."""
        del self._accounts[key]

    def routes(self) -> tuple[Route, ...]:
        """Which paths there are."""
        raise NotImplementedError

    def key_of(self, request: Request) -> tuple[str, str]:
        """Key and nonce as sent, for the log; empty where there are none."""
        raise NotImplementedError

    def authenticate(self, request: Request, right: str) -> Account:
        """The account whose key signed the request, or a Refusal."""
        raise NotImplementedError

    def refusal(self, status: int, request: Request, text: str) -> Refusal:
        """An error of the protocol (404, 405, 429) in this exchange's shape."""
        raise NotImplementedError

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = self._read(environ)
        try:
            status, body, headers = 200, self._answer(request), dict[str, str]()
        except Refusal as refusal:
            status, body, headers = refusal.status, refusal.body, refusal.headers
        key, nonce = self.key_of(request)
        self.log.append(
            Asked(
                at=self.world.now(), method=request.method, path=request.path, query=request.query, key=key,
                nonce=nonce, status=status,
            )
        )  # fmt: skip
        content = b"" if body is None else dump(body).encode()
        sent = {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "Date": format_datetime(request.now.astimezone(UTC), usegmt=True),
            **headers,
        }
        start_response(f"{status} {HTTPStatus(status).phrase}", list(sent.items()))
        return [content]

    def _read(self, environ: WSGIEnvironment) -> Request:
        distortion = environ.get("sandbox.distortion") or Distortion()
        now = self.world.now()
        return Request(
            method=str(environ["REQUEST_METHOD"]),
            path=str(environ.get("PATH_INFO", "")),
            query=dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)),
            environ=environ,
            now=now + distortion.shift,
            as_of=now - distortion.behind,
            distortion=distortion,
        )

    def _answer(self, request: Request) -> JSON:
        if request.method != "GET":
            raise self.refusal(405, request, "Method Not Allowed")
        matches = ((one, one.pattern.fullmatch(request.path)) for one in self._routes)
        one, found = next(((one, found) for one, found in matches if found), (None, None))
        if one is not None and found is not None and (one.documented or not self.documented_only):
            return self._serve(one, request, found.groupdict())
        raise self.refusal(404, request, "Not Found")

    def _serve(self, one: Route, request: Request, parts: Mapping[str, str]) -> JSON:
        if one.right is None:
            return one.handler(request, **parts)
        with self._lock:
            self._keep_pace(request)
            account = self.authenticate(request, one.right)
        return one.handler(request, account.world, **parts)

    def _keep_pace(self, request: Request) -> None:
        if self.pace is None:
            return
        key, _ = self.key_of(request)
        pace = self._paces.setdefault(key, Pace(self.pace, blocks=self.blocks))
        until = pace.refused_until(self.world.now())
        if until is None:
            return
        refusal = self.refusal(429, request, "Too Many Requests")
        wait = -int((request.now - until).total_seconds() // 1)
        if self.retry_after == "seconds":
            refusal.headers["Retry-After"] = str(max(wait, 1))
        elif self.retry_after == "epoch":
            refusal.headers["Retry-After"] = str(int(until.timestamp()) + 1)
        raise refusal


def dump(value: JSON) -> str:
    """JSON with Decimals written as numbers, digit by digit as they are."""
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{dump(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(dump(one) for one in value) + "]"
    return json.dumps(value)


def number(value: Decimal) -> str:
    """A number as languages with floats write it: no trailing zeros, an exponent when it is very small."""
    if not value:
        return "0"
    plain = value.normalize() if len(value.as_tuple().digits) <= 28 else value
    if plain.adjusted() < -6:
        return str(plain).replace("E", "e")
    return f"{plain:f}"


def milliseconds(at: datetime) -> int:
    """Unix time in milliseconds."""
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
