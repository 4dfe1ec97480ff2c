"""Rotation moves every secret to the newest vault key, may be interrupted, and says when the old one may go."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.keyfiles import new_vault_key
from accounts.keys import open_key, reseal_key, store_key
from accounts.models import Connection, User
from accounts.rotation import rotate, rows_per_key
from accounts.sealing import key_id
from tests.conftest import make_connection


@pytest.fixture
def old(settings: Settings) -> str:
    """The key that seals everything at first."""
    settings.VAULT_KEYS = (new_vault_key(),)
    return key_id(settings.VAULT_KEYS[0])


@pytest.fixture
def sealed(alice: User, old: str) -> list[Connection]:
    """Seven connections and a second factor under the old key."""
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    connections = [make_connection(alice, label=f"c{number}") for number in range(7)]
    for number, connection in enumerate(connections):
        store_key(connection, f"key-{number}", f"secret-{number}")
    return connections


def add_key(settings: Settings) -> str:
    settings.VAULT_KEYS = (new_vault_key(), *settings.VAULT_KEYS)
    return key_id(settings.VAULT_KEYS[0])


def said(*words: Any, **options: Any) -> str:
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def secrets() -> list[str]:
    return [open_key(connection).secret for connection in Connection.objects.order_by("pk")]


def test_rotation_moves_everything_and_the_old_key_can_go(
    sealed: list[Connection], old: str, settings: Settings
) -> None:
    new = add_key(settings)
    with pytest.raises(CommandError, match=f"8 rows still need {old}"):
        call_command("rotate_keys", retire=old)
    assert "Sealed again: 8 rows" in said("rotate_keys")
    assert rows_per_key() == {new: 8}
    assert f"No row needs {old}" in said("rotate_keys", retire=old)
    settings.VAULT_KEYS = settings.VAULT_KEYS[:1]
    assert secrets() == [f"secret-{number}" for number in range(7)]
    assert Authenticator.objects.get().wrap().instance.data["secret"].startswith(f"v1.{new}.")


def test_an_interrupted_rotation_goes_on_where_it_was(
    sealed: list[Connection], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = add_key(settings)
    done: list[int] = []

    def killed_at_the_fifth(connection: Connection) -> bool:
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(connection.pk)
        return reseal_key(connection)

    monkeypatch.setattr("accounts.rotation.reseal_key", killed_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        rotate(batch=2)
    monkeypatch.undo()
    assert secrets() == [f"secret-{number}" for number in range(7)]
    assert rotate(batch=2).moved == 4
    assert rows_per_key() == {new: 8}


def test_a_second_rotation_has_nothing_to_do(sealed: list[Connection], settings: Settings) -> None:
    add_key(settings)
    rotate()
    assert rotate().moved == 0


def test_rows_that_do_not_open_are_reported_and_left(sealed: list[Connection], settings: Settings) -> None:
    Connection.objects.filter(pk=sealed[0].pk).update(sealed_secret="v1.gone.x")
    add_key(settings)
    with pytest.raises(CommandError, match="1 rows do not open"):
        call_command("rotate_keys", stdout=StringIO())
    assert rows_per_key()["gone"] == 1


def test_the_newest_key_and_unknown_keys_are_not_retired(old: str, db: None) -> None:
    with pytest.raises(CommandError, match="newest"):
        call_command("rotate_keys", retire=old)
    with pytest.raises(CommandError, match="no vault key"):
        call_command("rotate_keys", retire="12345678")
