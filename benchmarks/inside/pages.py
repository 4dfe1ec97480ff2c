"""Two users, one with a long ledger, ask for the same pages; then a day's new rows come to both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from django.conf import settings
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Connection
from benchmarks.inside import history
from benchmarks.inside.bare import ROW_BYTES
from benchmarks.inside.load import Served, Server, server

PAGES = ("/", "/holdings/", "/returns/", "/returns/?span=ALL", "/bridge/", "/bridge/?span=ALL")
GOALS = {"growth": 1.3, "queries": 15, "cpu": 20.0, "bare": 0.8, "telling": 1.5}
TURNS = 3
NEW_ROWS = 500
FEW = 1_000


def main(arguments: Sequence[str]) -> int:
    """1 where a goal of the overview, holdings or returns is missed."""
    rows, seconds = int(arguments[0]), float(arguments[1])
    now = datetime.now(UTC).replace(microsecond=0)
    history.prices(now)
    few, many = (_made(f"rows-{n}@example.org", n, now) for n in (FEW, rows))
    ok = True
    with server() as running:
        for path in PAGES:
            ok &= _page(running, path, few, many, seconds)
    return 0 if ok & _telling(few, many, now) else 1


def _made(email: str, rows: int, now: datetime) -> Connection:
    began = time.perf_counter()
    connection = history.owner(email, rows, now)
    poured = time.perf_counter() - began
    cpu = history.told(connection, now)
    print(f"  {rows:>9,} rows poured in {poured:.0f} s; all days told in {cpu:.1f} s of CPU", flush=True)
    return connection


def _page(running: Server, path: str, few: Connection, many: Connection, seconds: float) -> bool:
    """One line for a page; the three take turns, so that a busy moment of the machine hits all alike."""
    queries, cookies = zip(*(_visited(each, path) for each in (few, many)), strict=True)
    size = len(running.get(path, cookies[1]))
    asked = {
        "few": (path, cookies[0]),
        "many": (path, cookies[1]),
        "bare": (f"/bare/{size // ROW_BYTES}/", cookies[1]),
    }
    found: dict[str, list[Served]] = {name: [] for name in asked}
    for _ in range(TURNS):
        for name, which in asked.items():
            running.load(*which, 0.5)
            found[name].append(running.load(*which, seconds))
    cpu, p95, rate = (
        {name: median(getattr(each, of) for each in some) for name, some in found.items()}
        for of in ("cpu", "p95", "per_second")
    )
    growth, beside = cpu["many"] / cpu["few"], rate["many"] / rate["bare"]
    print(
        f"  {path:<20} {size / 1000:.0f} kB, {queries[1]} queries (few rows: {queries[0]}); CPU {cpu['many']:.1f} ms "
        f"= {growth:.2f} x few rows; {rate['many']:.0f}/s = {beside:.2f} x bare "
        f"({rate['bare']:.0f}/s, {cpu['bare']:.1f} ms); "
        f"p95 {p95['many']:.0f} ms = {p95['many'] / p95['few']:.2f} x few, {p95['many'] / p95['bare']:.2f} x bare",
        flush=True,
    )
    small = path != "/" or (cpu["many"] <= GOALS["cpu"] and beside >= GOALS["bare"])
    return path.startswith("/bridge/") or (
        growth <= GOALS["growth"] and queries[1] <= GOALS["queries"] and small
    )


def _visited(connection: Connection, path: str) -> tuple[int, str]:
    """How many queries the page makes, and the cookie of a session of its own."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(connection.user)
    client.get(path)
    with CaptureQueriesContext(database) as queries:
        client.get(path)
        number = len(queries)
    name = settings.SESSION_COOKIE_NAME
    return number, f"{name}={client.cookies[name].value}"


def _telling(few: Connection, many: Connection, now: datetime) -> bool:
    """The same new rows of a new day for both, told; then again, when nothing is new."""
    took: dict[str, list[float]] = {"few": [], "many": []}
    idle: dict[str, list[float]] = {"few": [], "many": []}
    for turn in range(1, TURNS + 1):
        later = now + timedelta(days=turn)
        for name, connection in (("few", few), ("many", many)):
            history.another_day(connection, NEW_ROWS, later)
            took[name].append(history.told(connection, later, everything=False))
            idle[name].append(history.told(connection, later + timedelta(minutes=15), everything=False))
    day, rest = ({name: median(some) * 1000 for name, some in kind.items()} for kind in (took, idle))
    ratio = day["many"] / day["few"]
    print(
        f"  {NEW_ROWS} new rows of a day told in {day['many']:.0f} ms of CPU = {ratio:.2f} x few rows "
        f"(goal {GOALS['telling']}); with nothing new {rest['many']:.0f} ms = {rest['many'] / rest['few']:.2f} x few",
        flush=True,
    )
    return ratio <= GOALS["telling"]
