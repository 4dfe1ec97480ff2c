"""What Celery runs: each task takes ids, calls one stage and may run twice or be killed at any instruction.

The story that the stages make together is told here once: read, prove, value. Nothing is handed from task to task;
what remains to be done is read off the database.
"""

from __future__ import annotations

from datetime import date, datetime
from itertools import takewhile

import httpx2
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Connection, User
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connector import Clock
from portfolio import bridge, bundle, gains, proofs, rates, sync, transfers, valuation
from portfolio.celery import app
from portfolio.models import Run, RunState, Trigger
from portfolio.sync import SyncResult, own, quotes, schedule
from portfolio.sync.quotes import FillResult, RefreshResult

TURN_SECONDS = 20.0
"""A longer walk goes on after others had their turn, and after its figures so far are told."""
ASKING, ASKED_MEANWHILE = "prices-are-being-asked", "prices-were-asked-for-meanwhile"
ASKING_SECONDS = 120
"""A source that is slow holds one worker, however many syncs end meanwhile; a dead worker holds the others up so long."""
FILLING = "prices-are-being-filled"
FILLING_SECONDS = 300
"""How long a worker that died keeps others from filling prices."""


@app.task  # type: ignore[untyped-decorator]
def dispatch() -> None:
    """Send every due connection to a worker."""
    for connection_id in schedule.claim_due(timezone.now()):
        sync_connection.apply_async((connection_id,), expires=schedule.CLAIM.total_seconds())
    for user_id in gains.waiting(timezone.now()):
        compute_gains.delay(user_id)
    for connection_id in own.behind():
        tell_figures.delay(connection_id)
    for user_id in bundle.waiting(timezone.now()):
        make_bundle.delay(user_id)


@app.task  # type: ignore[untyped-decorator]
def sync_connection(connection_id: int, trigger: str = Trigger.SCHEDULE.value, full: bool = False) -> None:
    """One turn of one connection."""
    bring_up_to_date(connection_id, trigger=Trigger(trigger), full=full, seconds=TURN_SECONDS)
    if quotes.has_news():
        refresh_rates.delay()


@app.task  # type: ignore[untyped-decorator]
def refresh_rates() -> None:
    """Ask what everything costs, value what had no price, and see to the prices of past days; one worker at a time."""
    if not cache.add(ASKING, True, ASKING_SECONDS):
        cache.set(ASKED_MEANWHILE, True, ASKING_SECONDS)
        return
    try:
        price(timezone.now())
    finally:
        cache.delete(ASKING)
    if cache.delete(ASKED_MEANWHILE):
        refresh_rates.delay()
    fill_prices.delay()


@app.task  # type: ignore[untyped-decorator]
def fill_prices() -> None:
    """Some of the missing prices of past days, one worker at a time; goes on by itself while there are more."""
    if not cache.add(FILLING, True, FILLING_SECONDS):
        return
    now = timezone.now()
    try:
        done = quotes.fill_gaps(now)
        valuation.reprice(done.changed, now)
        gains.want_where_priced(done.changed, now)
    finally:
        cache.delete(FILLING)
    if done.more:
        fill_prices.delay()
    else:
        bridge.keep_all(now)


@app.task  # type: ignore[untyped-decorator]
def close_day() -> None:
    """Settle the day that has ended."""
    now = timezone.now()
    own.confirm(now)
    valuation.close_day(now)
    bridge.keep_all(now)
    gains.want_daily(now)
    bundle.drop_old(now)


@app.task  # type: ignore[untyped-decorator]
def compute_gains(user_id: int) -> None:
    """Bring the gains of one user up to date."""
    user = User.objects.filter(pk=user_id).first()
    if user is not None:
        gains.compute(user, timezone.now())


@app.task  # type: ignore[untyped-decorator]
def make_bundle(user_id: int) -> None:
    """Make the accountant's bundle that one user waits for."""
    user = User.objects.filter(pk=user_id).first()
    if user is not None:
        bundle.make(user, timezone.now())


@app.task  # type: ignore[untyped-decorator]
def tell_figures(connection_id: int) -> None:
    """Bring proofs and figures up to a ledger, or to prices of one's own, that changed without a sync."""
    tell(connection_id)


