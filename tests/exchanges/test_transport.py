"""One call: what is sent, what is let in, when it ends, and when it is tried again."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from email.utils import format_datetime

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from exchanges import errors
from exchanges.clock import SYSTEM_CLOCK
from exchanges.hosts import origin
from exchanges.pace import Unpaced
from exchanges.transport import CallRecord, Transport
from tests.exchanges.clocks import START, VirtualClock

Handler = Callable[[httpx2.Request], httpx2.Response]
CANARY = "canary-of-a-secret"
DRIPS = 600
"""A minute of them: a call of half a second that hears them all has no deadline, on however busy a computer."""


def over(handler: Handler, clock: VirtualClock | None = None, **options: object) -> Transport:
    """A transport whose other side is a function."""
    return Transport(
        "https://exchange.test",
        allowed=["/list"],
        clock=clock or VirtualClock(),
        pace=Unpaced(),
        client=httpx2.Client(transport=httpx2.MockTransport(handler)),
        **options,  # type: ignore[arg-type]
    )


def on_loopback(
    url: str, deadline: float = 60.0, meter: Callable[[CallRecord], None] | None = None
) -> Transport:
    """A transport over real sockets and the real clock, that tries once."""
    return Transport(
        url, allowed=["/list"], clock=SYSTEM_CLOCK, pace=Unpaced(), deadline=deadline, attempts=1, meter=meter
    )


def says(status: int = 200, body: bytes = b"[1]", **headers: str) -> Handler:
    """The same answer to every request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx2.Response(status, content=body, headers=named)


def in_turn(*answers: httpx2.Response | Exception) -> Handler:
    """One answer after the other; the last one for ever."""
    left = list(answers)

    def handler(request: httpx2.Request) -> httpx2.Response:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler


def test_only_a_get_of_a_listed_path_leaves_the_house() -> None:
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, content=b"[1]")

    answer = over(handler, prefix="/spot", sign=lambda path: {"x-signed": path}).get("/list", {"a": "1&2"})
    assert (answer.value, str(seen[0].url)) == ([1], "https://exchange.test/spot/list?a=1%262")
    assert (seen[0].method, seen[0].headers["x-signed"]) == ("GET", "/list")


@pytest.mark.parametrize(
    "path", ["/other", "/list/", "/list?a=1", "//list", "/../list", "/list#", "/li%73t", "list", ""]
)
def test_any_other_path_is_refused_before_the_wire(path: str) -> None:
    with pytest.raises(errors.Refused):
        over(says()).get(path)


def test_there_is_no_other_verb() -> None:
    assert [name for name in vars(Transport) if not name.startswith("_")] == ["get"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org", "ftp://example.org", "file:///etc/passwd", "https://user@example.org", "https://",
        "https://example.org/path", "https://example.org?q", "https://169.254.169.254", "https://10.0.0.1",
        "http://[::2]", "https://[fe80::1]", "https://localhost.", "https://x:99999", "javascript:1", "",
    ],
)  # fmt: skip
def test_addresses_that_may_not_be_asked_are_refused(url: str) -> None:
    with pytest.raises(errors.Refused):
        origin(url)


@pytest.mark.parametrize(
    "url", ["https://api.btse.com", "http://127.0.0.1:8801", "http://localhost:1/", "http://[::1]:80"]
)
def test_addresses_of_exchanges_and_of_this_computer_are_taken(url: str) -> None:
    assert origin(url) == url.rstrip("/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int, httpserver: HTTPServer) -> None:
    target = HTTPServer()
    target.start()
    try:
        httpserver.expect_request("/list").respond_with_data(
            "", status, {"Location": target.url_for("/list")}
        )
        with pytest.raises(errors.Hostile):
            on_loopback(httpserver.url_for("").rstrip("/")).get("/list")
        assert target.log == []
    finally:
        target.stop()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.BadRequest),
        (401, errors.KeyRejected),
        (403, errors.MissingRight),
        (404, errors.NotOffered),
        (405, errors.BadRequest),
        (408, errors.Unreachable),
        (429, errors.RateLimited),
        (451, errors.BadRequest),
        (500, errors.ExchangeFault),
        (503, errors.ExchangeFault),
    ],
)
def test_a_status_alone_says_what_is_wrong(status: int, error: type[errors.ExchangeError]) -> None:
    with pytest.raises(error) as caught:
        over(says(status, b"")).get("/list")
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>busy</html>", errors.Unreachable),
        (b"", errors.Unreachable),
        (b'[{"a": 1', errors.Unreachable),
        (b"[NaN]", errors.Hostile),
        (b'{"a": 1, "a": 2}', errors.Hostile),
        (b"hello", errors.Hostile),
    ],
)
def test_a_body_that_is_no_data_is_not_an_empty_page(body: bytes, error: type[errors.ExchangeError]) -> None:
    with pytest.raises(error):
        over(says(200, body)).get("/list")


