"""One turn of one connection: its balances, then its ledger stream by stream, as far as its time reaches.

1. Take the lease; end what a dead worker left as running; note the run.
2. Read the balances, then every stream in the connector's order. Each page is stored with its cursor before the
   next one is asked for, so a kill at any instruction only means that the next turn goes on from there.
3. The balances come first: a row dated before them has then had its chance to be listed, so proofs, which compare
   by time, compare like with like. Where the ledger moved on meanwhile, the next turn comes soon.
4. A key problem or a closed exchange stops the turn and the connection; a failing stream does not stop the others.

Never raises an ExchangeError: it ends up in the run and the connection.
"""

from __future__ import annotations

import logging

import httpx2
from django.conf import settings
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from accounts.keys import note_digest, open_key
from accounts.models import Connection, State
from accounts.sealing import SealError
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connect import connect, normaliser
from exchanges.connector import Clock, Connector
from exchanges.errors import ExchangeError, KeyProblem
from portfolio.models import Run, RunState, StreamRun, Trigger
from portfolio.sync import hosts, observations, schedule
from portfolio.sync import owner as owners
from portfolio.sync.crowd import CROWD
from portfolio.sync.ending import Ending, move, worst
from portfolio.sync.hold import Hold, LeaseLost
from portfolio.sync.keypace import KeyPace, with_key
from portfolio.sync.lists import Lists
from portfolio.sync.notes import Notes
from portfolio.sync.outcome import Outcome
from portfolio.sync.reading import Reader
from portfolio.sync.result import SyncResult
from portfolio.sync.store import Store

log = logging.getLogger(__name__)

BY_ITSELF = (State.CHECKING, State.ACTIVE, State.CLOSED)
"""States in which a connection is read without being asked for."""
BY_HAND = (*BY_ITSELF, State.NEEDS_ATTENTION)
"""A user's own wish is tried once more, whatever stopped the connection before."""


class SealBroken(KeyProblem):
    """The stored secret does not open."""

    code = "seal"
    advice = (
        "The stored key does not open with the vault keys at hand. Put it in again, or restore VAULT_KEYS."
    )


def run(
    connection_id: int,
    *,
    trigger: Trigger,
    full: bool = False,
    clock: Clock = SYSTEM_CLOCK,
    client: httpx2.Client | None = None,
    owner: str | None = None,
    seconds: float | None = None,
) -> SyncResult | None:
    """Bring a connection up to date; None where it may not be read now or somebody else holds it.

    `seconds` is the turn's time: a longer walk is continued by the next turn. None means to the end.
    """
    connection = Connection.objects.filter(pk=connection_id).first()
    allowed = BY_HAND if trigger in (Trigger.USER, Trigger.COMMAND) else BY_ITSELF
    if connection is None or connection.state not in allowed:
        return None
    if not schedule.is_wanted(connection, trigger, clock.now()):
        return None
    if schedule.must_rest(connection, trigger, clock):
        return None
    with CROWD.room(hosts.host_of(connection.exchange), str(connection.user_id)) as has_room:
        if has_room:
            return _take_turn(connection, trigger, clock, client, owner or owners.new(), seconds, full=full)
    schedule.give_back(connection.pk, clock.now())
    return None


def _take_turn(
    connection: Connection,
    trigger: Trigger,
    clock: Clock,
    client: httpx2.Client | None,
    owner: str,
    seconds: float | None,
    *,
    full: bool,
) -> SyncResult | None:
    if owners.is_gone(connection.lease_owner):
        connection.release(connection.lease_owner)
    left = connection.paced
    if not connection.take_lease(owner, clock.now()):
        return None
    if full:
        Connection.objects.filter(pk=connection.pk).update(full_walk_at=clock.now())
    connection, *others = _with_same_key(connection)
    note = _begin(connection, owner, trigger, clock, full=full)
    pace = KeyPace(connection, [left, *(other.paced for other in others)], clock)
    turn = Turn(connection, note, clock, pace, None if seconds is None else clock.monotonic() + seconds)
    try:
        return turn.take(client)
    except LeaseLost:
        log.info("A run of connection %s was taken over, paused or removed", connection.pk)
        return turn.give_up("The work was taken over, paused or removed while it ran.")
    except (Exception, KeyboardInterrupt):
        turn.give_up("The run was stopped by an error of this computer; the log says which.")
        raise


def _with_same_key(connection: Connection) -> list[Connection]:
    """The connection as it is now, then all others that hold its key."""
    return sorted(with_key(connection), key=lambda row: row.pk != connection.pk)


def _begin(connection: Connection, owner: str, trigger: Trigger, clock: Clock, *, full: bool) -> Run:
    """Note the run. We hold the lease, so whatever still counts as running is dead."""
    now = clock.now()
    note = Run(
        connection=connection, trigger=trigger, full=full, worker=owner, started_at=now, heartbeat_at=now
    )
    try:
        with transaction.atomic():
            note.save(force_insert=True)
    except IntegrityError:
        Run.objects.of(connection).running().update(
            state=RunState.INTERRUPTED, finished_at=now, error="The worker stopped."
        )
        note.save(force_insert=True)
    return note


