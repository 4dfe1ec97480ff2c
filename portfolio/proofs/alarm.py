"""When a failed proof asks for more reading: once soon, in case the ledger was only behind, then all of it again."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Max, Min

from accounts.models import Connection
from portfolio.models import Coverage, Proof
from portfolio.proofs.coverage import OBSERVED

FULL_WALKS_APART = timedelta(hours=1)


class Alarm(StrEnum):
    """What is to be read again."""

    NONE = ""
    LOOK_AGAIN = "look_again"
    WALK_AGAIN = "walk_again"


def alarm(connection: Connection, now: datetime) -> Alarm:
    """Whether a proof fails that no walk over everything has been tried for since.

    One that is under way is not asked for again: it would begin anew at each turn, and a long one never end.
    """
    if connection.full_walk_at is not None and connection.full_walk_at <= now:
        return Alarm.NONE
    latest = Proof.objects.of(connection).aggregate(at=Max("failing_since"))["at"]
    if latest is None:
        return Alarm.NONE
    streams = Coverage.objects.of(connection).exclude(stream__in=OBSERVED).filter(not_offered=False)
    walked = streams.aggregate(at=Min("full_began_at"))["at"]
    if walked is not None and (walked >= latest or now - walked < FULL_WALKS_APART):
        return Alarm.NONE
    return Alarm.LOOK_AGAIN if latest >= now else Alarm.WALK_AGAIN
