"""The doctor names what is wrong and ends badly where something does not work."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.keyfiles import new_vault_key
from accounts.keys import store_key
from accounts.models import Connection, State, User
from tests.conftest import make_connection


def doctor() -> tuple[int, str]:
    """Exit code and what was said."""
    out = StringIO()
    try:
        call_command("doctor", stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture(autouse=True)
def cache_table(db: None) -> None:
    """The table of the cache, as set-up makes it."""
    call_command("createcachetable")
    cache.clear()


def test_a_sound_installation_gets_no_fail(alice: User) -> None:
    store_key(make_connection(alice, next_sync_at=timezone.now()), "somekey123", "somesecret")
    code, said = doctor()
    assert code == 0 and "all 1 stored keys open" in said and "fail" not in said


def test_wrong_vault_keys_are_named(alice: User, settings: Settings) -> None:
    store_key(make_connection(alice), "somekey123", "somesecret")
    settings.VAULT_KEYS = (new_vault_key(),)
    code, said = doctor()
    assert code == 1 and "fail VAULT_KEYS" in said


def test_a_broker_that_does_not_answer_is_named(settings: Settings) -> None:
    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    code, said = doctor()
    assert code == 1 and "fail BROKER_URL" in said


def test_a_database_that_cannot_be_written_is_named() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("The switch for reading only is SQLite's.")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    try:
        code, said = doctor()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")
    assert code == 1 and "fail DATABASE_URL  the database cannot be written" in said


def test_work_that_nobody_takes_and_connections_in_trouble_are_warnings(alice: User) -> None:
    make_connection(alice, next_sync_at=timezone.now() - timedelta(hours=1))
    make_connection(alice, label="sick", state=State.NEEDS_ATTENTION)
    code, said = doctor()
    assert code == 0 and "1 connections are overdue" in said and "1 need attention" in said
    assert Connection.objects.count() == 2
