"""A first sync against an exchange that keeps its pace, on a clock that jumps over every pause; and an idle one after it."""

from __future__ import annotations

import json
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
    clock = RushingClock(time.process_time)
    app = app_of(exchange, records, clock)
    timed = Timed(app, clock, LATENCY)
    connection = connected(exchange, "key", "secret")
    began, at = time.process_time(), clock.monotonic()
    with httpx2.Client(transport=httpx2.WSGITransport(app=timed)) as client:
        done = run(connection.pk, trigger=Trigger.COMMAND, clock=clock, client=client)
        assert done is not None and done.state is RunState.OK, done
        # The sandbox runs in this process: its own time is none of an exchange's.
        elapsed = clock.monotonic() - at - timed.seconds
        ours = time.process_time() - began - timed.seconds
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
                "allowed": first / calls * seconds, "idle": timed.paths[second:],
            }
        )
    )  # fmt: skip
    return 0
