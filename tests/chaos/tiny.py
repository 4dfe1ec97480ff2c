"""A tiny account at BTSE, one sync of it killed at one point after the other, each time on a copy.

The process to be killed is forked from this one, which is set up already; strace takes hold of it before it begins.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from django.conf import settings
from django.db import connections

from accounts.keys import store_key
from accounts.models import Connection, State, User
from exchanges.sandbox.btse import Btse
from exchanges.sandbox.server import Serving
from exchanges.sandbox.world import World
from portfolio.models import Run, RunState, Trigger
from portfolio.tasks import bring_up_to_date
from tests.chaos.accounts import Account, Listener
from tests.chaos.verdict import differences, doubles

CALLS = "write,writev,pwrite64,pwritev,fsync,fdatasync,ftruncate,rename,unlink"
ANY_TRACER = (0x59616D61, ctypes.c_ulong(-1))
"""prctl: let a process that is no parent take hold of this one."""

fork = multiprocessing.get_context("fork")


class Hurried:
    """The wall clock, but waiting takes no time."""

    def __init__(self) -> None:
        """Nothing was waited for."""
        self._skipped = 0.0

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Go on at once."""
        self._skipped += seconds


class Tiny:
    """All tries."""

    def __init__(self, folder: Path, most: int) -> None:
        """Django is set up on `folder`/data, which stays as the untouched original."""
        self._folder, self._most = folder, most
        world = World("tiny", empty=True)
        for number in range(4):
            world.btse.add("Deposit", "USDT", f"{number}.25", id=f"tiny-{number}")
        world.btse.add_fill("BTC-USDT", "BUY", "0.0001", "9000")
        self._account = Account(exchange="btse", user="tiny", key="key", secret="secret", world=world)
        self._points = self._killed = 0

    def run(self) -> list[str]:
        """What was wrong; prints how it went."""
        self._prepare()
        with served(self._account.world) as pipe:
            settings.EXCHANGE_URLS["btse"] = pipe.recv()
            total = self._count()
            step = max(1, -(-total // self._most))
            print(f"One sync of {len(self._account.ids())} rows makes {total} calls that change a file.")
            print(f"Killed at {'each' if step == 1 else f'every {step}th'} of them …", flush=True)
            wrong = [text for point in range(1, total + 1, step) for text in self._try(point)]
            pipe.send("end")
            reused = pipe.recv()
        wrong += [f"{reused} nonces reused or out of order"] if reused else []
        print(f"{self._points} points tried, {self._killed} kills survived, {len(wrong)} violations")
        for text in wrong:
            print(f"  {text}")
        return wrong

    def _prepare(self) -> None:
        user = User.objects.create(email="tiny@example.org")
        made = Connection.objects.create(user=user, exchange="btse", label="tiny", state=State.ACTIVE)
        store_key(made, "key", "secret")
        self._pk = made.pk
        connections.close_all()
        # What is copied must be all there is.
        with sqlite3.connect(self._folder / "data" / "holdfast.sqlite3") as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.close()

    def _count(self) -> int:
        """How many calls an undisturbed sync makes."""
        with self._copy() as (_, log):
            if code := self._traced(log):
                raise SystemExit(f"The undisturbed sync ended with {code}.")
            return sum(1 for line in log.read_text().splitlines() if "(" in line and "resumed" not in line)

    def _try(self, point: int) -> list[str]:
        """Kill at that point, look at what stands, sync again, look again."""
        self._points += 1
        with self._copy() as (data, log):
            self._killed += self._traced(log, kill_at=point) != 0
            wrong = [] if sound(data) else ["the database file is damaged"]
            return [f"killed at call {point}: {text}" for text in [*wrong, *self._verdict()]]

    def _traced(self, log: Path, *, kill_at: int | None = None) -> int:
        """Fork a sync that waits for strace to hold it; how it ended."""
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(*ANY_TRACER)
            while "TracerPid:\t0" in Path("/proc/self/status").read_text():
                time.sleep(0.005)
            done = self._sync()
            os._exit(0 if done == "ok" else 3)
        inject = ["-e", f"inject={CALLS}:signal=SIGKILL:when={kill_at}"] if kill_at else []
        line = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={CALLS}", *inject, "-p", str(child)]
        strace = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        status = os.waitpid(child, 0)[1]
        strace.wait()
        return os.waitstatus_to_exitcode(status)

    def _sync(self) -> str:
        done = bring_up_to_date(self._pk, trigger=Trigger.COMMAND, clock=Hurried())
        return "busy" if done is None else done.error or done.state.value

    def _verdict(self) -> list[str]:
        """The next sync, in this process, then the comparison."""
        if (said := self._sync()) != RunState.OK:
            return [f"the next sync said: {said}"]
        one = Connection.objects.get(pk=self._pk)
        left = Run.objects.running().count()
        return differences(one, self._account) + doubles() + ([f"{left} runs never ended"] if left else [])

    @contextmanager
    def _copy(self) -> Iterator[tuple[Path, Path]]:
        data = self._folder / "copy"
        shutil.copytree(self._folder / "data", data)
        connections["default"].settings_dict["NAME"] = str(data / "holdfast.sqlite3")
        try:
            yield data, self._folder / "calls.log"
        finally:
            connections.close_all()
            shutil.rmtree(data)


@contextmanager
def served(world: World) -> Iterator[Pipe]:
    """The exchange in a process of its own: first it sends its address, after any word how many nonces were wrong."""
    here, there = fork.Pipe()

    def serve() -> None:
        listener = Listener(Btse(world, key="key", secret="secret", pace=None))
        with Serving({"btse": listener}) as urls:
            there.send(urls["btse"])
            there.recv()
            there.send(listener.violations())

    process = fork.Process(target=serve, daemon=True)
    process.start()
    try:
        yield here
    finally:
        process.kill()
        process.join()


def sound(data: Path) -> bool:
    """SQLite's own check of the file as the kill left it."""
    with sqlite3.connect(data / "holdfast.sqlite3") as file:
        found: str = file.execute("PRAGMA integrity_check").fetchone()[0]
    file.close()
    return found == "ok"
