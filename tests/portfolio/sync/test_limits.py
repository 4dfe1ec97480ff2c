"""Real processes and threads: one key never asks faster than allowed, and a bad host keeps nobody else waiting."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection as database
from django.db import connections as databases
from django.utils import timezone

from accounts.keys import store_key
from accounts.models import Connection, State, User
from exchanges.sandbox.btse import Btse
from exchanges.sandbox.server import Serving
from exchanges.sandbox.tether import Tether
from exchanges.sandbox.world import World
from exchanges.transport import Transport
from portfolio import sync
from portfolio.models import Run, RunState, Trigger
from portfolio.sync import crowd, schedule

ROOT = Path(__file__).resolve().parents[3]
KEY, SECRET, LIMIT = "one-key-of-two-users", "secret", 5
THREADS = 8
pytestmark = pytest.mark.django_db(transaction=True)

CALLS = 10
"""At the least, of each process."""

# When a call may leave is told by the pace itself: between that and the wire a busy computer may let any time pass.
WORKER = f"""
import json, sys, time, django
django.setup()
from exchanges.pace import Window
from portfolio import sync
from portfolio.models import Trigger

granted, wait = [], Window.wait

def noted(window):
    waited = wait(window)
    granted.append(window._made[-1])
    return waited

Window.wait = noted
end = time.monotonic() + 300
while len(granted) < {CALLS} and time.monotonic() < end:
    for pk in map(int, sys.argv[1:]):
        if sync.run(pk, trigger=Trigger.COMMAND, seconds=0.2) is not None:
            time.sleep(0.2)  # the key is free: the other process gets its turn
print(json.dumps(granted))
"""


def connected(user: User, label: str, exchange: str, key: str) -> Connection:
    """A connection that is due."""
    row = Connection.objects.create(
        user=user, label=label, exchange=exchange, state=State.ACTIVE, next_sync_at=timezone.now()
    )
    store_key(row, key, SECRET)
    return row


def as_this_process(folder: Path, **urls: str) -> dict[str, str]:
    """The environment of another process of the same installation."""
    told = database.settings_dict
    place = f"{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"
    url = f"sqlite:///{told['NAME']}" if database.vendor == "sqlite" else f"postgres://{place}"
    keys = {"SECRET_KEY": settings.SECRET_KEY, "VAULT_KEYS": ",".join(settings.VAULT_KEYS)}
    named = {"DJANGO_SETTINGS_MODULE": "portfolio.settings", "DATABASE_URL": url, "DATA_DIR": str(folder)}
    return {**os.environ, **named, **keys, **urls}


def test_two_processes_with_one_key_never_exceed_its_limit(alice: User, bob: User, tmp_path: Path) -> None:
    pks = [str(connected(user, "x", "btse", KEY).pk) for user in (alice, bob)]
    app = Btse(World("pace", years=1), key=KEY, secret=SECRET, pace=None)
    with Serving({"btse": app}) as urls:
        env = as_this_process(tmp_path, BTSE_URL=urls["btse"])
        both = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, *order], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
            )
            for order in (pks, pks[::-1])
        ]
        granted: list[list[float]] = [json.loads(one.communicate(timeout=400)[0]) for one in both]

    times = sorted(chain(*granted))  # Linux has one monotonic clock for all processes
    assert min(map(len, granted)) >= CALLS
    assert len(times) == len(app.log)
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[LIMIT:], strict=False))


class Enemy:
    """A host that takes every call and answers it badly, for ever; counts how many it holds at a time."""

    def __init__(self, says: bytes, pause: float) -> None:
        self._says, self._pause = says, pause
        self._lock = threading.Lock()
        self._held: set[socket.socket] = set()
        self.most = 0
        self._asked = threading.Semaphore(0)
        self.over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._hold, args=(self._server.accept()[0],), daemon=True).start()

    def _hold(self, caller: socket.socket) -> None:
        with suppress(OSError), caller:
            question = b""
            while not question.endswith(b"\r\n\r\n"):
                question += caller.recv(4096) or b"\r\n\r\n"
            with self._lock:
                self._held = {one for one in (*self._held, caller) if waits(one)}
                self.most = max(self.most, len(self._held))
                self._asked.release()
            while not self.over.wait(self._pause):
                caller.sendall(self._says)

    def wait_for(self, calls: int) -> None:
        """Until so many have asked."""
        assert all(self._asked.acquire(timeout=120) for _ in range(calls))

    def close(self) -> None:
        """Let everybody go."""
        self.over.set()
        self._server.close()


def waits(caller: socket.socket) -> bool:
    """Whether somebody who has asked is on the line still; who has hung up is not held, however late we hear of it."""
    try:
        return caller.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
ENEMIES = {"silent": (b"", 0.1), "drips": (HEAD[:1], 0.3), "floods": (HEAD + b" " * 2**20, 0.001)}


@contextmanager
def worker() -> Iterator[None]:
    """A dispatcher and the threads of one worker process."""
    waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    over = threading.Event()

    def dispatches() -> None:
        while not over.wait(0.2):
            for pk in schedule.claim_due(timezone.now()):
                waiting.put(pk)
        databases.close_all()

    def works() -> None:
        while (pk := waiting.get()) is not None:
            sync.run(pk, trigger=Trigger.SCHEDULE, seconds=2)
        databases.close_all()

    threads = [threading.Thread(target=step) for step in (dispatches, *[works] * THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for _ in range(THREADS):
            waiting.put(None)
        for thread in threads:
            thread.join(60)


@pytest.mark.parametrize("kind", ENEMIES)
def test_a_bad_host_keeps_nobody_else_waiting(
    alice: User, bob: User, settings: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(crowd.CROWD, "threads", THREADS)
    for_good = (Transport.__init__.__kwdefaults__ or {}) | {"deadline": 3600.0}
    monkeypatch.setattr(Transport.__init__, "__kwdefaults__", for_good)
    enemy = Enemy(*ENEMIES[kind])
    app = Tether(World("healthy", years=1, live=False), key=KEY, secret=SECRET)
    for number in range(40):
        connected(alice, str(number), "btse", f"key-{number}")
    with Serving({"tether": app}) as urls:
        settings.EXCHANGE_URLS = {**settings.EXCHANGE_URLS, **urls, "btse": enemy.url}
        with worker(), closing(enemy):
            enemy.wait_for(THREADS // 4)
            time.sleep(0.5)  # where more could be held, they would be by now
            mine = connected(bob, "mine", "tether", KEY)
            for _ in range(3):
                assert ended(mine) == "ok"

    assert 0 < enemy.most <= THREADS // 4


def ended(mine: Connection) -> str:
    """How the next run of a connection that is due now ends."""
    before = Run.objects.of(mine).exclude(state=RunState.RUNNING).count()
    Connection.objects.filter(pk=mine.pk).update(next_sync_at=timezone.now())
    for _ in range(1200):
        runs = Run.objects.of(mine).exclude(state=RunState.RUNNING).order_by("-pk")
        if runs.count() > before:
            return str(runs[0].state)
        time.sleep(0.1)
    return "never"
