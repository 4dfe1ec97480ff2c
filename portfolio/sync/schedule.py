"""Which connections are to be read now, decided from the database alone: a lost message costs a minute, never a sync.

Safe with any number of dispatchers: a connection is claimed by one conditional UPDATE.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Q

from accounts.models import LEASE, Connection, State
from portfolio.models import Run, Trigger
from portfolio.sync import owner

CLAIM = timedelta(seconds=30)
"""How long a claimed connection has to be taken up before it is claimed again; its message lives no longer."""
DOUBLE_CLICK = timedelta(seconds=3)
AT_ONCE = 100
"""No more are claimed in one go, so that the queue stays short and its order fair."""


def claim_due(now: datetime) -> list[int]:
    """Claim what is due, the longest waiting first; runs of dead workers are closed and their work is due at once."""
    Run.objects.interrupt_stale(now - LEASE)
    _release_dead(now)
    waiting = (
        Connection.objects.due(now).exclude(sealed_secret="").values_list("pk", "next_sync_at")[:AT_ONCE]
    )
    return [pk for pk, at in waiting if _claim(pk, at, now)]


def is_wanted(connection: Connection, trigger: Trigger, now: datetime) -> bool:
    """Whether a message still asks for something: one that comes twice finds the work done.

    A scheduled one finds the next time far off, a second click a run that began this very moment.
    """
    if trigger is Trigger.SCHEDULE:
        return connection.next_sync_at <= now + CLAIM
    if trigger is Trigger.USER:
        return not Run.objects.of(connection).filter(started_at__gt=now - DOUBLE_CLICK).exists()
    return True


def at_once(connection: Connection, now: datetime, *, full: bool = False) -> None:
    """Let it be read soon; `full` walks everything again."""
    wanted = {"full_walk_at": now} if full else {}
    Connection.objects.filter(pk=connection.pk).update(next_sync_at=now, **wanted)


def _release_dead(now: datetime) -> None:
    """What silent workers held is free, and at once what processes held that were seen to be gone."""
    read = Connection.objects.exclude(state__in=(State.PAUSED, State.NEEDS_ATTENTION))
    held = read.filter(lease_until__gte=now).values_list("pk", "lease_owner")
    gone = [Q(pk=pk, lease_owner=holder) for pk, holder in held if owner.is_gone(holder)]
    dead = read.filter(reduce(or_, gone, Q(lease_until__lt=now)))
    dead.update(lease_owner="", lease_until=None, next_sync_at=now)


def _claim(pk: int, at: datetime, now: datetime) -> bool:
    waiting = Connection.objects.filter(pk=pk, next_sync_at=at).free(now)
    return waiting.update(next_sync_at=now + CLAIM) == 1
