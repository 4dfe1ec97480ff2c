"""One seed from its beginning to its end: ticks of a virtual clock, the dispatcher, workers, trouble, oracles."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import TypeVar
from unittest import mock

import httpx2
from django.conf import settings
from django.db import connection as database
from django.db import transaction

from accounts.keys import store_key
from accounts.models import Connection, State, User
from exchanges.btse.walk import Walk
from exchanges.btse.windows import millis
from exchanges.sandbox.world import World
from portfolio import sync, tasks
from portfolio.models import RunState, Trigger
from portfolio.sync import SyncResult, schedule
from tests.exchanges.clocks import START
from tests.simulation import oracles
from tests.simulation.lives import Life
from tests.simulation.oracles import Calls, Memory, Prompt, Violation, Walks
from tests.simulation.plan import OPENED, Plan, Profile, Trouble, plan
from tests.simulation.troubles import Busy, Clock, Crash, Statements
from tests.simulation.wire import APPS, Heard, Wire

T = TypeVar("T")

FAR = datetime(2090, 1, 1, tzinfo=UTC)
TURN = 60.0
AFTER_REMOVAL = 2
"""So many calls may already be on their way when a key is removed: the one that is out, and one before the next page."""
FIGURES = ("portfolio.valuation.update", "portfolio.transfers.suggest", "portfolio.gains.want")
"""What is told about a ledger beside its proofs; it changes nothing of what is read."""
LOG = "%(name)s %(levelname)s %(message)s"


@dataclass
class Tenant:
    """One user with one connection, and the account behind it."""

    number: int
    life: Life
    connection_id: int
    memory: Memory = field(default_factory=Memory)
    prompt: Prompt = field(default_factory=Prompt)
    walks: Walks = field(default_factory=Walks)
    sent: set[str] = field(default_factory=set)
    nameless: int = 0
    waits_until: datetime = START
    """Until when the exchange has told to wait."""
    removed_at: int | None = None
    """The number of the call at which the key was removed, until it is put in again."""

    @property
    def key(self) -> str:
        """The key as the exchange knows it."""
        return f"key-of-tenant-{self.number}"

    @property
    def secret(self) -> str:
        """A text that must be found nowhere."""
        return f"canary-{self.number}-of-the-simulation"

    def connection(self) -> Connection:
        """As it is stored now."""
        return Connection.objects.get(pk=self.connection_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a seed went, for those who count."""

    seed: int
    calls: int
    statements: int
    rows: int
    crashes: int
    trace: str
    """The same for two runs of one seed."""


def simulate(seed: int) -> Report:
    """Run one seed on an empty store and leave nothing behind; raises Violation."""
    logged = Logged()
    _forget()
    try:
        with logged.captured():
            return Simulation(plan(seed), logged).run()
    finally:
        _forget()


def _forget() -> None:
    """Empty the tables that the product writes."""
    names = [
        name
        for name in database.introspection.django_table_names(only_existing=False, include_views=False)
        if name.startswith(("accounts_", "portfolio_", "auditlog_"))
    ]
    with transaction.atomic(), database.cursor() as cursor:
        for name in names:
            cursor.execute(f"DELETE FROM {database.ops.quote_name(name)}")  # noqa: S608


class Logged(logging.Handler):
    """Keeps every log line of a seed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter(LOG))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line as a file would have it, tracebacks included."""
        self.lines.append(self.format(record))

    @contextmanager
    def captured(self) -> Iterator[None]:
        """Everything from DEBUG on comes here, and nowhere else."""
        root = logging.getLogger()
        before, level = root.handlers[:], root.level
        root.handlers[:] = [self]
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.handlers[:] = before
            root.setLevel(level)


