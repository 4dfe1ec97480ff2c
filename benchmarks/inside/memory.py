"""How much memory a first sync takes, with the exchange in another process; prints megabytes."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe

from django.conf import settings

from benchmarks.inside.accounts import app_of
from benchmarks.inside.rush import RushingClock, connected
from exchanges.sandbox.server import Serving
from portfolio.models import RunState, Trigger
from portfolio.sync import run

fork = multiprocessing.get_context("fork")


def main(arguments: Sequence[str]) -> int:
    """The peak of this process above what it held before."""
    here, there = fork.Pipe()
    process = fork.Process(target=serve, args=(there, int(arguments[0])), daemon=True)
    process.start()
    settings.EXCHANGE_URLS["btse"] = here.recv()
    connection = connected("btse", "key", "secret")
    before = peak()
    clock = RushingClock()
    clock.day_moves = False  # the exchange in the other process has the true time of day
    done = run(connection.pk, trigger=Trigger.COMMAND, clock=clock)
    assert done is not None and done.state is RunState.OK, done
    print(peak() - before)
    process.kill()
    return 0


def serve(pipe: Pipe, records: int) -> None:
    """The exchange, until this process is ended."""
    with Serving({"btse": app_of("btse", records, RushingClock())}) as urls:
        pipe.send(urls["btse"])
        time.sleep(3600)


def peak() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
