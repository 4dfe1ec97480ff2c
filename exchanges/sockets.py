"""A connection whose every wait ends at one deadline, however slowly the other side drips.

A client's own time-out starts anew with each byte; here the whole call has one budget of seconds.
Knows sockets only: no exchange, no key.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

CONNECT_TIMEOUT = 10.0


class _Budget:
    """The seconds that are left of the call being made; one call at a time per transport."""

    def __init__(self) -> None:
        self.end: float | None = None

    def cut(self, timeout: float | None, error: type[Exception]) -> float | None:
        if self.end is None:
            return timeout
        left = self.end - time.monotonic()
        if left <= 0:
            raise error("deadline")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._budget.cut(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._budget.cut(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        cut = self._budget.cut(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, cut), self._budget)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, budget: _Budget) -> None:
        self._inner = httpcore2.SyncBackend()
        self._budget = budget

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        cut = self._budget.cut(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, cut, local_address, socket_options), self._budget)


class DeadlineTransport(httpx2.HTTPTransport):
    """HTTP/1.1 with verified TLS, without proxies; a request's extension `budget` bounds all its waiting."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self._budget = _Budget()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=8,
            max_keepalive_connections=4,
            keepalive_expiry=30.0,
            network_backend=_Backend(self._budget),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send, with the budget counted from now."""
        budget = request.extensions.get("budget")
        self._budget.end = None if budget is None else time.monotonic() + budget
        return super().handle_request(request)


def client() -> httpx2.Client:
    """A client that follows nothing, trusts no environment and ends every call in time."""
    return httpx2.Client(
        transport=DeadlineTransport(),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx2.Timeout(30.0, connect=CONNECT_TIMEOUT),
    )
