"""Makes the rows that differ what the shadow says, in one transaction: all of it or nothing, whenever it is killed.

Only rows that differ are touched, by the database itself, so that the one lock of SQLite's writers is held for as
long as those take. A row that stands keeps its primary key, and with it all that users said of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.db import transaction

from accounts.models import Connection
from portfolio.models import Correction, MatchState, TransferMatch
from portfolio.rebuild.compare import Differences, pairs
from portfolio.rebuild.shadow import derived, numbers, run, standing
from portfolio.rebuild.tables import TABLES, TOLD, TRANSACTIONS, Table
from portfolio.sync import balances


class Refused(Exception):
    """A sentence that says why nothing was swapped."""


def swap(connection: Connection, found: Differences, keep: Callable[[], None]) -> None:
    """Put right what differs; `keep` shows within the transaction that the lease is ours, or raises."""
    _refuse_to_forget()
    since = _since()
    with transaction.atomic():
        keep()
        _forget_proposals()
        for table in TABLES:
            if found.counts[table]:
                run(*_statements(table))
        balances.mark_newest(connection)
        if since is not None:
            Connection.objects.filter(pk=connection.pk).fall_behind(since)


def _statements(table: Table) -> list[str]:
    there, told, differing = standing(table.name), derived(table.name), pairs(table)
    names = [*(["id"] if table is TRANSACTIONS else []), *table.columns]
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f'"{name}" = d."{name}"' for name in table.overwritten)
    return [
        f"DELETE FROM {there} WHERE id IN (SELECT stands FROM {differing} WHERE derived IS NULL)",
        f"UPDATE {there} AS s SET {values} FROM {differing} p, {told} d WHERE s.id = p.stands AND d.id = p.derived",
        f"INSERT INTO {there} ({columns}) SELECT {columns} FROM {told}"
        f" WHERE id IN (SELECT derived FROM {differing} WHERE stands IS NULL)"
        + (" ON CONFLICT DO NOTHING" if table.told else ""),
    ]


def _refuse_to_forget() -> None:
    """What users said of a transaction must never go with it."""
    gone = _gone()
    said = Correction.objects.filter(transaction__in=gone).exists()
    decided = TransferMatch.objects.exclude(state=MatchState.SUGGESTED)
    if said or decided.filter(outgoing__in=gone).exists() or decided.filter(incoming__in=gone).exists():
        raise Refused(
            "A transaction that no raw record tells has a correction or a decision of a user. "
            "Undo that first, then run rebuild again."
        )


def _forget_proposals() -> None:
    gone = _gone()
    for name in ("outgoing__in", "incoming__in"):
        TransferMatch.objects.suggested().filter(**{name: gone}).delete()


def _gone() -> list[int]:
    return numbers(f"SELECT stands FROM {pairs(TRANSACTIONS)} WHERE derived IS NULL")


def _since() -> date | None:
    """The first day whose figures differ; as they may have been told anew meanwhile, they are told again from there."""
    days: list[date] = []
    for table in TOLD:
        field = table.settled if table.settled in table.key else "end"
        for side, source in (("stands", standing(table.name)), ("derived", derived(table.name))):
            query = f'SELECT MIN(t."{field}") FROM {pairs(table)} p JOIN {source} t ON t.id = p.{side}'
            days += [_day(one) for one in numbers(query) if one]
    return min(days, default=None)


def _day(value: object) -> date:
    """SQLite says days and times as text."""
    return date.fromisoformat(str(value)[:10])
