"""The other side of the wire: one answer is the example's, all others are as documented."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2

from exchanges.catalog import ExchangeName
from tests.fuzz.corpus import CORPUS
from tests.fuzz.examples import Example, Sent, honest, made

MOST_CALLS = 3_000
"""No reading of these small answers needs more; one that asks on and on does not come to its end."""
CHUNK = 64 * 1024
"""So much is read from a socket at once."""
NOT_FOUND = Sent(404, (("content-type", "application/json"),), b"{}", b"{}")


class Endless(BaseException):
    """A reading goes on for ever; nothing in the product may catch this."""


class _Body(httpx2.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), CHUNK):
            yield self._body[start : start + CHUNK]


@dataclass
class HostileExchange(httpx2.BaseTransport):
    """Answers calls; remembers what was asked and how much work each of its answers made."""

    example: Example
    paths: list[str] = field(default_factory=list)
    heard: int = 0
    """How often the example's answer was given."""
    longest: float = 0.0
    """The most CPU seconds between two calls."""

    def __post_init__(self) -> None:
        self.sent = made(self.example)
        self._endpoints = CORPUS[ExchangeName(self.example.exchange)]
        self._target = self.example.target
        self._since: float | None = None

    @property
    def others(self) -> list[str]:
        """What other questions are answered."""
        return [one.answers[0] for one in self._endpoints if one is not self._target]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One call."""
        self.clocked()
        path = request.url.path
        self.paths.append(path)
        if len(self.paths) > MOST_CALLS:
            raise Endless(f"more than {MOST_CALLS} calls, the last one to {path}")
        sent = self._answer(path)
        answer = httpx2.Response(
            sent.status,
            headers=[(name.encode(), value.encode("latin-1", "replace")) for name, value in sent.headers],
            stream=_Body(sent.body),
        )
        self._since = time.process_time()
        return answer

    def clocked(self) -> None:
        """Note how much CPU the last answer cost."""
        if self._since is not None:
            self.longest = max(self.longest, time.process_time() - self._since)
            self._since = None

    def _answer(self, path: str) -> Sent:
        if self._target.fits(path):
            self.heard += 1
            return self.sent
        for one in self._endpoints:
            if one.fits(path):
                return NOT_FOUND if one.name in self._target.gone else honest(one.answers[0])
        return NOT_FOUND
