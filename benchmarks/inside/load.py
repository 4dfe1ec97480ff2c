"""A web server as it is installed, and some readers who ask it for one page as fast as it answers."""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READERS = 4
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What some seconds of asking came to."""

    per_second: float
    p95: float
    cpu: float
    """Milliseconds of the server's CPU for each answer."""


@contextmanager
def server(workers: int = 2) -> Iterator[Server]:
    """granian in WSGI mode."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [
        str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "portfolio.wsgi:application",
        "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers), "--blocking-threads", "4",
        "--no-ws", "--log-level", "warning",
    ]  # fmt: skip
    process = subprocess.Popen(line, start_new_session=True)
    try:
        yield Server(process.pid, port)
    finally:
        process.terminate()
        process.wait(20)


class Server:
    """One that runs."""

    def __init__(self, pid: int, port: int) -> None:
        """It may still be starting."""
        self.pid, self.port = pid, port

    def get(self, path: str, cookie: str) -> bytes:
        """One page; waits for the server while it starts."""
        for _ in range(100):
            try:
                return _asked(self._line(), path, cookie)
            except ConnectionRefusedError:
                time.sleep(0.2)
        raise SystemExit("The server does not answer.")

    def load(self, path: str, cookie: str, seconds: float) -> Served:
        """All readers at once, each on a line of its own."""
        until, times = time.perf_counter() + seconds, [[0.0][:0] for _ in range(READERS)]
        readers = [threading.Thread(target=self._read, args=(path, cookie, until, each)) for each in times]
        spent, began = self._cpu(), time.perf_counter()
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        took, every = time.perf_counter() - began, [one for each in times for one in each]
        p95 = statistics.quantiles(every, n=20)[-1] * 1000
        return Served(per_second=len(every) / took, p95=p95, cpu=(self._cpu() - spent) * 1000 / len(every))

    def _read(self, path: str, cookie: str, until: float, times: list[float]) -> None:
        line = self._line()
        while (began := time.perf_counter()) < until:
            _asked(line, path, cookie)
            times.append(time.perf_counter() - began)
        line.close()

    def _line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def _cpu(self) -> float:
        """Seconds of CPU of the server and its workers so far."""
        of_all = (stat.read_text().rpartition(")")[2].split() for stat in Path("/proc").glob("[0-9]*/stat"))
        mine = (fields for fields in of_all if int(fields[3]) == self.pid)
        return sum(int(fields[11]) + int(fields[12]) for fields in mine) / TICKS


def _asked(line: http.client.HTTPConnection, path: str, cookie: str) -> bytes:
    line.request("GET", path, headers={"Cookie": cookie})
    answer = line.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path} was answered with {answer.status}.")
    return body
