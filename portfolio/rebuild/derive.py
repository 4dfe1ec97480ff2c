"""Fills the shadow of a connection: its ledger and balances from Raw, then the proofs and daily figures that follow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from accounts.models import Connection
from portfolio import bridge, proofs, valuation
from portfolio.models import MonthlyChange, Proof
from portfolio.models.chunks import ROWS
from portfolio.rebuild.shadow import FAR, derived, empty, is_sqlite, numbers, run, standing
from portfolio.rebuild.tables import COVERAGE, POSTINGS, TOLD, TRANSACTIONS
from portfolio.sync import own
from portfolio.sync.replay import Unreadable, looked, replay

NATURAL = " AND ".join(f"d.{name} = s.{name}" for name in TRANSACTIONS.key)
NEW_KEYS = "rebuild_keys"
MONTHS = MonthlyChange._meta.db_table
Source = Callable[[], list[Unreadable]]


def source(connection: Connection, alive: Callable[[], None], now: datetime) -> Source:
    """What will write the ledger anew: the raw records, or of an account of own entries its user's rows.

    To be asked for while the tables that stand are in sight: what no record says is read from them.
    """
    if connection.is_own:
        seen = own.confirmed(connection) or now
        return lambda: [_unwritten(one.source_id) for one in own.replay(connection, seen)]
    known = looked(connection)
    return lambda: replay(connection, alive, known)


def ledger(connection: Connection, write: Source) -> list[Unreadable]:
    """Ledger, balances and open rows; what could not be read."""
    _copy_coverage(connection)
    unread = write()
    _take_keys(connection)
    return unread


def figures(
    connection: Connection, alive: Callable[[], None], moment: datetime | None, now: datetime
) -> None:
    """Proofs, daily rows and months, the days as they stood at `moment`; afresh when called again."""
    empty(TOLD)
    alive()
    chains = {} if connection.is_own else proofs.derive(connection)
    rows = [row for chain in chains.values() for row in chain]
    with transaction.atomic():
        Proof.objects.bulk_create(rows, batch_size=ROWS)
    alive()
    if moment is not None:
        valuation.derive(connection, moment)
        bridge.keep(connection, now)
        _say_months_alike(connection)
    alive()


def name_new() -> None:
    """Give transactions that do not stand yet primary keys that nobody else will use. Before the proofs, which name them."""
    new = f"SELECT id FROM {derived(TRANSACTIONS.name)} WHERE id >= {FAR}"
    number = len(numbers(new))
    if not number:
        return
    if is_sqlite():
        _renamed(f"SELECT id, {_reserved(number)} + ROW_NUMBER() OVER (ORDER BY id) FROM ({new})")
    else:
        sequence = f"pg_get_serial_sequence('{standing(TRANSACTIONS.name)}', 'id')"
        _renamed(f"SELECT id, nextval({sequence}) FROM ({new} ORDER BY id) fresh")


def _unwritten(source_id: str) -> Unreadable:
    return Unreadable(stream=own.STREAM, source_id=source_id, reason="it was never written down")


def _say_months_alike(connection: Connection) -> None:
    """Months that say the same in another order are told in the order of those that stand."""
    name = standing(MONTHS)
    rows = MonthlyChange.objects.raw(f"SELECT * FROM {name} WHERE connection_id = %s", [connection.pk])
    there = {row.month: row.bars for row in rows}
    for row in MonthlyChange.objects.of(connection):
        if row.bars == there.get(row.month):
            row.bars = there[row.month]
            row.save()


def _copy_coverage(connection: Connection) -> None:
    """How far was read is what happened, no record says it; what follows from the records is filled in anew."""
    columns = ", ".join(f'"{name}"' for name in COVERAGE.columns)
    run(
        f"INSERT INTO {derived(COVERAGE.name)} ({columns}) SELECT {columns} FROM {standing(COVERAGE.name)}"
        f" WHERE connection_id = {int(connection.pk)}"
    )


def _take_keys(connection: Connection) -> None:
    """Transactions that stand keep their primary keys."""
    there, told = standing(TRANSACTIONS.name), derived(TRANSACTIONS.name)
    _renamed(
        f"SELECT d.id, s.id FROM {told} d JOIN {there} s"
        f" ON s.connection_id = {int(connection.pk)} AND {NATURAL}"
    )


def _renamed(keys: str) -> None:
    run(
        f"DROP TABLE IF EXISTS {NEW_KEYS}",
        f"CREATE TEMP TABLE {NEW_KEYS} (old bigint PRIMARY KEY, new bigint)",
        f"INSERT INTO {NEW_KEYS} {keys}",
        f"UPDATE {derived(POSTINGS.name)} AS t SET transaction_id = k.new FROM {NEW_KEYS} k WHERE t.transaction_id = k.old",
        f"UPDATE {derived(TRANSACTIONS.name)} AS t SET id = k.new FROM {NEW_KEYS} k WHERE t.id = k.old",
        f"DROP TABLE {NEW_KEYS}",
    )


def _reserved(number: int) -> int:
    """The key before as many keys that SQLite will give to nobody else."""
    name = TRANSACTIONS.name
    with transaction.atomic():
        run(
            f"INSERT INTO main.sqlite_sequence (name, seq) SELECT '{name}', 0"
            f" WHERE NOT EXISTS (SELECT 1 FROM main.sqlite_sequence WHERE name = '{name}')",
            f"UPDATE main.sqlite_sequence SET seq = seq + {int(number)} WHERE name = '{name}'",
        )
        last: int = numbers(f"SELECT seq FROM main.sqlite_sequence WHERE name = '{name}'")[0]
    return last - number