def bring_up_to_date(
    connection_id: int,
    *,
    trigger: Trigger,
    full: bool = False,
    seconds: float | None = None,
    clock: Clock = SYSTEM_CLOCK,
    client: httpx2.Client | None = None,
) -> SyncResult | None:
    """Read a connection, prove its balances, value its days; None where somebody else is at it."""
    done = sync.run(connection_id, trigger=trigger, full=full, clock=clock, client=client, seconds=seconds)
    if done is None or (_goes_on(done) and not _is_milestone(connection_id)):
        return done
    if done.touched_since is not None or not _holds_on(connection_id, clock):
        tell(connection_id, clock)
    return done


def _goes_on(done: SyncResult) -> bool:
    """Whether the turn's time was over before the end of what is to be read."""
    return any(stream.state is RunState.PARTIAL for stream in done.streams)


def _is_milestone(connection_id: int) -> bool:
    """Whether figures are told in the middle of a long walk: after its first turn, its second, fourth, eighth …

    Each time all of the past is told again, as rows come newest first. So all that telling costs at most twice the last.
    """
    states = Run.objects.filter(connection=connection_id).order_by("-started_at", "-pk")
    turns = sum(
        1 for _ in takewhile(RunState.PARTIAL.__eq__, states.values_list("state", flat=True).iterator())
    )
    return turns & (turns - 1) == 0


def _holds_on(connection_id: int, clock: Clock) -> bool:
    """Let proofs reach up to now where nothing has changed but the time; False where there is more to tell."""
    connection = Connection.objects.filter(pk=connection_id, figures_since=None).first()
    now = clock.now()
    if connection is None or not valuation.is_told(connection, now) or not proofs.prolong(connection):
        return False
    _ask_again(connection, now)
    return True


def price(now: datetime) -> RefreshResult:
    """What everything costs now, and the figures that follow from it."""
    done = quotes.refresh(now)
    valuation.reprice(done.changed, now)
    gains.want_where_priced(done.changed, now)
    valuation.mark(now)
    return done


def price_the_past(now: datetime) -> FillResult:
    """All prices of past days that can be had, and the figures that follow from them."""
    while True:
        done = quotes.fill_gaps(now)
        valuation.reprice(done.changed, now)
        if not done.more:
            bridge.keep_all(now)
            return done


def tell(connection_id: int, clock: Clock = SYSTEM_CLOCK, *, everything: bool = False) -> None:
    """Bring proofs and figures up to the ledger, from the first day on which they are behind it, or from the beginning."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is None:
        return
    now, mark = clock.now(), connection.figures_mark
    since: date | None = None if everything else connection.figures_since or now.date()
    if connection.is_own:
        # There is nobody's word to prove a user's own rows against.
        if own.write(connection, clock):
            valuation.update(connection, since=since, now=now)
            bridge.keep(connection, now)
            gains.want(connection.user, now, since=gains.start_of(since) if since else None)
            connection.figures_told(mark)
        return
    proofs.update(connection, since=since, now=now)
    valuation.update(connection, since=since, now=now)
    bridge.keep(connection, now)
    if everything or connection.figures_since is not None:
        begin = None if since is None else gains.start_of(since)
        transfers.suggest(connection.user, now, since=begin)
        gains.want(connection.user, now, since=begin)
    connection.figures_told(mark)
    _ask_again(connection, now)


def _ask_again(connection: Connection, now: datetime) -> None:
    """Have more read where a proof fails."""
    asked = proofs.alarm(connection, now)
    if asked is not proofs.Alarm.NONE:
        schedule.look_again(connection, now, full=asked is proofs.Alarm.WALK_AGAIN)


@app.task  # type: ignore[untyped-decorator]
def settle_prices(asset: str) -> None:
    """Derive all daily prices of an asset again, after the order of its sources changed."""
    now = timezone.now()
    changed = rates.settle_again(asset, now)
    valuation.reprice(changed, now)
    bridge.keep_all(now)
    gains.want_where_priced(changed, now)
