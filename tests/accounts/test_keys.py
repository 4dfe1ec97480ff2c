"""A connection's key is stored sealed, opened for one use, resealed and forgotten."""

from __future__ import annotations

import pickle

import pytest
from pytest_django import Settings

from accounts.keyfiles import new_vault_key
from accounts.keys import forget_key, open_key, reseal_key, sealed_under, store_key
from accounts.models import Connection, User
from accounts.sealing import SealError, key_id
from tests.conftest import make_connection

KEY, SECRET = "canary-key-id-7f3a", "canary-secret-0c9d"


def keyed(user: User) -> Connection:
    connection = make_connection(user)
    store_key(connection, KEY, SECRET)
    return Connection.objects.get(pk=connection.pk)


def test_a_stored_key_opens_again_and_only_its_last_four_letters_show(alice: User) -> None:
    connection = keyed(alice)
    opened = open_key(connection)
    assert (opened.key, opened.secret) == (KEY, SECRET)
    assert connection.fingerprint == "7f3a"
    assert connection.key_set_at is not None
    stored = repr(Connection.objects.values().get(pk=connection.pk))
    assert "canary" not in stored


def test_storing_a_key_touches_nothing_else(alice: User) -> None:
    connection = make_connection(alice)
    Connection.objects.filter(pk=connection.pk).update(nonce=77, label="renamed meanwhile")
    store_key(connection, KEY, SECRET)
    stored = Connection.objects.get(pk=connection.pk)
    assert (stored.nonce, stored.label) == (77, "renamed meanwhile")


def test_a_key_copied_into_another_connection_does_not_open(alice: User, bob: User) -> None:
    mine, his = keyed(alice), keyed(bob)
    mine.sealed_key, mine.sealed_secret = his.sealed_key, his.sealed_secret
    with pytest.raises(SealError):
        open_key(mine)


def test_key_and_secret_do_not_swap(alice: User) -> None:
    connection = keyed(alice)
    connection.sealed_key, connection.sealed_secret = connection.sealed_secret, connection.sealed_key
    with pytest.raises(SealError):
        open_key(connection)


def test_opened_credentials_show_nothing_and_cannot_be_sent(alice: User) -> None:
    opened = open_key(keyed(alice))
    assert "canary" not in f"{opened} {opened!r} {[opened]}"
    with pytest.raises(TypeError):
        pickle.dumps(opened)


def test_a_forgotten_key_is_gone(alice: User) -> None:
    connection = keyed(alice)
    forget_key(connection)
    stored = Connection.objects.get(pk=connection.pk)
    assert not stored.has_key and stored.sealed_key == stored.fingerprint == ""
    with pytest.raises(SealError):
        open_key(stored)


@pytest.mark.parametrize("bad", ["", "   ", "a\nb", "k\ud800", "ключ", "x" * 501])
def test_unusable_text_is_refused_and_nothing_is_stored(alice: User, bad: str) -> None:
    connection = make_connection(alice)
    with pytest.raises(ValueError, match="plain characters"):
        store_key(connection, KEY, bad)
    assert not Connection.objects.get(pk=connection.pk).has_key


def test_resealing_moves_to_the_newest_vault_key(alice: User, settings: Settings) -> None:
    connection = keyed(alice)
    settings.VAULT_KEYS = (new_vault_key(), *settings.VAULT_KEYS)
    assert reseal_key(connection)
    moved = Connection.objects.get(pk=connection.pk)
    assert sealed_under(moved) == {key_id(settings.VAULT_KEYS[0])} == {moved.key_version}
    assert open_key(moved).secret == SECRET


def test_resealing_never_overwrites_a_key_replaced_meanwhile(alice: User) -> None:
    stale = keyed(alice)
    store_key(Connection.objects.get(pk=stale.pk), "another-key", "another-secret")
    assert not reseal_key(stale)
    assert open_key(Connection.objects.get(pk=stale.pk)).secret == "another-secret"
