"""The product's own processes, started as an installation starts them, started again when they die, killed by pid."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

RESTART = 1.0
"""Seconds until whoever watches over the processes starts a dead one again."""


class Member:
    """One process of the installation and all that came of it."""

    def __init__(self, name: str, line: str, env: Mapping[str, str], log: Path) -> None:
        """Started at once, in a group of its own."""
        self.name = name
        self.kills = self.deaths = 0
        self._groups: list[int] = []
        self._line, self._env, self._log = shlex.split(line), dict(env), log
        self._process = self._start()

    def kill(self, *, group: bool) -> None:
        """SIGKILL, to the process or to all it has started as well."""
        self.kills += 1
        with suppress(ProcessLookupError):
            if group:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                os.kill(self._process.pid, signal.SIGKILL)

    def watch(self) -> bool:
        """Start it again where it has died; whether that was so."""
        if self._process.poll() is None:
            return False
        self.deaths += 1
        time.sleep(RESTART)
        self._process = self._start()
        return True

    def end(self) -> None:
        """Ask, then insist; leave nothing behind."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(8)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for group in self._groups:
            self._end_left(group)

    def _end_left(self, group: int) -> None:
        """Children of one that was killed alone live on; a number that somebody else has by now is left alone."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                pid, rest = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
                told = (stat.parent / "environ").read_bytes()
                if int(rest[2]) == group and f"DATA_DIR={self._env['DATA_DIR']}".encode() in told:
                    os.kill(pid, signal.SIGKILL)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                self._line, env=self._env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._groups.append(process.pid)
        return process


class Crew:
    """All processes, watched over by a thread."""

    def __init__(self, lines: Mapping[str, str], env: Mapping[str, str], folder: Path) -> None:
        """`lines`: name -> command line."""
        self.members = {name: Member(name, line, env, folder / f"{name}.log") for name, line in lines.items()}
        self._over = threading.Event()
        self._watchers = [
            threading.Thread(target=self._watch, args=(member,), daemon=True)
            for member in self.members.values()
        ]
        for watcher in self._watchers:
            watcher.start()

    def end(self) -> None:
        """End all."""
        self._over.set()
        for watcher in self._watchers:
            watcher.join(10)
        for member in self.members.values():
            member.end()

    def _watch(self, member: Member) -> None:
        while not self._over.wait(0.1):
            member.watch()
