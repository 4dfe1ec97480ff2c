"""The storm itself: what is killed and broken when, how long it takes to be well again, and the verdict."""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.keys import store_key
from accounts.models import Connection, State, User
from exchanges.sandbox.server import Serving
from portfolio.models import Run, RunState
from portfolio.processes import processes
from tests.chaos.accounts import DRIP, DRIPS, Account, Accounts
from tests.chaos.crew import Crew
from tests.chaos.grounds import Embedded, Served, tear_schedule
from tests.chaos.verdict import differences, doubles

BURST = 20.0
"""Seconds of blows between two rests."""
SOON = 60.0
"""Within so many seconds of a worker's death every connection is synced again."""
WEB_BACK = 5.0
QUIET = 90.0
"""How long an account that no longer moves may take to be told exactly."""
USERS = ("alice", "bob")
T = TypeVar("T")


def until(true: Callable[[], bool], limit: float) -> None:
    """Wait until it is so, or the limit has passed."""
    end = time.monotonic() + limit
    while not true() and time.monotonic() < end:
        time.sleep(0.02)


def patiently(ask: Callable[[], T], limit: float = 60.0) -> T:
    """What `ask` says once the database or the server it asks answers again."""
    end = time.monotonic() + limit
    while True:
        try:
            return ask()
        except (DatabaseError, OSError, http.client.HTTPException):
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Storm:
    """One run on one ground."""

    def __init__(self, ground: Embedded | Served, folder: Path, seed: str) -> None:
        """Django is set up; the tables are there."""
        self._ground, self._folder, self._dice = ground, folder, random.Random(seed)
        self._accounts = Accounts(seed, USERS)
        self._blows, self._violations = Counter[str](), list[str]()
        self._recoveries, self._web = list[float](), list[float]()
        self._deck: list[str] = []
        self._port = 20_000 + os.getpid() % 20_000

    def run(self, seconds: int) -> bool:
        """Whether all went well; prints how it went."""
        with Serving(self._accounts.listeners) as urls:
            env = {f"{name.upper()}_URL": url for name, url in urls.items()}
            settings.EXCHANGE_URLS.update(urls)
            self._open()
            crew = Crew(processes(bind="127.0.0.1", port=self._port), {**os.environ, **env}, self._folder)
            try:
                with self._growing():
                    self._rest(crew)
                    began = time.monotonic()
                    while time.monotonic() < began + seconds:
                        self._burst(crew, min(BURST, began + seconds - time.monotonic()))
                        self._rest(crew)
                        self._time_a_death(crew)
                self._judge()
            finally:
                crew.end()
            self._tell(crew)
        return not self._violations

    def _open(self) -> None:
        """Each user with a connection to each account."""
        self._pairs: list[tuple[int, Account]] = []
        users = {name: User.objects.create_user(f"{name}@example.org", "not-to-be-used") for name in USERS}
        for one in self._accounts.all:
            made = Connection.objects.create(
                user=users[one.user], exchange=one.exchange, label=one.exchange, state=State.ACTIVE
            )
            store_key(made, one.key, one.secret)
            self._pairs.append((made.pk, one))
        hostile = self._accounts.hostile
        owner = User.objects.create_user(f"{hostile.user}@example.org", "not-to-be-used")
        made = Connection.objects.create(
            user=owner, exchange=hostile.exchange, label="drips", state=State.ACTIVE
        )
        store_key(made, hostile.key, hostile.secret)

    @contextmanager
    def _growing(self) -> Iterator[None]:
        over = threading.Event()

        def grow() -> None:
            while not over.wait(random.uniform(0.2, 0.6)):
                self._accounts.grow()

        thread = threading.Thread(target=grow, daemon=True)
        thread.start()
        yield
        over.set()
        thread.join()

    def _burst(self, crew: Crew, seconds: float) -> None:
        """Blow after blow, while the exchanges fail as well."""
        self._accounts.trouble(on=True)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self._dice.uniform(0.1, 3.0))
            self._strike(crew)
        self._accounts.trouble(on=False)

    def _strike(self, crew: Crew) -> None:
        """The next blow of a shuffled deck that holds each kind, so that none is left out by chance."""
        blows = self._kinds(crew)
        if not self._deck:
            self._deck = [*blows, "worker killed", "worker killed"]
            self._dice.shuffle(self._deck)
        name = self._deck.pop()
        blows[name]()
        self._blows[name] += 1

    def _kinds(self, crew: Crew) -> dict[str, Callable[[], None]]:
        blows: dict[str, Callable[[], None]] = dict(self._ground.blows())
        for name, member in crew.members.items():
            blows[f"{name} killed"] = lambda it=member: it.kill(group=True)  # type: ignore[misc]
            blows[f"{name} killed alone"] = lambda it=member: it.kill(group=False)  # type: ignore[misc]
        blows["beat killed, its file cut"] = lambda: self._cut_beat(crew)
        return blows

    def _cut_beat(self, crew: Crew) -> None:
        (crew.members.get("beat") or crew.members["worker"]).kill(group=True)
        if not tear_schedule(settings.DATA_DIR, self._dice):
            self._violations.append("beat has no file that could be cut")

    def _rest(self, crew: Crew) -> None:
        """Until all is well again; a user who sees a failure asks for another try."""
        since = timezone.now()
        patiently(lambda: Connection.objects.filter(failures__gt=0).update(next_sync_at=since))
        took = self._until_synced(since, 2 * SOON)
        if took is None:
            self._violations.append(f"not well {2 * SOON:.0f} s after a storm: {self._behind(since)}")

    def _time_a_death(self, crew: Crew) -> None:
        """The worker dies at its work, all else being well: how long until every connection was synced again."""
        patiently(lambda: until(Run.objects.running().exists, 10.0))
        time.sleep(self._dice.uniform(0.0, 0.3))
        since = timezone.now()
        crew.members["worker"].kill(group=self._dice.random() < 0.5)
        self._blows["worker killed"] += 1
        took = self._until_synced(since, 2 * SOON)
        self._recoveries.append(2 * SOON if took is None else took)
        if self._recoveries[-1] > SOON:
            self._violations.append(
                f"not synced again within {SOON:.0f} s of a worker's death: {self._behind(since)}"
            )
        began = time.monotonic()
        crew.members["web"].kill(group=True)
        self._blows["web killed"] += 1
        patiently(self._ask_web)
        self._web.append(time.monotonic() - began)

    def _until_synced(self, since: datetime, limit: float) -> float | None:
        """Seconds until each connection was read to its end after `since`; None where that did not come."""
        began = time.monotonic()
        while time.monotonic() < began + limit:
            if patiently(lambda: not self._behind(since)):
                return time.monotonic() - began
            time.sleep(0.2)
        return None

    def _behind(self, since: datetime) -> list[str]:
        """Connections not read to the end by a run that began after `since`."""
        done = Run.objects.filter(state=RunState.OK, started_at__gt=since).values("connection")
        left = Connection.objects.filter(pk__in=[pk for pk, _ in self._pairs]).exclude(pk__in=done)
        return [f"{one.pk} {one.exchange} {one.state} {one.reason_code}" for one in left]

    def _ask_web(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
        line.request("GET", "/account/login/")
        line.getresponse().read()

    def _judge(self) -> None:
        """Nothing grows any more: soon the store must say exactly what the exchanges say."""
        end = time.monotonic() + QUIET
        found: list[str] = []
        while time.monotonic() < end:
            found = []
            for pk, account in self._pairs:
                one = Connection.objects.get(pk=pk)
                found += [f"{account.user} {account.exchange}: {text}" for text in differences(one, account)]
            if not found:
                break
            time.sleep(1)
        self._violations += found + doubles()
        for name, listener in self._accounts.listeners.items():
            if listener.violations():
                self._violations.append(f"{name}: {listener.violations()} nonces reused or out of order")
            if listener.methods != {"GET"}:
                self._violations.append(f"{name}: asked with {listener.methods}")
        if max(self._web, default=0.0) > WEB_BACK:
            self._violations.append(f"the pages came back after {max(self._web):.1f} s")

    def _tell(self, crew: Crew) -> None:
        """What happened, and what was wrong."""
        missed = [name for name in self._kinds(crew) if not self._blows[name]]
        if missed:
            self._violations.append(f"never dealt: {', '.join(missed)} (a longer run deals each kind)")
        rows = ", ".join(f"{name} {number}" for name, number in sorted(self._blows.items()))
        print(f"  blows survived: {sum(self._blows.values())} ({rows})")
        kills = sum(one.kills for one in crew.members.values()) + self._blows["broker killed"]
        print(f"  of these {kills} times SIGKILL to a process or its group")
        alone = {name: one.deaths - one.kills for name, one in crew.members.items() if one.deaths > one.kills}
        print(f"  processes that ended by themselves: {alone or 'none'}")
        asked = sum(one.requests for one in self._accounts.listeners.values())
        runs = Counter(Run.objects.values_list("state", flat=True))
        print(f"  {asked} requests, {self._accounts.faults} met a fault; runs: {dict(runs)}")
        dripped = self._accounts.listeners[self._accounts.hostile.exchange].dripped
        print(
            f"  beside them one hostile connection: {dripped} answers that dripped for {DRIPS * DRIP:.0f} s"
        )
        if not dripped:
            self._violations.append("the hostile connection was never asked")
        rows_now = sum(len(account.ids()) for _, account in self._pairs)
        print(f"  {len(self._pairs)} connections, {rows_now} rows, compared with the truth one by one")
        print(f"  all synced again after a worker's death: {spread(self._recoveries)} (limit {SOON:.0f} s)")
        print(f"  pages back after a kill: {spread(self._web)} (limit {WEB_BACK:.0f} s)")
        print(f"  violations: {len(self._violations)}")
        for text in self._violations:
            print(f"    {text}")


def spread(seconds: list[float]) -> str:
    """Median and worst."""
    if not seconds:
        return "not measured"
    ordered = sorted(seconds)
    return f"median {ordered[len(ordered) // 2]:.1f} s, worst {ordered[-1]:.1f} s of {len(ordered)}"
