"""Many BTSE accounts behind a slow exchange, read by one worker process; and the bare loop beside it.

The idle sync of one account is recorded from the sandbox; a lean server then says the same to all, each time after
its pause, so that two cores are left to the product. Only its clock goes on: proofs would not reach up to now otherwise.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection as Pipe
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx2
from django.conf import settings
from django.db import connections as databases

from accounts.models import Connection, User
from benchmarks.inside.accounts import app_of
from benchmarks.inside.fresh import ROOT
from benchmarks.inside.rush import RushingClock, connected
from exchanges import sockets
from exchanges.btse import sign
from exchanges.sandbox.web import Exchange
from portfolio import gains
from portfolio.models import PriceHistory, Proof, Run, RunState, Trigger
from portfolio.processes import THREADS as USUAL
from portfolio.processes import processes
from portfolio.tasks import bring_up_to_date

THREADS, LATENCY = 16, 0.2
PAST, TURNS = 40, 3
"""Rows that each account has behind it, and turns that were taken before the measured one."""
GOAL_MINUTE, GOAL_RATIO = 600, 0.7
Said = dict[str, bytes]

fork = multiprocessing.get_context("fork")


def main(arguments: Sequence[str]) -> int:
    """The bare loop, the worker, and the ratio."""
    number = int(arguments[0])
    made, said, paths = recorded(number)
    databases.close_all()
    with slow_exchange(said) as url, broker() as queue:
        bare = number / bare_loop(url, paths, number)
        ours, calls = worker(url, queue, made)
    ratio = ours / bare
    print(
        f"  {number} connections, {calls:.1f} calls of {LATENCY * 1000:.0f} ms each, {THREADS} threads: "
        f"{ours * 60:.0f} a minute (goal {GOAL_MINUTE}); bare loop {bare * 60:.0f} a minute; "
        f"ratio {ratio:.2f} (goal {GOAL_RATIO}); {'Redis' if queue else 'queue in a folder'}; proofs {verdicts()}",
        flush=True,
    )
    return 0 if ours * 60 >= GOAL_MINUTE and ratio >= GOAL_RATIO else 1


class Recorder:
    """Remembers the last answer of each path."""

    def __init__(self, app: Exchange) -> None:
        """Nothing is remembered yet."""
        self._app = app
        self.asked: list[str] = []
        self.said: Said = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = list(self._app(environ, start_response))
        self.asked.append(environ["PATH_INFO"])
        self.said[environ["PATH_INFO"]] = b"".join(answer)
        return answer


def recorded(number: int) -> tuple[list[int], Said, list[str]]:
    """So many users with a connection each, all read and told before; what an idle sync is told, and what it asks.

    Each has a key of its own and the same life behind it, so that one recorded answer is true for all.
    """
    clock = RushingClock()
    clock.day_moves = False
    app = app_of("btse", PAST, clock)
    recorder = Recorder(app)
    made = [connected("btse", f"key-{place}", "secret") for place in range(number)]
    for place in range(number):
        app.admit(f"key-{place}", "secret")
    with httpx2.Client(transport=httpx2.WSGITransport(app=recorder)) as client:
        for turn in range(TURNS):
            for place, one in enumerate(made):
                mark = len(recorder.asked)
                bring_up_to_date(one.pk, trigger=Trigger.COMMAND, clock=clock, client=client)
                if turn == TURNS - 1 and not place:
                    paths = recorder.asked[mark:]
    for user in list(User.objects.all()):
        gains.compute(user, clock.now())
    PriceHistory.objects.update(asked_at=clock.now())
    Connection.objects.update(full_walk_at=clock.now() + timedelta(days=7))
    print(f"  {number} users, each with {PAST} rows; proofs {verdicts()}", flush=True)
    Run.objects.all().delete()
    return [one.pk for one in made], recorder.said, paths


def verdicts() -> dict[str, int]:
    """How many proofs came to what."""
    return dict(Counter(Proof.objects.values_list("verdict", flat=True)))


def bare_loop(url: str, paths: Sequence[str], number: int) -> float:
    """Seconds for the calls alone: a client a thread, each call signed, each answer read."""
    mine = threading.local()

    def one(_: int) -> None:
        client = mine.client = getattr(mine, "client", None) or sockets.client()
        for path in paths:
            headers = sign.headers(key="key", secret="secret", path=path, nonce=time.time_ns())
            client.get(url + path, headers=headers).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(number)))
    return time.perf_counter() - began


def worker(url: str, queue: str, made: Sequence[int]) -> tuple[float, float]:
    """Connections a second of one worker, from the first begun to the last done; and calls for each."""
    env = {**os.environ, "SYNC_EVERY_SECONDS": "3600", "RATES_EVERY_SECONDS": "86400"}
    env |= dict.fromkeys(("BTSE_URL", "TETHER_URL", "TOKENS_NET_URL"), url)
    env |= {"BROKER_URL": queue} if queue else {}
    settings.BROKER_URL = queue or settings.BROKER_URL
    lines = processes(bind="127.0.0.1", port=0)
    del lines["web"]
    Connection.objects.update(next_sync_at=datetime.now(UTC))
    databases.close_all()
    threads = (f"--concurrency {USUAL}", f"--concurrency {THREADS}")
    running = [
        subprocess.Popen(
            shlex.split(line.replace(*threads)),
            cwd=ROOT,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for line in lines.values()
    ]
    try:
        done = Run.objects.filter(state=RunState.OK, connection__in=made)
        end = time.monotonic() + 120
        while done.values("connection").distinct().count() < len(made) and time.monotonic() < end:
            time.sleep(0.5)
        rows = list(done.values_list("started_at", "finished_at", "requests"))
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)
    ends = [row[1] for row in rows if row[1] is not None]
    seconds = (max(ends) - min(row[0] for row in rows)).total_seconds()
    return len(rows) / seconds, sum(row[2] for row in rows) / len(rows)


@contextmanager
def slow_exchange(said: Said) -> Iterator[str]:
    """The recorded answers on loopback, each after the pause; its address."""
    here, there = fork.Pipe()
    process = fork.Process(target=serve, args=(there, said), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()


def serve(pipe: Pipe, said: Said) -> None:
    """One loop for all; nothing is parsed but the path."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(LATENCY)
                path = urlsplit(head.split(b" ", 2)[1].decode()).path
                body = _clock() if path.endswith("/time") else said.get(path)
                status, body = ("200 OK", body) if body is not None else ("404 Not Found", b"")
                date = format_datetime(datetime.now(UTC), usegmt=True)
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nDate: {date}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        writer.close()

    async def begin() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=256)
        pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()

    asyncio.run(begin())


def _clock() -> bytes:
    now = datetime.now(UTC)
    return json.dumps({"iso": now.isoformat(timespec="milliseconds"), "epoch": int(now.timestamp())}).encode()


@contextmanager
def broker() -> Iterator[str]:
    """A Redis of its own beside PostgreSQL, where there is one; empty: the queue in a folder."""
    program = shutil.which("redis-server")
    if program is None or databases["default"].vendor == "sqlite":
        yield ""
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, cwd=settings.DATA_DIR)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()
