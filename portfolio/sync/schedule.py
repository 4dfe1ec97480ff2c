"""Which connections are to be read now, decided from the database alone: a lost message costs a minute, never a sync.

Safe with any number of dispatchers: a connection is claimed by one conditional UPDATE.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Q, Window
from django.db.models.functions import RowNumber

from accounts.models import FREE, LEASE, Connection
from exchanges.connector import Clock
from portfolio.models import Run, Trigger
from portfolio.sync import hosts, owner
from portfolio.sync.keypace import quiet_until

CLAIM = timedelta(seconds=30)
"""How long a claimed connection has to be taken up before it is claimed again; its message lives no longer."""
DOUBLE_CLICK = timedelta(seconds=3)
AT_ONCE = 100
"""No more are claimed in one go, so that the queue stays short and its order fair."""
FEW = 2
"""So many workers at most are at a host that has failed lately."""


def claim_due(now: datetime) -> list[int]:
    """Claim what is due; runs of dead workers are closed and their work is due at once.

    Each user's longest waiting one comes first, then each user's second: nobody waits for all of another's. Nothing
    is claimed at a host that is left alone, and only a few at one that has failed lately.
    """
    Run.objects.interrupt_stale(now - LEASE, now)
    _release_dead(now)
    known = hosts.troubles(now)
    shut = [name for name, trouble in known.items() if trouble.is_open]
    waiting = Connection.objects.due(now).exclude(sealed_secret="").exclude(exchange__in=shut)
    turns = waiting.annotate(
        turn=Window(RowNumber(), partition_by="user_id", order_by=("next_sync_at", "pk"))
    )
    rows = turns.order_by("turn", "next_sync_at", "pk").values_list("pk", "next_sync_at", "exchange")
    room = {name: FEW - _busy(name, now) for name in known}
    claimed = []
    for pk, at, exchange in rows[:AT_ONCE]:
        if room.get(exchange, AT_ONCE) > 0 and _claim(pk, at, now):
            claimed.append(pk)
            if exchange in room:
                room[exchange] -= 1
    return claimed


def must_rest(connection: Connection, trigger: Trigger, clock: Clock) -> bool:
    """Whether nobody may ask with this key, or at this host, now; then the connection is due when that is over.

    A command goes on to where the first call is refused, so that its user reads why.
    """
    now = clock.now()
    until = quiet_until(connection, now)
    if until <= now and trigger is not Trigger.COMMAND:
        trouble = hosts.trouble(connection.exchange, clock)
        until = trouble.next_try if trouble is not None and trouble.is_open else now
    if until <= now:
        return False
    Connection.objects.filter(pk=connection.pk).update(next_sync_at=until)
    return True


def give_back(pk: int, now: datetime) -> None:
    """A claimed connection for which there was no room is claimed again soon."""
    Connection.objects.filter(pk=pk).free(now).update(next_sync_at=now)


def is_wanted(connection: Connection, trigger: Trigger, now: datetime) -> bool:
    """Whether a message still asks for something: one that comes twice finds the work done.

    A scheduled one finds the next time far off, or that a run has ended since the claim that sent it: then the next
    time is that run's word, perhaps a wait that the exchange asked for. A second click finds a run that began this
    very moment.
    """
    if trigger is Trigger.SCHEDULE:
        return connection.next_sync_at <= now or _is_claimed(connection, now)
    if trigger is Trigger.USER:
        return not Run.objects.of(connection).filter(started_at__gt=now - DOUBLE_CLICK).exists()
    return True


def _is_claimed(connection: Connection, now: datetime) -> bool:
    claimed_at = connection.next_sync_at - CLAIM
    ended = Run.objects.of(connection).filter(finished_at__gt=claimed_at, finished_at__lte=now)
    return claimed_at <= now and not ended.exists()


def at_once(connection: Connection, now: datetime, *, full: bool = False) -> None:
    """Let it be read soon; `full` walks everything again."""
    wanted = {"full_walk_at": now} if full else {}
    Connection.objects.filter(pk=connection.pk).update(next_sync_at=now, **wanted)


def look_again(connection: Connection, now: datetime, *, full: bool) -> None:
    """As `at_once`, but where reading has just failed not before its time: the exchange may have asked us to wait."""
    wanted = {"full_walk_at": now} if full else {}
    if not connection.failures:
        wanted["next_sync_at"] = now
    if wanted:
        Connection.objects.filter(pk=connection.pk).update(**wanted)


def _release_dead(now: datetime) -> None:
    """What silent workers held is free, and at once what processes held that were seen to be gone."""
    held = Connection.objects.filter(lease_until__gte=now).values_list("pk", "lease_owner")
    gone = [Q(pk=pk, lease_owner=holder) for pk, holder in held if owner.is_gone(holder)]
    Connection.objects.filter(reduce(or_, gone, Q(lease_until__lt=now))).update(**FREE, next_sync_at=now)


def _busy(exchange: str, now: datetime) -> int:
    return Connection.objects.filter(exchange=exchange, lease_until__gte=now).count()


def _claim(pk: int, at: datetime, now: datetime) -> bool:
    waiting = Connection.objects.filter(pk=pk, next_sync_at=at).free(now)
    return waiting.update(next_sync_at=now + CLAIM) == 1
