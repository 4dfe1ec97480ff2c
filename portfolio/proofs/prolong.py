"""Lets proofs reach up to the last look at the balances where nothing has happened since but time."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db.models import OuterRef, Subquery

from accounts.models import Connection
from portfolio.models import BalanceSnapshot, Posting, Proof, Verdict
from portfolio.proofs.coverage import Read, read_of

HOLDS = (Verdict.PROVED, Verdict.ASSUMED)


def prolong(connection: Connection) -> bool:
    """Move the end of each asset's last interval to the last look; False, and nothing is done, where that is not all.

    To be asked only while no row and no balance is new since the proofs were last told. Then a sum can change only
    because a row was dated ahead, and a verdict only because more was read.
    """
    moving = {row.asset: row for row in _moving(connection)}
    tails = {row.asset: row for row in _tails(connection) if row.asset in moving}
    read = read_of(connection)
    if not all(_stands(tails.get(asset), seen, read) for asset, seen in moving.items()):
        return False
    ends = [row.end for row in tails.values()]
    if any(waits(row, read) for row in _incomplete(connection)) or (ends and _moved(connection, min(ends))):
        return False
    by_time: dict[datetime, list[int]] = defaultdict(list)
    for asset, row in tails.items():
        by_time[moving[asset].last_seen].append(row.pk)
    for until, keys in by_time.items():
        Proof.objects.filter(pk__in=keys, end__lt=until).update(end=until)
    return True


def waits(row: Proof, read: Read) -> bool:
    """Whether an interval that could not be judged now can be: a hole was read."""
    if not row.residual:
        return read.any_covers(row.start, row.end)
    opening_balance = row.start is None and read.begins_later
    return not opening_balance and read.all_cover(row.start, row.end)


def _moving(connection: Connection) -> list[BalanceSnapshot]:
    """The newest balance of each asset, where it was seen more than once."""
    rows = BalanceSnapshot.objects.of(connection).filter(newest=True).order_by("first_seen")
    newest = {row.asset: row for row in rows}
    return [row for row in newest.values() if row.last_seen > row.first_seen]


def _tails(connection: Connection) -> list[Proof]:
    """The last interval of each asset: one look into the index for each."""
    last = Proof.objects.filter(connection=OuterRef("connection"), asset=OuterRef("asset")).order_by("-end")
    marked = BalanceSnapshot.objects.of(connection).filter(newest=True).order_by()
    return list(Proof.objects.filter(pk__in=marked.values_list(Subquery(last.values("pk")[:1]))))


def _stands(tail: Proof | None, seen: BalanceSnapshot, read: Read) -> bool:
    """Whether the asset's last interval is that of the balance still seen, and exact."""
    if tail is None or tail.start != seen.first_seen or tail.closing != seen.total:
        return False
    exact = tail.verdict in HOLDS and not (tail.residual or tail.later or tail.earlier)
    return exact and read.any_covers(tail.start, seen.last_seen)


def _incomplete(connection: Connection) -> list[Proof]:
    return list(Proof.objects.of(connection).filter(verdict=Verdict.INCOMPLETE))


def _moved(connection: Connection, since: datetime) -> bool:
    """Whether a row that counts is dated after a moment: by the index of transactions, postings have none by time."""
    rows = Posting.objects.counted().filter(
        transaction__connection=connection, transaction__occurred_at__gt=since
    )
    return rows.exists()
