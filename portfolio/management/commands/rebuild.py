"""Derives everything again from the raw records and compares: the first difference, or that all is identical."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import Connection
from portfolio import proofs, tasks
from portfolio.management.plainly import Failed, plainly, user_of
from portfolio.models import Proof
from portfolio.sync.rebuild import Difference, Rebuild

COMPARED = ("start", "end", "opening", "postings", "closing", "residual", "verdict")


class Command(BaseCommand):
    """`manage.py rebuild`: exit code 1 at the first difference; `--write` puts all of them right."""

    help = "Derive ledger, balances and proofs again from the raw records and report the first difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and whether to put right what differs."""
        parser.add_argument("--user", metavar="U", help="only this user's connections")
        parser.add_argument("--write", action="store_true", help="put right what differs")

    def handle(self, *, user: str | None, write: bool, **_: object) -> None:
        """One connection after the other."""
        with plainly():
            rows = Connection.objects.select_related("user").order_by("pk")
            for connection in rows if user is None else rows.for_user(user_of(user)):
                self.rebuild(connection, write=write)

    def rebuild(self, connection: Connection, *, write: bool) -> None:
        """Compare one connection, and say what came of it."""
        name = f"{connection.pk} {connection.exchange} “{connection.label}”"
        with held(connection) as owner:
            found = differences(connection, owner, write=write)
            if write:
                count = sum(1 for _ in found)
                tasks.tell(connection.pk, everything=True)
                self.stdout.write(f"{name}: {count} rows put right" if count else f"{name}: identical")
                return
            first = next(found, None)
        if first is not None:
            raise Failed(f"{name} differs. {first}. “rebuild --write” puts it right.")
        self.stdout.write(f"{name}: identical")


@contextmanager
def held(connection: Connection) -> Iterator[str]:
    """Hold the connection, so that no sync writes meanwhile."""
    owner = f"rebuild:{uuid.uuid4().hex[:12]}"
    if not connection.take_lease(owner, timezone.now()):
        raise Failed(f"“{connection.label}” is being read just now. Run rebuild again in a moment.")
    try:
        yield owner
    finally:
        connection.release(owner)


def differences(connection: Connection, owner: str, *, write: bool) -> Iterator[Difference]:
    """Of ledger and balances; of the proofs as well where those hold."""

    def alive() -> None:
        if not connection.keep_lease(owner, timezone.now()):
            raise Failed(f"“{connection.label}” was taken over by a sync. Run rebuild again.")

    yield from Rebuild(connection, alive, write=write).differences()
    if not write:
        yield from of_proofs(connection)


def of_proofs(connection: Connection) -> Iterator[Difference]:
    """Proofs that stand against those added up from the beginning."""
    derived = {(row.asset, row.end): row for rows in proofs.derive(connection).values() for row in rows}
    for row in Proof.objects.of(connection).order_by("asset", "end"):
        after = derived.pop((row.asset, row.end), None)
        if after is None or figures(row) != figures(after):
            yield differing(row, after)
    yield from (differing(None, after) for after in derived.values())


def figures(row: Proof) -> tuple[object, ...]:
    """What two proofs are compared by."""
    return tuple(getattr(row, name) for name in COMPARED)


def differing(row: Proof | None, after: Proof | None) -> Difference:
    """Two proofs that differ, in words."""
    one = row or after
    assert one is not None
    name = f"{one.asset} until {one.end.isoformat()}"
    return Difference(what="proof", row=name, stands=said(row), derived=said(after))


def said(row: Proof | None) -> str:
    """What a proof says."""
    if row is None:
        return "missing"
    return f"{row.opening} + {row.postings} = {row.closing}, {row.residual} left, {row.verdict}"
