"""An example through the whole sync and the real database: every row that was heard is stored or in quarantine."""

from __future__ import annotations

import uuid
from unittest import mock

import httpx2
from django.db import transaction

from accounts.keys import store_key
from accounts.models import Connection, State, User
from exchanges import records
from exchanges.connector import Page
from portfolio.models import Quarantine, Raw, Run, RunState, Trigger
from portfolio.sync import turn
from portfolio.sync.heard import Count
from portfolio.sync.store import Store
from tests.exchanges.clocks import VirtualClock
from tests.exchanges.stands import KEY, SECRET
from tests.fuzz.examples import Example
from tests.fuzz.exchange import HostileExchange
from tests.fuzz.limits import Cost
from tests.fuzz.oracles import Violation
from tests.fuzz.trial import Trial

TURN = 8.0
"""Seconds of the virtual clock: some forty calls to BTSE at its pace."""


class _Noted(Store):
    """The product's store; which pages it was given is remembered."""

    def put(self, page: Page, *args: object, **options: object) -> Count:
        """Keep a page."""
        _heard.append(page)
        return super().put(page, *args, **options)  # type: ignore[arg-type]


_heard: list[Page] = []


def attempt_stored(example: Example) -> Trial | None:
    """Sync a new connection against the example and leave nothing behind; None where its answer plays no part."""
    exchange = HostileExchange(example)
    with transaction.atomic():
        row = _connection(example.exchange)
        _heard.clear()
        client = httpx2.Client(transport=exchange, trust_env=False)
        with mock.patch("portfolio.sync.turn.Store", _Noted), client:
            done = turn.run(row.pk, trigger=Trigger.USER, clock=VirtualClock(), client=client, seconds=TURN)
        if done is None or done.state is RunState.INTERRUPTED:
            raise Violation(f"the run did not come to an end of its own: {done}")
        _look(row)
        transaction.set_rollback(True)
    return None if not exchange.heard else Trial(f"synced: {done.state}", Cost())


def _rows(page: Page) -> list[records.Raw | records.Unreadable]:
    return [*page.raws, *page.unreadable]


def _connection(exchange: str) -> Connection:
    user = User.objects.create(email=f"{uuid.uuid4().hex}@example.org", password="!")
    row = Connection.objects.create(user=user, exchange=exchange, label="here", state=State.ACTIVE)
    store_key(row, KEY, SECRET)
    return row


def _look(row: Connection) -> None:
    """Every row of every page is there; no stumbling was covered up.

    A version that could not be read leaves quarantine once its id comes in a form that can.
    """
    stored = {(one.stream, one.digest): one.source_id for one in Raw.objects.of(row)}
    quarantined = set(Quarantine.objects.of(row).values_list("stream", "digest"))
    heard = {(one.stream, one.digest): one.source_id for page in _heard for one in _rows(page)}
    read = {(stream, source_id) for (stream, _), source_id in stored.items()}
    missing = heard.keys() - stored.keys() - quarantined
    if lost := [key for key in missing if (key[0], heard[key]) not in read]:
        raise Violation(f"(f) {len(lost)} rows are lost between page and database")
    if made_up := (stored.keys() | quarantined) - heard.keys():
        raise Violation(f"{len(made_up)} rows were stored that no page held")
    if Quarantine.objects.of(row).filter(reason__startswith="an unexpected form").exists():
        raise Violation("a record was read with an unexpected error")
    codes = list(Run.objects.of(row).values_list("error_code", flat=True))
    if "internal" in codes:
        raise Violation("the connector stumbled")
