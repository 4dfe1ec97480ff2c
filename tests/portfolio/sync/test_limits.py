"""Real processes and threads: one key never asks faster than allowed, and a bad host keeps nobody else waiting."""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
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
from portfolio import sync
from portfolio.models import Run, RunState, Trigger
from portfolio.sync import crowd, schedule

ROOT = Path(__file__).resolve().parents[3]
KEY, SECRET, LIMIT = "one-key-of-two-users", "secret", 5
THREADS = 8
pytestmark = pytest.mark.django_db(transaction=True)

WORKER = """
import sys, time, django
django.setup()
from portfolio import sync
from portfolio.models import Trigger
end, done = time.monotonic() + 90, 0
while done < 4 and time.monotonic() < end:
    for pk in map(int, sys.argv[1:]):
        if sync.run(pk, trigger=Trigger.COMMAND, seconds=0.2) is not None:
            done += 1
            time.sleep(0.2)  # the key is free: the other process gets its turn
print(done)
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
        turns = [int(one.communicate(timeout=120)[0]) for one in both]

    times = sorted(sent())
    assert min(turns) >= 4
    assert len(times) == len(app.log) > 10
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[LIMIT:], strict=False))


def sent() -> Iterator[float]:
    """When each call left, as its process noted it: a busy computer may deliver two of them late and together."""
    for run in Run.objects.all():
        for call in run.calls["last"]:
            yield datetime.fromisoformat(call["at"]).timestamp() - call["ms"] / 1000


class Enemy:
    """A host that takes every call and answers it badly, for ever; counts how many it holds at a time."""

    def __init__(self, says: bytes, pause: float) -> None:
        self._says, self._pause = says, pause
        self._lock = threading.Lock()
        self.held = self.most = 0
        self.over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._hold, args=(self._server.accept()[0],), daemon=True).start()

    def _hold(self, caller: socket.socket) -> None:
        with self._lock:
            self.held += 1
            self.most = max(self.most, self.held)
        with suppress(OSError), caller:
            while not self.over.wait(self._pause):
                caller.sendall(self._says)
        with self._lock:
            self.held -= 1

    def end(self) -> None:
        """Let everybody go."""
        self.over.set()
        self._server.close()


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
    enemy = Enemy(*ENEMIES[kind])
    app = Tether(World("healthy", years=1, live=False), key=KEY, secret=SECRET)
    for number in range(40):
        connected(alice, str(number), "btse", f"key-{number}")
    with Serving({"tether": app}) as urls:
        settings.EXCHANGE_URLS = {**settings.EXCHANGE_URLS, **urls, "btse": enemy.url}
        with worker():
            time.sleep(2)  # long enough for the bad host to hold whatever it can get
            mine = connected(bob, "mine", "tether", KEY)
            began = time.monotonic()
            waits = [waited(mine) for _ in range(3)]
            took = time.monotonic() - began
            enemy.end()

    assert waits == ["ok"] * 3
    assert took < 20
    assert enemy.most <= THREADS // 4 + 1  # one that has just hung up may be counted still


def waited(mine: Connection) -> str:
    """How the next run of a connection that is due now ends."""
    before = Run.objects.of(mine).exclude(state=RunState.RUNNING).count()
    Connection.objects.filter(pk=mine.pk).update(next_sync_at=timezone.now())
    for _ in range(200):
        ended = Run.objects.of(mine).exclude(state=RunState.RUNNING).order_by("-pk")
        if ended.count() > before:
            return str(ended[0].state)
        time.sleep(0.1)
    return "never"
