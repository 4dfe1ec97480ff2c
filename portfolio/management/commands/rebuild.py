"""Derives everything again from the raw records and compares: the first difference, or that all is identical."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from accounts.models import Connection
from portfolio import tasks
from portfolio.management.plainly import Failed, plainly, user_of
from portfolio.rebuild import Busy, Refused, rebuild


class Command(BaseCommand):
    """`manage.py rebuild`: a line for each connection; exit code 1 where one differs. `--write` puts it right."""

    help = "Derive ledger, balances, proofs and daily figures again from the raw records and report the first difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, which, and whether to put right what differs."""
        parser.add_argument("--user", metavar="U", help="only this user's connections")
        parser.add_argument("--connection", metavar="ID", type=int, help="only this connection")
        parser.add_argument("--write", action="store_true", help="swap in what was derived where it differs")

    def handle(self, *, user: str | None, connection: int | None, write: bool, **_: object) -> None:
        """One connection after the other; one that cannot be compared keeps none of the others from it."""
        with plainly():
            rows = Connection.objects.select_related("user").order_by("pk")
            rows = rows if user is None else rows.for_user(user_of(user))
            rows = rows if connection is None else rows.filter(pk=connection)
            failures = [said for row in rows if (said := self.one(row, write=write))]
        if failures:
            raise Failed("\n".join(failures))

    def one(self, connection: Connection, *, write: bool) -> str:
        """Compare one connection and say what came of it; a sentence where it stands otherwise in the end."""
        name = f"{connection.pk} {connection.exchange} “{connection.label}”"
        try:
            done = rebuild(connection, write=write, tell=tasks.tell)
        except (Busy, Refused) as error:
            return f"{name}: {error}"
        if done.swapped:
            tasks.tell(connection.pk)
            self.stdout.write(f"{name}: {counted(done.differing)} put right. The first was {done.first}.")
        elif done.first is not None:
            return (
                f"{name} differs: {counted(done.differing)}. {done.first}. “rebuild --write” puts it right."
            )
        else:
            self.stdout.write(f"{name}: identical ({counted(done.rows)})")
        return ""


def counted(numbers: dict[str, int]) -> str:
    """How many of what."""
    return ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for noun, number in numbers.items())
