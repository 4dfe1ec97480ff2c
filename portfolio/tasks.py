"""What Celery runs: each task takes ids, calls one stage and may run twice or be killed at any instruction.

The story that the stages make together is told here once: read, prove, value. Nothing is handed from task to task;
what remains to be done is read off the database.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import httpx2
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Connection, User
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connector import Clock
from portfolio import gains, proofs, rates, sync, transfers, valuation
from portfolio.celery import app
from portfolio.models import Trigger
from portfolio.rates import Repriced
from portfolio.sync import SyncResult, quotes, schedule
from portfolio.sync.quotes import FillResult, RefreshResult

CARRIED = timedelta(days=5)
"""How long a price may stand for later days."""
TURN_SECONDS = 20.0
"""A longer walk goes on after others had their turn, and after its figures so far are told."""
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


@app.task  # type: ignore[untyped-decorator]
def sync_connection(connection_id: int, trigger: str = Trigger.SCHEDULE.value, full: bool = False) -> None:
    """One turn of one connection."""
    bring_up_to_date(connection_id, trigger=Trigger(trigger), full=full, seconds=TURN_SECONDS)
    if quotes.has_news():
        refresh_rates.delay()


@app.task  # type: ignore[untyped-decorator]
def refresh_rates() -> None:
    """Ask what everything costs, value what had no price, and see to the prices of past days."""
    price(timezone.now())
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
        gains.want_where_unpriced((change.asset for change in done.changed), now)
    finally:
        cache.delete(FILLING)
    if done.more:
        fill_prices.delay()


@app.task  # type: ignore[untyped-decorator]
def close_day() -> None:
    """Settle the day that has ended."""
    valuation.close_day(timezone.now())
    gains.want_daily(timezone.now())


@app.task  # type: ignore[untyped-decorator]
def compute_gains(user_id: int) -> None:
    """Bring the gains of one user up to date."""
    user = User.objects.filter(pk=user_id).first()
    if user is not None:
        gains.compute(user, timezone.now())


@app.task  # type: ignore[untyped-decorator]
def price_said(asset: str, day: str) -> None:
    """Value the days again on which a user's own price counts."""
    first = date.fromisoformat(day)
    valuation.reprice([Repriced(asset=asset, first=first, last=first + CARRIED)], timezone.now())


@app.task  # type: ignore[untyped-decorator]
def tell_figures(connection_id: int) -> None:
    """Bring proofs and figures up to a ledger that changed without a sync."""
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
    if done is not None:
        tell(connection_id, clock)
    return done


def price(now: datetime) -> RefreshResult:
    """What everything costs now, and the figures that follow from it."""
    done = quotes.refresh(now)
    valuation.reprice(done.changed, now)
    valuation.mark(now)
    return done


def price_the_past(now: datetime) -> FillResult:
    """All prices of past days that can be had, and the figures that follow from them."""
    while True:
        done = quotes.fill_gaps(now)
        valuation.reprice(done.changed, now)
        if not done.more:
            return done


def tell(connection_id: int, clock: Clock = SYSTEM_CLOCK, *, everything: bool = False) -> None:
    """Bring proofs and figures up to the ledger, from the first day on which they are behind it, or from the beginning."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is None:
        return
    now, mark = clock.now(), connection.figures_mark
    since: date | None = None if everything else connection.figures_since or now.date()
    proofs.update(connection, since=since, now=now)
    valuation.update(connection, since=since, now=now)
    if everything or connection.figures_since is not None:
        begin = None if since is None else datetime.combine(since, time(), UTC)
        transfers.suggest(connection.user, now, since=begin)
        gains.want(connection.user, now)
    connection.figures_told(mark)
    asked = proofs.alarm(connection, now)
    if asked is not proofs.Alarm.NONE:
        schedule.at_once(connection, now, full=asked is proofs.Alarm.WALK_AGAIN)


@app.task  # type: ignore[untyped-decorator]
def tell_connection(connection_id: int) -> None:
    """Tell what is behind, without asking the exchange: a price of one's own may have changed it."""
    tell(connection_id)


@app.task  # type: ignore[untyped-decorator]
def settle_prices(asset: str) -> None:
    """Derive all daily prices of an asset again, after the order of its sources changed."""
    now = timezone.now()
    valuation.reprice(rates.settle_again(asset, now), now)