def test_a_packed_bomb_is_stopped_at_its_unpacked_size(httpserver: HTTPServer) -> None:
    bomb = gzip.compress(b" " * (64 * 1024 * 1024))
    httpserver.expect_request("/list").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    calls: list[CallRecord] = []
    with pytest.raises(errors.Hostile, match="16 MiB"):
        on_loopback(httpserver.url_for("").rstrip("/"), meter=calls.append).get("/list")
    assert calls[0].size < 20 * 1024 * 1024


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_other_packings_are_refused(encoding: str) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        stream = httpx2.ByteStream(b"x")
        return httpx2.Response(200, stream=stream, headers={"content-encoding": encoding})

    with pytest.raises(errors.Hostile):
        over(handler).get("/list")


def test_a_dripping_body_ends_at_the_deadline(httpserver: HTTPServer) -> None:
    dripped: list[bytes] = []

    def drip(request: Request) -> Response:
        def chunks() -> Iterator[bytes]:
            while len(dripped) < DRIPS:
                time.sleep(0.1)
                dripped.append(b" ")
                yield b" "

        return Response(chunks(), 200)

    httpserver.expect_request("/list").respond_with_handler(drip)
    with pytest.raises(errors.Hostile, match="longer"):
        on_loopback(httpserver.url_for("").rstrip("/"), deadline=0.5).get("/list")
    assert len(dripped) < DRIPS


def test_dripping_headers_end_at_the_deadline_too() -> None:
    with dripping_server() as server:
        with pytest.raises(errors.Unreachable):
            on_loopback(server.url, deadline=0.5).get("/list")
        assert server.dripped < DRIPS


class dripping_server:
    """Sends one byte of an endless header at a time."""

    dripped = 0

    def __enter__(self) -> dripping_server:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        return self

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while self.dripped < DRIPS:
                    time.sleep(0.1)
                    connection.sendall(b"x")
                    self.dripped += 1
            except OSError:
                return

    def __exit__(self, *args: object) -> None:
        self.listener.close()
        self.thread.join(timeout=5)


def test_a_cut_body_is_no_answer(httpserver: HTTPServer) -> None:
    cut = Response(b"[1, 2", 200, {"Content-Length": "5000", "Connection": "close"})
    httpserver.expect_request("/list").respond_with_response(cut)
    with pytest.raises(errors.Unreachable):
        on_loopback(httpserver.url_for("").rstrip("/")).get("/list")


def test_nobody_listening_is_unreachable_and_an_unknown_name_is_told_apart() -> None:
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    with pytest.raises(errors.Unreachable) as caught:
        on_loopback(f"http://127.0.0.1:{port}").get("/list")
    assert not caught.value.unresolved
    unknown = httpx2.ConnectError("no")
    unknown.__cause__ = socket.gaierror(-2, "unknown")
    with pytest.raises(errors.Unreachable) as caught:
        over(in_turn(unknown)).get("/list")
    assert caught.value.unresolved


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        (str(int(START.timestamp()) + 9), 9.0),
        (str(int(START.timestamp() + 9) * 1000), 9.0),
        (format_datetime(START + timedelta(seconds=4), usegmt=True), 4.0),
    ],
)
def test_the_pause_that_is_asked_for_is_kept(header: str, pause: float) -> None:
    clock = VirtualClock()
    busy = httpx2.Response(429, headers={"Retry-After": header})
    over(in_turn(busy, httpx2.Response(200, content=b"[1]")), clock).get("/list")
    assert clock.slept == [pytest.approx(pause)]


