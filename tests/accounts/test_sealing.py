"""Tokens open where they were sealed and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.keyfiles import new_vault_key
from accounts.sealing import Context, SealError, Vault, key_id, key_id_of

OLD, NEW = new_vault_key(), new_vault_key()
HERE = Context(user_id=1, connection="one", field="secret")


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 2**40), st.text("abc_-", min_size=1))
def test_what_is_sealed_opens_unchanged(secret: str, user: int, connection: str) -> None:
    context = Context(user_id=user, connection=connection, field="key")
    vault = Vault((NEW,))
    assert vault.open(vault.seal(secret, context), context) == secret


@pytest.mark.parametrize(
    "elsewhere",
    [
        Context(user_id=2, connection="one", field="secret"),
        Context(user_id=1, connection="two", field="secret"),
        Context(user_id=1, connection="one", field="key"),
    ],
)
def test_a_token_moved_to_another_user_connection_or_field_does_not_open(elsewhere: Context) -> None:
    vault = Vault((NEW,))
    token = vault.seal("canary", HERE)
    with pytest.raises(SealError):
        vault.open(token, elsewhere)


def test_a_changed_token_does_not_open() -> None:
    vault = Vault((NEW,))
    token = vault.seal("canary", HERE)
    with pytest.raises(SealError):
        vault.open(token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"), HERE)


@pytest.mark.parametrize("token", ["", "v1", "v1.abc", "v2.abc.def", "plain text", "v1..", "v1.é.ü"])
def test_what_is_no_token_is_a_seal_error(token: str) -> None:
    with pytest.raises(SealError):
        Vault((NEW,)).open(token, HERE)


def test_a_token_names_its_vault_key_but_not_its_content() -> None:
    token = Vault((NEW,)).seal("canary", HERE)
    assert key_id_of(token) == key_id(NEW)
    assert "canary" not in token and NEW not in token


def test_old_keys_still_open_and_resealing_moves_to_the_newest() -> None:
    token = Vault((OLD,)).seal("canary", HERE)
    both = Vault((NEW, OLD))
    moved = both.reseal(token, HERE)
    assert both.open(token, HERE) == "canary"
    assert key_id_of(moved) == key_id(NEW)
    assert Vault((NEW,)).open(moved, HERE) == "canary"


def test_a_vault_shows_no_key_when_printed() -> None:
    assert NEW not in repr(Vault((NEW, OLD))) and OLD not in str(Vault((NEW, OLD)))
