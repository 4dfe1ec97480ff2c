"""Puts keys in, checks them with real calls, replaces and removes them. Nothing is stored before a check has passed.

What a user typed wrong is an InputRefused, what the exchange says an ExchangeError; both are sentences to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import httpx2
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db import connection as database
from django.views.decorators.debug import sensitive_variables

from accounts.keys import digest_of, forget_key, store_key
from accounts.models import Connection, State, User
from exchanges.catalog import exchange as known_exchange
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connect import connect
from exchanges.connector import Clock, KeyReport, NonceSource
from exchanges.pace import Pace
from portfolio.models import BalanceSnapshot, Posting, Quarantine, Raw, Transaction
from portfolio.sync import hosts
from portfolio.sync.keypace import seat

DELETED_AT_ONCE = 500


class InputRefused(ValueError):
    """What was typed in cannot be used; the text says what to do."""


class _Counter:
    """Nonces for a key that is not stored yet; the connection goes on above the last one."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self, floor: int) -> int:
        self.last = max(self.last + 1, floor)
        return self.last


@sensitive_variables()
def check_key(
    exchange: str,
    key: str,
    secret: str,
    *,
    nonce: NonceSource | None = None,
    clock: Clock = SYSTEM_CLOCK,
    client: httpx2.Client | None = None,
    pace: Pace | None = None,
) -> KeyReport:
    """Try a key with the least real calls; raises ExchangeError, or InputRefused for an unknown exchange.

    Without `pace` it is looked up whether somebody calls with this key already.
    """
    name = _known(exchange)
    with nullcontext(pace) if pace else _pace_of(name, key.strip(), clock) as known_pace:
        return connect(
            name,
            base_url=settings.EXCHANGE_URLS[name],
            key=key.strip(),
            secret=secret.strip(),
            nonce=nonce or _Counter(),
            clock=clock,
            client=client,
            pace=known_pace,
            circuit=hosts.breaker(name, clock),
        ).check()


@contextmanager
def _pace_of(exchange: str, key: str, clock: Clock) -> Iterator[Pace | None]:
    """The pace of a key that a connection holds already; None for one that nobody else calls with."""
    held = Connection.objects.filter(exchange=exchange, key_digest=digest_of(exchange, key)).first()
    if held is None:
        yield None
    else:
        with seat(held, clock) as pace:
            yield pace


@sensitive_variables()
def add_connection(
    user: User,
    exchange: str,
    label: str,
    key: str,
    secret: str,
    *,
    check: bool = True,
    clock: Clock = SYSTEM_CLOCK,
    client: httpx2.Client | None = None,
) -> Connection:
    """A new connection whose first sync is due at once; raises InputRefused or ExchangeError, and then nothing is stored."""
    connection = Connection(user=user, exchange=_known(exchange), label=label.strip())
    connection.next_sync_at = connection.created_at = clock.now()
    _seal(connection, key, secret)
    _must_be_valid(connection)
    if check:
        counter = _Counter()
        report = check_key(exchange, key, secret, nonce=counter, clock=clock, client=client)
        _take_in(connection, report)
        connection.nonce = counter.last
    try:
        with transaction.atomic():
            connection.save()
    except IntegrityError:
        raise InputRefused(_DUPLICATE) from None
    return connection


@sensitive_variables()
def replace_key(
    connection: Connection,
    key: str,
    secret: str,
    *,
    check: bool = True,
    clock: Clock = SYSTEM_CLOCK,
    client: httpx2.Client | None = None,
) -> Connection:
    """Another key for the same account; its history stays. Raises as `add_connection` does, and then nothing changed."""
    _seal(Connection(user=connection.user, exchange=connection.exchange), key, secret)
    report = None
    if check:
        report = check_key(
            connection.exchange, key, secret, nonce=connection.draw_nonce, clock=clock, client=client
        )
    with transaction.atomic():
        fresh = Connection.objects.select_for_update().get(pk=connection.pk)
        _seal(fresh, key, secret)
        fresh.state = State.CHECKING
        _take_in(fresh, report)
        fresh.next_sync_at, fresh.failures = clock.now(), 0
        fresh.save(
            update_fields=[
                *("state", "reason_code", "reason", "advice", "facts", "warnings"),
                *("next_sync_at", "failures"),
            ]
        )
    return fresh


def remove(connection: Connection, *, keep_history: bool) -> None:
    """Forget the key at once; then delete what was read, unless it is to be kept. May be called again after a kill."""
    with transaction.atomic():
        held = Connection.objects.select_for_update().get(pk=connection.pk)
        forget_key(held)
        held.set_state(
            State.PAUSED,
            code="removed",
            reason="The key was removed. What was read before stays.",
            advice="Put in a key to read this account again.",
        )
    if keep_history:
        return
    for rows in _history(connection):
        _delete(rows)
    Connection.objects.filter(pk=connection.pk).delete()


_DUPLICATE = "You have a connection with this label already. Choose another label."


def _known(exchange: str) -> str:
    try:
        return known_exchange(exchange).name.value
    except KeyError as error:
        raise InputRefused(str(error.args[0])) from None


@sensitive_variables()
def _seal(connection: Connection, key: str, secret: str) -> None:
    try:
        store_key(connection, key, secret)
    except ValueError as error:
        raise InputRefused(str(error)) from None


def _must_be_valid(connection: Connection) -> None:
    try:
        connection.full_clean(exclude=["sealed_key", "sealed_secret"])
    except ValidationError as error:
        found = error.message_dict
        if "label" in found:
            raise InputRefused(f"The label cannot be used: {found['label'][0]}") from None
        raise InputRefused(" ".join(text for texts in found.values() for text in texts)) from None


def _take_in(connection: Connection, report: KeyReport | None) -> None:
    """Remember what a passed check found out; without one the first sync has to tell."""
    connection.reason_code = connection.reason = connection.advice = ""
    if report is not None:
        connection.state = State.ACTIVE
        connection.facts = {**connection.facts, **report.facts}
        connection.warnings = list(report.warnings)


def _history(connection: Connection) -> tuple[models.QuerySet[Any], ...]:
    """What was read through a connection, in an order in which it can be deleted."""
    return (
        Posting.objects.of(connection),
        Transaction.objects.of(connection),
        BalanceSnapshot.objects.of(connection),
        Quarantine.objects.of(connection),
        Raw.objects.of(connection),
    )


def _delete(rows: models.QuerySet[Any]) -> None:
    """In pieces that let others write in between (SQLite)."""
    size = DELETED_AT_ONCE if database.vendor == "sqlite" else 20 * DELETED_AT_ONCE
    while pks := list(rows.values_list("pk", flat=True)[:size]):
        rows.filter(pk__in=pks).delete()
