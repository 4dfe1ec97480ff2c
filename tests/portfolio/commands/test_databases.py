"""A database that cannot be written ends in one sentence, and nothing is half stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from accounts.models import Connection, User
from portfolio.management.plainly import about_database
from tests.portfolio.sync.keyboards import typed

pytestmark = pytest.mark.django_db(transaction=True)
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own switches")


@pytest.fixture
def pragma() -> Iterator[Callable[[str], None]]:
    """Says something to SQLite, and takes it back at the end."""

    def say(text: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {text}")

    yield say
    say("query_only = off")
    say("max_page_count = 1073741823")


def failing_connect(monkeypatch: pytest.MonkeyPatch) -> str:
    """What the command says."""
    typed(monkeypatch, json.dumps({"key": "k" * 400, "secret": "s" * 400}))
    with pytest.raises(CommandError) as failed:
        call_command("connect", user="alice@example.org", exchange="tether", label="mine", no_check=True)
    return str(failed.value)


@on_sqlite
def test_a_read_only_database(
    alice: User, pragma: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pragma("query_only = on")

    assert "read-only: nothing was stored" in failing_connect(monkeypatch)
    assert not Connection.objects.exists()


@on_sqlite
def test_a_full_database(alice: User, pragma: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    pragma("max_page_count = 1")
    said = ""
    for number in range(200):
        typed(monkeypatch, json.dumps({"key": "k" * 400, "secret": "s" * 400}))
        try:
            call_command(
                "connect", user="alice@example.org", exchange="tether", label=f"{number}", no_check=True
            )
        except CommandError as error:
            said = str(error)
            break

    assert "disk is full: nothing was stored" in said
    assert Connection.objects.count() == number


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("cannot execute INSERT in a read-only transaction", "read-only"),
        ("could not extend file: No space left on device", "disk is full"),
        ('relation "accounts_user" does not exist', "not prepared"),
        ("database is locked", "busy"),
        ("connection refused", "DATABASE_URL"),
    ],
)
def test_other_databases_words_are_understood(words: str, sentence: str) -> None:
    assert sentence in about_database(OperationalError(words))
