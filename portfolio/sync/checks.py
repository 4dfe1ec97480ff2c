"""Tries a stored key with a real call, when its owner asks whether it still serves."""

from __future__ import annotations

import uuid

import httpx2
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.keys import open_key
from accounts.models import Connection, State
from accounts.sealing import SealError
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connector import Clock, KeyReport
from exchanges.errors import ExchangeError, KeyProblem
from portfolio.sync.keys import check_key
from portfolio.sync.turn import SealBroken


class Busy(ExchangeError):
    """The connection is being read: one request at a time per key."""

    code = "busy"
    advice = "This connection is being read just now. Wait until that has ended, then check again."


@sensitive_variables()
def check(
    connection: Connection, *, clock: Clock = SYSTEM_CLOCK, client: httpx2.Client | None = None
) -> KeyReport:
    """What a real call with the stored key finds out; the connection's state follows. Raises ExchangeError."""
    owner = f"check:{uuid.uuid4().hex[:12]}"
    if not connection.take_lease(owner, clock.now()):
        raise Busy
    try:
        opened = open_key(connection)
        report = check_key(
            connection.exchange,
            opened.key,
            opened.secret,
            nonce=connection.draw_nonce,
            clock=clock,
            client=client,
        )
    except SealError as error:
        connection.set_state(
            State.NEEDS_ATTENTION, code=SealBroken.code, reason=str(error), advice=SealBroken.advice
        )
        raise SealBroken from error
    except KeyProblem as error:
        connection.set_state(
            State.NEEDS_ATTENTION, code=error.code, reason=error.sentence, advice=error.advice
        )
        raise
    finally:
        connection.release(owner)
    _accept(connection, report)
    return report


def _accept(connection: Connection, report: KeyReport) -> None:
    """A key that serves is read again, unless its owner paused it."""
    Connection.objects.filter(pk=connection.pk).update(
        facts={**connection.facts, **report.facts}, warnings=list(report.warnings)
    )
    connection.refresh_from_db()
    if connection.state != State.PAUSED:
        connection.set_state(State.ACTIVE)
        Connection.objects.filter(pk=connection.pk).update(next_sync_at=timezone.now())
