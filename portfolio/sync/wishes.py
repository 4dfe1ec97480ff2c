"""What a user may ask of a connection beyond a sync: read everything or one list again, free a lease nobody keeps.

Nothing is deleted by any of it, and no cursor is moved: the walk that follows stores what it finds anew.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.models import FREE, LEASE, Connection
from portfolio.models import Coverage, Run, RunState
from portfolio.sync import schedule
from portfolio.sync.reading import OBSERVED


def walk_stream_again(connection: Connection, stream: str, now: datetime) -> bool:
    """Let the next run walk one list from its newest row to its beginning; False where there is no such list."""
    rows = Coverage.objects.of(connection).exclude(stream__in=OBSERVED)
    # Compared here, not in the database: PostgreSQL takes no text with a zero byte, and the name comes from outside.
    if stream not in set(rows.values_list("stream", flat=True)):
        return False
    rows.filter(stream=stream).update(again_at=now)
    schedule.at_once(connection, now)
    return True


def read_hole_again(
    connection: Connection, stream: str, since: datetime, until: datetime, now: datetime
) -> bool:
    """Let the next run read one stretch of one list again; False where there is no such list or stretch."""
    rows = Coverage.objects.of(connection).exclude(stream__in=OBSERVED)
    until = min(until, now)
    if since >= until or stream not in set(rows.values_list("stream", flat=True)):
        return False
    rows.filter(stream=stream).update(hole_from=since, hole_until=until)
    schedule.at_once(connection, now)
    return True


def is_stale(connection: Connection, now: datetime) -> bool:
    """Whether a worker seems to hold the connection but has shown no life for as long as a lease lasts."""
    if connection.lease_until is not None and connection.lease_until < now:
        return True
    silent = Run.objects.of(connection).running().filter(heartbeat_at__lt=now - LEASE)
    return not connection.is_leased(now) and silent.exists()


def release(connection: Connection, now: datetime) -> bool:
    """Free a stale lease, end its run as interrupted, and read again soon; False where the worker is alive."""
    with transaction.atomic():
        mine = Connection.objects.select_for_update().filter(pk=connection.pk)
        found = mine.get()
        if not is_stale(found, now):
            return False
        # The condition once more: on a database without row locks the worker may have come back to life.
        dead = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        if not mine.filter(dead).update(**FREE, next_sync_at=now):
            return False
        Run.objects.of(connection).running().update(
            state=RunState.INTERRUPTED, finished_at=now, error="The worker stopped; its user released it."
        )
    return True
