"""Which connections stand for the accounts that a user's own rows name, and that these are behind their rows.

An account named like one at an exchange is that one: what it holds the exchange says, so own rows only tell its gains.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from accounts.models import Connection, State, User
from exchanges.catalog import ExchangeName
from portfolio.models.corrections import ManualEntry, ManualKind

UNNAMED = "Own entries"


def label_of(account: str) -> str:
    """The label of the connection that stands for an account."""
    return account.strip() or UNNAMED


def same(label: str) -> str:
    """What two labels are compared by."""
    return label_of(label).casefold()


def labels_of(entry: ManualEntry) -> tuple[str, ...]:
    """The accounts that a row moves something in."""
    if entry.kind == ManualKind.TRANSFER and same(entry.account) != same(entry.to_account):
        return label_of(entry.account), label_of(entry.to_account)
    return (label_of(entry.account),)


def fall_behind(user: User, entries: Iterable[ManualEntry]) -> None:
    """Note which accounts these rows change, from which day on; to be called in the transaction that changes them.

    The database remembers it, so that a lost message costs a minute and no row.
    """
    since: dict[str, tuple[str, date]] = {}
    for entry in entries:
        for label in labels_of(entry):
            day = entry.occurred_at.date()
            since[same(label)] = (label, min(day, since.get(same(label), (label, day))[1]))
    there = {same(row.label): row for row in Connection.objects.for_user(user)}
    for key, (label, day) in since.items():
        account = there.get(key) or _open(user, label)
        if account.is_own:
            Connection.objects.filter(pk=account.pk).fall_behind(day)


def _open(user: User, label: str) -> Connection:
    """An account that nobody reads: it waits for nothing, so no worker takes it up."""
    return Connection.objects.create(
        user=user, exchange=ExchangeName.OWN, label=label, state=State.PAUSED, reason_code="own"
    )
