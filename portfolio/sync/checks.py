"""Tries a stored key with a real call, when its owner asks whether it still serves."""

from __future__ import annotations

import httpx2
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.keys import open_key
from accounts.models import Connection, State
from accounts.sealing import SealError
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connector import Clock, KeyReport
from exchanges.errors import KeyProblem
from portfolio.sync.keypace import seat
from portfolio.sync.keys import check_key
from portfolio.sync.turn import SealBroken


@sensitive_variables()
def check(
    connection: Connection, *, clock: Clock = SYSTEM_CLOCK, client: httpx2.Client | None = None
) -> KeyReport:
    """What a real call with the stored key finds out; the connection's state follows. Raises ExchangeError."""
    try:
        opened = open_key(connection)
        with seat(connection, clock) as pace:
            report = check_key(
                connection.exchange,
                opened.key,
                opened.secret,
                nonce=connection.draw_nonce,
                clock=clock,
                client=client,
                pace=pace,
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
