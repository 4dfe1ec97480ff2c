"""A user who is deleted takes everything along; a raw record alone cannot go while something derives from it."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import RestrictedError
from django.utils import timezone

from accounts.models import Connection, User
from tests.conftest import make_connection


def with_a_transaction(user: User) -> Connection:
    """A connection with one raw record and one transaction; the portfolio is reached by name, as accounts must."""
    connection = make_connection(user)
    raw = apps.get_model("portfolio", "Raw").objects.create(
        connection=connection, stream="s", source_id="1", digest="d", body="{}"
    )
    apps.get_model("portfolio", "Transaction").objects.create(
        connection=connection, raw=raw, stream="s", external_id="1", kind="deposit", status="completed",
        occurred_at=timezone.now(),
    )  # fmt: skip
    return connection


def test_a_deleted_user_takes_connections_and_ledger_along(alice: User) -> None:
    with_a_transaction(alice)
    alice.delete()
    assert not Connection.objects.exists()
    assert not apps.get_model("portfolio", "Transaction").objects.exists()


def test_a_raw_record_stays_while_a_transaction_derives_from_it(alice: User) -> None:
    with_a_transaction(alice)
    with pytest.raises(RestrictedError):
        apps.get_model("portfolio", "Raw").objects.get().delete()
