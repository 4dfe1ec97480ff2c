"""A first sync against an exchange that keeps its pace, on a clock that jumps over every pause; and an idle one after it."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Sequence

import httpx2

from benchmarks.inside.accounts import WAYS, app_of
from benchmarks.inside.rush import RushingClock, Timed, connected
from portfolio.models import RunState, Trigger
from portfolio.sync import run

LATENCY = 0.1
"""Seconds an answer of a real exchange takes, added to the clock for each request."""


def main(arguments: Sequence[str]) -> int:
    """One exchange and size a process, so that memory can be told apart; prints JSON."""
    exchange, records = arguments[0], int(arguments[1])
    clock = RushingClock()
    app = app_of(exchange, records, clock)
    timed = Timed(app, clock, LATENCY)
    connection = connected(exchange, "key", "secret")
    before = peak()
    began, at = time.perf_counter(), clock.monotonic()
    with httpx2.Client(transport=httpx2.WSGITransport(app=timed)) as client:
        done = run(connection.pk, trigger=Trigger.COMMAND, clock=clock, client=client)
        assert done is not None and done.state is RunState.OK, done
        # The sandbox runs in this process: its own time is none of an exchange's.
        elapsed = clock.monotonic() - at - timed.seconds
        ours = time.perf_counter() - began - timed.seconds
        first, refused = timed.requests, timed.refused
        run(connection.pk, trigger=Trigger.COMMAND, clock=clock, client=client)
        second = timed.requests
        clock.sleep(900)
        run(connection.pk, trigger=Trigger.COMMAND, clock=clock, client=client)
    calls, seconds = WAYS[exchange].pace
    print(
        json.dumps(
            {
                "records": records, "requests": first, "elapsed": elapsed, "ours": ours, "refused": refused,
                "allowed": first / calls * seconds, "idle": timed.paths[second:], "memory": peak() - before,
            }
        )
    )  # fmt: skip
    return 0


def peak() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
