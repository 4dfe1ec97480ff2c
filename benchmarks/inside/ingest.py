"""Ingest of one long BTSE wallet, then the same rows written barely into the same, emptied tables.

Barely: one transaction, and in it one `bulk_create` for each of the three tables (raw, transaction, posting), with all
columns and keys as ingest had stored them, cut by Django into statements of 5,000 rows (on SQLite of as many as its
limit of parameters allows). The rows were made before; the time is that of the three calls and the commit.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from collections.abc import Sequence
from typing import Any, Self

import httpx2
from django.db import connection as database
from django.db import models, transaction

from accounts.models import Connection
from benchmarks.inside.accounts import app_of
from benchmarks.inside.rush import RushingClock, Timed, connected
from portfolio.models import Posting, Raw, RunState, Transaction, Trigger
from portfolio.sync import run

GOAL = 0.4
AT_ONCE = 5_000
TABLES: tuple[models.Manager[Any], ...] = (Raw.objects, Transaction.objects, Posting.objects)


class Spent:
    """Seconds, and seconds of this process's CPU, that a block took."""

    def __enter__(self) -> Self:
        """From now on."""
        self.seconds, self.cpu = -time.perf_counter(), -time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        """Until now."""
        self.seconds += time.perf_counter()
        self.cpu += time.process_time()


def main(arguments: Sequence[str]) -> int:
    """1 where the ratio is below the goal."""
    records, profile = int(arguments[0]), "--profile" in arguments
    clock = RushingClock()
    app = Timed(app_of("btse", records, clock), clock)
    connection = connected("btse", "key", "secret")
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    with Spent() as ours, httpx2.Client(transport=httpx2.WSGITransport(app=app)) as client:
        done = run(connection.pk, trigger=Trigger.COMMAND, clock=clock, client=client)
    ours.seconds -= app.seconds
    ours.cpu -= app.cpu
    profiler.disable()
    if profile:
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(35)
    assert done is not None and done.state is RunState.OK, done
    rows = [load(manager, connection) for manager in TABLES]
    empty()
    bare = write(rows)
    number = sum(map(len, rows))
    ratio = bare.seconds / ours.seconds
    print(
        f"  {len(rows[0]):,} records, {number:,} rows in {app.requests} answers: {number / ours.seconds:,.0f} rows/s; "
        f"bare {number / bare.seconds:,.0f} rows/s; ratio {ratio:.2f} (goal {GOAL}); "
        f"of this process's CPU {ours.cpu:.1f} s and {bare.cpu:.1f} s, ratio {bare.cpu / ours.cpu:.2f}; "
        f"sandbox apart {app.seconds:.0f} s",
        flush=True,
    )
    return 0 if ratio >= GOAL or profile else 1


def load(manager: models.Manager[Any], connection: Connection) -> list[Any]:
    """All rows of a model as they were stored."""
    return list(manager.filter(connection=connection).order_by("pk"))


def empty() -> None:
    """The tables as they were before."""
    names = "portfolio_posting, portfolio_transaction, portfolio_raw"
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {names} CASCADE")
            return
        cursor.execute("PRAGMA foreign_keys = OFF")
        for name in names.split(", "):
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def write(tables: list[list[Any]]) -> Spent:
    """What bulk_create takes for the rows, all in one transaction."""
    with Spent() as spent, transaction.atomic():
        for manager, rows in zip(TABLES, tables, strict=True):
            manager.bulk_create(rows, batch_size=AT_ONCE)
    return spent
