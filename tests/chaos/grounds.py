"""What an installation stands on: the embedded default, or PostgreSQL and Redis of its own, which can be stopped too."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Blow = Callable[[], None]


def tear_schedule(data: Path, dice: random.Random) -> int:
    """Leave the file in which beat remembers what it has sent as a loss of power would: cut somewhere. How many files."""
    cut = 0
    for file in sorted(data.glob("beat-schedule*")):
        with contextlib.suppress(OSError):
            os.truncate(file, dice.randrange(file.stat().st_size + 1))
            cut += 1
    return cut


class Embedded:
    """SQLite and a folder as the queue."""

    name = "embedded (SQLite, queue in a folder)"

    def __init__(self, folder: Path, dice: random.Random) -> None:
        """`folder`: the data folder of the installation."""
        self.env: dict[str, str] = {}
        self._queue = folder / "broker"
        self._dice = dice

    def blows(self) -> dict[str, Blow]:
        """What can be done to it."""
        return {"queue emptied": self._empty, "message torn": self._tear}

    def end(self) -> None:
        """Nothing of its own runs."""

    def _empty(self) -> None:
        for message in self._queue.glob("*"):
            message.unlink(missing_ok=True)

    def _tear(self) -> None:
        """A message of which half was written when its writer was killed."""
        name = f"{int(time.monotonic() * 1000)}_{self._dice.randrange(10**9)}.celery.msg"
        (self._queue / name).write_text(self._dice.choice(("", '{"body": "W1sxXSwge')))


class Served:
    """PostgreSQL and Redis, both started for this run alone."""

    name = "PostgreSQL and Redis"

    def __init__(self, folder: Path, dice: random.Random) -> None:
        """Nothing of what already runs on this machine is touched."""
        self._dice = dice
        self._bin, self._redis_bin = find_servers()
        self._folder = folder.parent / "servers"
        self._folder.mkdir()
        self._who: dict[str, Any] = _other_user()
        if self._who:
            folder.parent.chmod(0o711)
            shutil.chown(self._folder, self._who["user"])
        self._ports = [_free_port(), _free_port()]
        self._cluster = self._folder / "cluster"
        initdb = [
            str(self._bin / "initdb"),
            "-D",
            str(self._cluster),
            "-U",
            "holdfast",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        subprocess.run([*initdb, "--no-sync"], stdout=subprocess.DEVNULL, check=True, **self._who)
        self._postgres, self._redis = self._start_postgres(), self._start_redis()
        self._psql("CREATE DATABASE chaos", database="postgres")
        self.env = {
            "DATABASE_URL": f"postgres://holdfast@127.0.0.1:{self._ports[0]}/chaos",
            "BROKER_URL": f"redis://127.0.0.1:{self._ports[1]}/0",
            "CACHE_URL": f"redis://127.0.0.1:{self._ports[1]}/1",
        }

    def blows(self) -> dict[str, Blow]:
        """What can be done to it."""
        return {
            "broker flushed": self._flush,
            "broker killed": self._kill_redis,
            "sessions terminated": self._terminate,
            "database stopped at once": self._stop_postgres,
        }

    def end(self) -> None:
        """Stop both."""
        for process in (self._postgres, self._redis):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _flush(self) -> None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._ports[1]), 2) as line:
            line.sendall(b"FLUSHALL\r\n")
            line.recv(64)

    def _kill_redis(self) -> None:
        self._redis.kill()
        self._redis.wait()
        time.sleep(self._dice.uniform(0, 1.5))
        self._redis = self._start_redis()

    def _terminate(self) -> None:
        self._psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'chaos'")

    def _stop_postgres(self) -> None:
        """As `pg_ctl stop -m immediate`: no checkpoint, so that the start is a recovery."""
        self._postgres.send_signal(signal.SIGQUIT)
        self._postgres.wait(20)
        time.sleep(self._dice.uniform(0, 1.5))
        self._postgres = self._start_postgres()

    def _start_postgres(self) -> subprocess.Popen[bytes]:
        options = ["-h", "127.0.0.1", "-p", str(self._ports[0]), "-k", str(self._folder)]
        with (self._folder.parent / "postgres.log").open("ab") as log:
            process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._cluster, *options],
                stdout=log, stderr=log, start_new_session=True, **self._who,
            )  # fmt: skip
        for _ in range(150):
            if self._psql("SELECT 1", database="postgres", must=False):
                return process
            time.sleep(0.1)
        raise SystemExit("PostgreSQL did not start.")

    def _start_redis(self) -> subprocess.Popen[bytes]:
        options = ["--port", str(self._ports[1]), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        process = subprocess.Popen(
            [self._redis_bin, *options], stdout=subprocess.DEVNULL, start_new_session=True, cwd=self._folder
        )
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._ports[1])) == 0:
                    return process
            time.sleep(0.05)
        raise SystemExit("Redis did not start.")

    def _psql(self, statement: str, database: str = "chaos", *, must: bool = True) -> bool:
        line = [
            "psql",
            "-h",
            "127.0.0.1",
            "-p",
            str(self._ports[0]),
            "-U",
            "holdfast",
            "-d",
            database,
            "-qAt",
        ]
        done = subprocess.run([*line, "-c", statement], capture_output=True, check=False)
        # A session that ends all sessions of its database ends its own as well.
        if must and done.returncode and "terminat" not in statement:
            raise SystemExit(done.stderr.decode())
        return done.returncode == 0


def find_servers() -> tuple[Path, Path]:
    """Where PostgreSQL's programs and redis-server are; SystemExit with a sentence where they are not."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    initdb = shutil.which("initdb") or next(iter(installed), None)
    redis = shutil.which("redis-server")
    if not initdb or not redis:
        raise SystemExit("SKIPPED: PostgreSQL (initdb) and redis-server must be installed for this part.")
    return Path(initdb).parent, Path(redis)


def _other_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    names = {one.pw_name for one in pwd.getpwall()}
    name = "postgres" if "postgres" in names else "nobody"
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