class Simulation:
    """One seed."""

    def __init__(self, course: Plan, logged: Logged) -> None:
        """The world, the exchange and two users; nothing has been read yet."""
        self.plan = course
        self.dice = Random(f"run {course.seed}")
        self._of = {what: Random(f"run {course.seed} {what}") for what in course.rates}
        self.clock = Clock(course.skew)
        self.statements = Statements(course, Random(f"sql {course.seed}"))
        self.crashes = 0
        self.frozen: set[str] = set()
        self.heard = Calls()
        self._base = settings.EXCHANGE_URLS[course.exchange]
        self._logged = logged
        self._running: list[Tenant] = []
        self.tenants = [self._tenant(number) for number in (0, 1)]
        first, second = self.tenants
        app = APPS[course.exchange](first.life.world, key=first.key, secret=first.secret, **course.switches)
        app.admit(second.key, second.secret, world=second.life.world)
        self.wire = Wire(course, Random(f"wire {course.seed}"), self.clock, app)
        self.wire.before, self.wire.answered, self.wire.meanwhile = self._asks, self._hears, self._meanwhile
        self.wire.told_to_wait = self._must_wait
        self.client = httpx2.Client(transport=self.wire)

    def _tenant(self, number: int) -> Tenant:
        world = World(f"{self.plan.seed}/{number}", now=self.clock.true, empty=True)
        life = Life(number, world, self.plan, Random(f"life {self.plan.seed} {number}"))
        user = User.objects.create(email=f"tenant-{number}@example.org", password="!")
        row = Connection.objects.create(
            user=user,
            exchange=self.plan.exchange,
            label="here",
            state=State.ACTIVE,
            next_sync_at=self.clock.now(),
            full_walk_at=FAR if self.plan.profile is Profile.HONEST else None,
        )
        tenant = Tenant(number, life, row.pk)
        store_key(row, tenant.key, tenant.secret)
        return tenant

    def run(self) -> Report:
        """All ticks, then the end without trouble."""
        with self._thrown_dice(), self._shorter(), self.statements.watched(), self.client:
            for _ in range(self.plan.ticks):
                self._tick()
            self._calm()
            if self.plan.profile is Profile.LYING:
                self._show_gaps()
            self._finish()
        rows = sum(len(oracles.stored(one.connection_id)) for one in self.tenants)
        calls = [
            (one.at, one.path, sorted(one.query.items()), one.key, one.status) for one in self.wire.app.log
        ]
        return Report(
            seed=self.plan.seed,
            calls=self.wire.calls,
            statements=self.statements.seen,
            rows=rows,
            crashes=self.crashes,
            trace=str(calls),
        )

    @contextmanager
    def _thrown_dice(self) -> Iterator[None]:
        """What the product leaves to chance comes from the seed."""
        random.seed(self.plan.seed)
        dice = SimpleNamespace(Random=lambda: Random(self.dice.random()))
        with (
            mock.patch("portfolio.sync.ending.random", dice),
            mock.patch("portfolio.sync.hosts.random", dice),
        ):
            yield

    @contextmanager
    def _shorter(self) -> Iterator[None]:
        """What the plan leaves out, because it takes long and tells little."""
        with ExitStack() as stack:
            if not self.plan.old:
                begin = millis(START - OPENED)
                stack.enter_context(mock.patch("exchanges.btse.fills.BEGIN", begin))
                stack.enter_context(mock.patch.dict(Walk.__init__.__kwdefaults__, floor=begin))
            for figure in () if self.plan.worth else FIGURES:
                stack.enter_context(mock.patch(figure, lambda *told, **how: None))
            yield

    def _tick(self) -> None:
        self.clock.advance(
            self.dice.choice((30, 300, 900, 3600, 20_000, 90_000)) * self.dice.uniform(0.5, 1.5)
        )
        if self._happens(Trouble.CLOCK_JUMP):
            widest = 600 if self.plan.exchange == "tether" else 7200
            self.clock.skew = self.dice.uniform(-widest, widest)
        for tenant in self.tenants:
            for _ in range(self.dice.choice((0, 0, 1, 2, 5))):
                tenant.life.grow()
        if self._happens(Trouble.SWAP):
            self._swapped()
        self._users_act()
        self._dispatch()

    def _dispatch(self) -> None:
        """As the scheduler does, over a broker that forgets and repeats."""
        self._walk_only_when_asked()
        due = self._product(lambda: schedule.claim_due(self.clock.now())) or []
        for connection_id in due:
            if self._happens(Trouble.FLUSH):
                break
            if self._happens(Trouble.LOST):
                continue
            for _ in range(2 if self._happens(Trouble.TWICE) else 1):
                self._work(connection_id, Trigger.SCHEDULE)

    def _happens(self, what: Trouble) -> bool:
        rate = self.plan.rate(what)
        return bool(rate) and self._of[what].random() < rate

    def _users_act(self) -> None:
        """Whoever is told that his connection needs attention looks after it, sooner or later."""
        for tenant in self.tenants:
            row = tenant.connection()
            if row.state not in (State.ACTIVE, State.CHECKING) and self.dice.random() < 0.6:
                self._repair(tenant)

    def _repair(self, tenant: Tenant) -> None:
        with self.statements.unwatched():
            sync.replace_key(
                tenant.connection(),
                tenant.key,
                tenant.secret,
                check=False,
                clock=self.clock,
                client=self.client,
            )
        tenant.removed_at = None

    def _swapped(self) -> None:
        """An attacker with the database lets each tenant's row carry the other's tokens."""
        with self.statements.unwatched():
            first, second = (tenant.connection() for tenant in self.tenants)
            for row, other in ((first, second), (second, first)):
                Connection.objects.filter(pk=row.pk).update(
                    sealed_key=other.sealed_key, sealed_secret=other.sealed_secret
                )

    def _work(self, connection_id: int, trigger: Trigger) -> SyncResult | None:
        """One message at one worker, then the oracles."""
        tenant = next(one for one in self.tenants if one.connection_id == connection_id)
        if not self._running:
            tenant.sent, tenant.nameless = set(), 0
            tenant.prompt.begins(tenant.life, self.clock.true())
        untrue = self.wire.untrue
        self._running.append(tenant)
        try:
            done = self._product(
                lambda: tasks.bring_up_to_date(
                    connection_id, trigger=trigger, seconds=TURN, clock=self.clock, client=self.client
                )
            )
        finally:
            self._running.pop()
        if self._running:
            self._look(tenant)
        else:
            self._look(tenant, done)
            self._look_back(tenant, done, is_true=self.wire.untrue == untrue)
        return done

    def _product(self, does: Callable[[], T]) -> T | None:
        """Let the product run; a crash ends it and costs whatever was not committed."""
        try:
            with self.statements.armed():
                return does()
        except Crash:
            self.crashes += 1
        except Busy:
            pass
        finally:
            self.statements.is_down = self.statements.is_down and bool(self._running)
        return None

    def _look(self, tenant: Tenant, done: SyncResult | None = None) -> None:
        """Every oracle that holds at any moment."""
        with self.statements.unwatched():
            if self.statements.have_written:
                self._compare()
            self.heard.look(self.wire.app.log, self.frozen)
            if done is not None and done.state is RunState.OK:
                oracles.all_kept(tenant.connection_id, tenant.sent, tenant.nameless)
            oracles.none_is_forgotten(self.clock.now())

    def _look_back(self, tenant: Tenant, done: SyncResult | None, *, is_true: bool) -> None:
        """Every oracle that compares a turn with those before it."""
        with self.statements.unwatched():
            if self.plan.profile is Profile.LYING:
                tenant.walks.look(tenant.connection_id)
            else:
                is_whole = is_true and done is not None and done.state is RunState.OK
                tenant.prompt.ends(tenant.connection_id, is_whole=is_whole)
            if done is not None:
                oracles.is_as_told(done)

    def _compare(self) -> None:
        """Both tenants, as a statement may have met the wrong one."""
        for one in self.tenants:
            store = oracles.stored(one.connection_id)
            oracles.is_said(store, one.life.said(self.clock.true() + timedelta(days=1)))
            one.memory.look(one.connection_id, store)
            oracles.nothing_of(self.tenants[1 - one.number].life, one.connection_id)
        self.statements.have_written = False

    def _asks(self, request: httpx2.Request) -> None:
        """A call goes out."""
        if database.in_atomic_block:
            raise Violation("a database transaction is open during a call")
        tenant = self._running[-1]
        if str(request.url).partition("?")[0] != self._base + request.url.path:
            raise Violation(f"(e) a call to {request.url.host}")
        if self.clock.true() < tenant.waits_until:
            raise Violation("a call was made before the time that the exchange had told")
        keys = {request.headers.get(name) for name in ("key", "btse-api", "request-api")} - {None}
        signed = request.headers.get("authorization", "")
        if keys - {tenant.key} or (signed and f" {tenant.key}:" not in signed):
            raise Violation(f"(d) a call of tenant {tenant.number} carries another key")
        if tenant.removed_at is not None and self.wire.calls > tenant.removed_at + AFTER_REMOVAL:
            raise Violation("a call was made after the key was removed")

    def _hears(self, heard: Heard) -> None:
        tenant = self._running[-1]
        tenant.sent |= heard.ids
        tenant.nameless += heard.nameless

    def _must_wait(self, seconds: float) -> None:
        self._running[-1].waits_until = self.clock.true() + timedelta(seconds=seconds)

    def _meanwhile(self, trouble: Trouble) -> None:
        tenant = self._running[-1]
        if trouble is Trouble.GROW:
            tenant.life.grow()
        elif trouble is Trouble.REMOVE:
            with self.statements.unwatched():
                sync.remove(tenant.connection(), keep_history=True)
            tenant.removed_at = self.wire.calls
        elif len(self._running) == 1:
            self._freeze(tenant)

    def _freeze(self, tenant: Tenant) -> None:
        """This worker stands still for minutes, while another one takes the connection over; or for too short."""
        self.frozen.add(self._nonce_now())
        self.clock.advance(self.dice.choice((1, 20, 50, 130)))
        for connection_id in self._product(lambda: schedule.claim_due(self.clock.now())) or []:
            if connection_id == tenant.connection_id:
                self._work(connection_id, Trigger.SCHEDULE)
        if self.dice.random() < 0.3:
            self._work(tenant.connection_id, Trigger.USER)

    def _nonce_now(self) -> str:
        with self.statements.unwatched():
            return str(self._running[-1].connection().nonce)

    def _walk_only_when_asked(self) -> None:
        """With an honest exchange no walk over everything may be needed."""
        if self.plan.profile is Profile.HONEST:
            with self.statements.unwatched():
                Connection.objects.update(full_walk_at=FAR)

    def _calm(self) -> None:
        """From now on all is well: users repair their keys, everything settles."""
        oracles.none_is_forgotten(self.clock.now())
        self.wire.off = self.statements.off = True
        for tenant in self.tenants:
            self._repair(tenant)
        quiet = max(tenant.life.quiet_at() for tenant in self.tenants)
        self.clock.advance(max(0.0, (quiet - self.clock.true()).total_seconds()) + 60)

    def _show_gaps(self) -> None:
        """Before the walk over everything: what is missing must be visible as not proved."""
        self._let_all_be_walked(FAR)
        self._round(walks=False)
        if self.plan.exchange != "tokens_net":
            for tenant in self.tenants:
                with self.statements.unwatched():
                    oracles.gap_is_shown(tenant.connection())
        self._let_all_be_walked(self.clock.now())

    def _let_all_be_walked(self, at: datetime) -> None:
        with self.statements.unwatched():
            Connection.objects.update(full_walk_at=at)
        for tenant in self.tenants:
            tenant.walks.wanted()

    def _finish(self) -> None:
        """At most three rounds until the store says what the exchange says."""
        wrong: list[str] = []
        for _ in range(3):
            self._round(walks=self.plan.profile is Profile.LYING)
            with self.statements.unwatched():
                wrong = [oracles.difference(one.connection_id, one.life) for one in self.tenants]
            if not any(wrong):
                break
        if any(wrong):
            raise Violation(f"(g) after three quiet rounds: {wrong}")
        with self.statements.unwatched():
            if self.plan.exchange != "tokens_net":
                for tenant in self.tenants:
                    oracles.ledger_equals_balance(tenant.connection_id)
            oracles.no_secret([tenant.secret for tenant in self.tenants], self._logged.lines)

    def _round(self, *, walks: bool) -> None:
        """What comes due within an hour and a half is read; a long walk may take several turns."""
        self.clock.advance(5400)
        if not walks:
            with self.statements.unwatched():
                Connection.objects.update(full_walk_at=FAR)
        for turn in range(40):
            due = self._product(lambda: schedule.claim_due(self.clock.now())) or []
            again = [self._work(connection_id, Trigger.SCHEDULE) for connection_id in due]
            if not any(done is not None and done.state is RunState.PARTIAL for done in again):
                break
            if turn == 39:
                raise Violation("a walk does not come to its end")
