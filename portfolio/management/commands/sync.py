"""Reads connections now, in this process, to the end: a line for each connection and each of its streams."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import Connection, State
from portfolio.management.plainly import Failed, plainly, user_of
from portfolio.models import RunState, Trigger
from portfolio.sync import StreamResult, SyncResult
from portfolio.sync.keypace import quiet_until
from portfolio.tasks import bring_up_to_date, price, price_the_past


class Command(BaseCommand):
    """`manage.py sync`: ends with exit code 1 when any connection or stream failed."""

    help = "Sync connections now, in this process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose connections, or which one; everything or what is new."""
        parser.add_argument("--user", metavar="U", help="only this user's connections")
        parser.add_argument("--connection", type=int, metavar="ID", help="only this connection")
        parser.add_argument("--full", action="store_true", help="walk all history again")
        parser.add_argument("--no-prices", action="store_true", help="do not ask for prices afterwards")

    def handle(
        self, *, user: str | None, connection: int | None, full: bool, no_prices: bool, **_: object
    ) -> None:
        """One connection after the other; a failing one does not stop the others."""
        with plainly():
            found = list(chosen(user, connection))
            failed = [one for one in found if not self.sync(one, full=full)]
            if found and not no_prices:
                self.price()
        if failed:
            names = ", ".join(f"“{one.label}”" for one in failed)
            raise Failed(f"Not everything was read: {names}. See the lines above.")

    def price(self) -> None:
        """Ask for prices; a source that does not answer leaves assets unpriced, and that fails no sync."""
        now = timezone.now()
        done, past = price(now), price_the_past(now)
        self.stdout.write(f"prices: {done.new + past.new} new")
        for failure in dict.fromkeys((*done.failures, *past.failures)):
            self.stdout.write(f"  {failure.source}: {failure.error}")

    def sync(self, connection: Connection, *, full: bool) -> bool:
        """Read one and say how it went."""
        name = f"{connection.pk} {connection.exchange} “{connection.label}”"
        if connection.state == State.PAUSED:
            self.stdout.write(f"{name}: paused, not read")
            return True
        done = bring_up_to_date(connection.pk, trigger=Trigger.COMMAND, full=full)
        if done is None:
            self.stdout.write(f"{name}: {why_not(connection)}")
            return False
        self.stdout.write(f"{name}: {summary(done)}")
        for stream in done.streams:
            self.stdout.write(f"  {stream.stream}: {stream_line(stream)}")
        return done.state is RunState.OK


def why_not(connection: Connection) -> str:
    """Why it was not read."""
    now = timezone.now()
    connection.refresh_from_db()
    until = quiet_until(connection, now)
    if until > now:
        return f"not read, {connection.known.label} asked for a pause until {until:%H:%M:%S} UTC"
    return "busy, another worker reads it just now"


def chosen(user: str | None, connection: int | None) -> list[Connection]:
    """The connections that were asked for; none is an error only when one was named."""
    rows = Connection.objects.exclude(sealed_secret="").select_related("user").order_by("pk")
    if user is not None:
        rows = rows.for_user(user_of(user))
    if connection is None:
        return list(rows)
    found = list(rows.filter(pk=connection))
    if not found:
        raise Failed(f"There is no connection {connection} with a key. See the page Connections for the ids.")
    return found


def summary(done: SyncResult) -> str:
    """How a run went."""
    text = f"{done.state.label.lower()}, {done.requests} requests"
    if not done.error:
        return text
    return f"{text}. {done.error}" + ("" if done.advice in done.error else f" {done.advice}")


def stream_line(stream: StreamResult) -> str:
    """How one stream went."""
    if stream.state is RunState.FAILED:
        return f"failed. {stream.error}"
    quarantined = f", {stream.quarantined} quarantined" if stream.quarantined else ""
    return (
        f"{stream.state.label.lower()}, {stream.pages} pages, {stream.sent} rows, "
        f"{stream.new} new, {stream.changed} changed{quarantined}"
    )