class Turn:
    """One turn; used once."""

    def __init__(
        self, connection: Connection, note: Run, clock: Clock, pace: KeyPace, deadline: float | None
    ) -> None:
        """The lease is held under `note.worker`."""
        self._connection = connection
        self._run = note
        self._clock = clock
        self._pace = pace
        self._deadline = deadline
        self._hold = Hold(connection, note, clock)
        self._notes = Notes()
        self._wave = connection.full_walk_at if self._wave_is_due() else None
        self._lists = Lists(
            connection, note, self._hold, clock, self._notes, wave=self._wave, deadline=deadline
        )
        self._key_set_at = connection.key_set_at
        self._skew: float | None = None

    def take(self, client: httpx2.Client | None) -> SyncResult:
        """Read all there is; returns what it came to."""
        try:
            connector = self._connect(client)
        except ExchangeError as error:
            return self._end(Outcome(state=RunState.FAILED, error=error), None)
        store = self._store(connector)
        in_time = self._lists.read(connector, store)
        self._skew = connector.skew()
        if any(result.state is RunState.OK for result in self._lists.results):
            store.settle()
        return self._end(self._outcome(store, in_time=in_time), store)

    def _store(self, connector: Connector) -> Store:
        reader = Reader(normaliser(self._connection.exchange), observations.references(self._connection))
        hold, clock = self._hold, self._clock
        return Store(self._connection, self._run, reader, hold, clock, connector.skew, self._notes)

    def give_up(self, reason: str) -> SyncResult:
        """End a run that may not go on; the connection is left to whoever holds it."""
        now = self._clock.now()
        ended = Run.objects.running().filter(pk=self._run.pk)
        ended.update(state=RunState.INTERRUPTED, finished_at=now, error=reason, **self._hold.figures())
        StreamRun.objects.filter(run=self._run, state=RunState.RUNNING).update(state=RunState.INTERRUPTED)
        self._connection.release(self._run.worker, self._pace.left())
        self._pace.leave()
        return SyncResult(
            run_id=self._run.pk,
            state=RunState.INTERRUPTED,
            streams=tuple(self._lists.results),
            requests=self._hold.requests,
            error=reason,
        )

    @sensitive_variables()
    def _connect(self, client: httpx2.Client | None) -> Connector:
        """The connector; the key is opened here and lives no longer than the turn."""
        exchange = self._connection.exchange
        try:
            opened = open_key(self._connection)
        except SealError as error:
            raise SealBroken(f"{error} {SealBroken.advice}") from error
        note_digest(self._connection, opened.key)
        return connect(
            exchange,
            base_url=settings.EXCHANGE_URLS[exchange],
            key=opened.key,
            secret=opened.secret,
            nonce=self._hold.nonce,
            clock=self._hold,
            facts=self._connection.facts,
            client=client,
            pace=self._pace,
            meter=self._hold.met,
            circuit=hosts.breaker(exchange, self._clock),
            until=self._deadline,
        )

    def _outcome(self, store: Store, *, in_time: bool) -> Outcome:
        lists = self._lists
        went_well = [result for result in lists.results if result.state is not RunState.FAILED]
        if not in_time:
            return Outcome(state=RunState.PARTIAL, error=worst(lists.errors), again_at_once=True)
        if lists.errors:
            state = RunState.PARTIAL if went_well else RunState.FAILED
            return Outcome(state=state, error=worst(lists.errors))
        newest, looked_at = store.touched.newest, lists.balances_at
        moved_on = newest is not None and looked_at is not None and newest > looked_at
        return Outcome(state=RunState.OK, again_at_once=moved_on or store.touched.completed)

    def _end(self, outcome: Outcome, store: Store | None) -> SyncResult:
        """Write down how it went, and when it goes on; all of it or nothing."""
        now, error = self._clock.now(), outcome.error
        ending = Ending(
            outcome=outcome,
            wave=self._wave,
            key_set_at=self._key_set_at,
            skew=self._skew,
            paced=self._pace.left(),
        )
        texts = {
            "error_code": error.code if error else "",
            "error": error.sentence[:400] if error else "",
            "advice": error.advice[:400] if error else "",
        }
        with transaction.atomic():
            self._hold.keep()
            self._notes.write()
            Run.objects.filter(pk=self._run.pk).update(
                state=outcome.state, finished_at=now, **texts, **self._hold.figures()
            )
            move(self._connection, ending, now)
        self._pace.leave()
        since = store.touched.since if store else None
        return SyncResult(
            run_id=self._run.pk,
            state=outcome.state,
            streams=tuple(self._lists.results),
            touched_since=since.date() if since else None,
            requests=self._hold.requests,
            error=texts["error"],
            advice=texts["advice"],
        )

    def _wave_is_due(self) -> bool:
        """Whether everything is to be walked again: a wave lasts over turns until every stream has come to its end."""
        at = self._connection.full_walk_at
        return at is not None and at <= self._clock.now()