def test_a_pause_beyond_our_patience_is_left_to_the_next_run() -> None:
    clock = VirtualClock()
    with pytest.raises(errors.RateLimited) as caught:
        over(says(429, b"", Retry_After="300"), clock).get("/list")
    assert (caught.value.retry_after, clock.slept) == (300.0, [])


@pytest.mark.parametrize("header", ["soon", "-1", "1e9", "NaN", ""])
def test_a_pause_that_cannot_be_read_is_ours(header: str) -> None:
    clock = VirtualClock()
    over(
        in_turn(httpx2.Response(503, headers={"Retry-After": header}), httpx2.Response(200, content=b"1")),
        clock,
    ).get("/list")
    assert 0.3 < clock.slept[0] < 0.7


def test_every_try_is_signed_afresh_and_at_most_three_are_made() -> None:
    drawn: list[str] = []
    asked: list[str] = []

    def sign(path: str) -> Mapping[str, str]:
        drawn.append(f"n{len(drawn)}")
        return {"nonce": drawn[-1]}

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.headers["nonce"])
        raise httpx2.ReadError("reset")

    with pytest.raises(errors.Unreachable):
        over(handler, sign=sign).get("/list")
    assert asked == drawn == ["n0", "n1", "n2"]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_cannot_pass_is_not_tried_again(status: int) -> None:
    calls: list[CallRecord] = []
    with pytest.raises(errors.ExchangeError):
        over(says(status, b""), meter=calls.append).get("/list")
    assert [(c.status, c.attempt) for c in calls] == [(status, 1)]


def test_the_exchanges_clock_is_seen_in_every_answer() -> None:
    clock = VirtualClock()
    transport = over(says(Date=format_datetime(START + timedelta(seconds=90), usegmt=True)), clock)
    assert transport.get("/list").date == START + timedelta(seconds=90)
    assert transport.skew == pytest.approx(90.5)


@pytest.mark.parametrize(("seconds", "error"), [(60, errors.KeyRejected), (120, errors.ClockSkewed)])
def test_a_rejected_key_is_blamed_on_the_clock_beyond_the_bound(
    seconds: int, error: type[errors.ExchangeError]
) -> None:
    late = format_datetime(START + timedelta(seconds=seconds), usegmt=True)
    with pytest.raises(error):
        over(says(401, b"", Date=late), skew_limit=90).get("/list")


def test_cookies_do_not_travel_from_one_call_to_the_next() -> None:
    seen: list[str | None] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers.get("cookie"))
        return httpx2.Response(200, content=b"[]", headers={"Set-Cookie": "who=alice"})

    transport = over(handler)
    transport.get("/list")
    transport.get("/list")
    assert seen == [None, None]


@pytest.mark.parametrize("answer", [says(), says(401, b"{}"), says(500), in_turn(httpx2.ReadError(CANARY))])
def test_neither_logs_nor_errors_nor_records_hold_what_was_signed(
    answer: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    calls: list[CallRecord] = []
    told = ""
    try:
        over(answer, sign=lambda path: {"x-key": CANARY}, meter=calls.append).get("/list", {"q": CANARY})
    except errors.ExchangeError as error:
        told = repr((error, error.__cause__, error.__context__, vars(error)))
    assert CANARY not in caplog.text + repr(calls) + told


def test_over_sockets_a_connection_is_used_again(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/list").respond_with_data(b'{"a": 1.10}')
    transport = on_loopback(httpserver.url_for("").rstrip("/"))
    for _ in range(3):
        assert repr(transport.get("/list").value) == "{'a': Decimal('1.10')}"


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0100 00:00:00 +2359",
        "soon",
    ],
)
def test_a_date_that_cannot_be_meant_is_as_good_as_none(date: str) -> None:
    transport = over(says(Date=date, Retry_After=date))
    assert transport.get("/list").date is None
    assert transport.skew is None
