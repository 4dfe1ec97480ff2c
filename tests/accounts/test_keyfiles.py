"""The process's own secrets: made once with closed modes, refused when weak, missing or open to others."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from accounts.keyfiles import (
    KeyFileError,
    check_named_file,
    new_vault_key,
    replace_private,
    secret_key,
    vault_keys,
)

GOOD_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_both_for_their_owner_only(tmp_path: Path) -> None:
    first = vault_keys(None, tmp_path, may_create=True)
    assert first == vault_keys(None, tmp_path, may_create=False)
    assert len(secret_key(None, tmp_path, may_create=True)) >= 50
    assert {mode_of(tmp_path / name) for name in ("vault_keys", "secret_key")} == {0o600}


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    vault_keys(None, tmp_path, may_create=True)
    (tmp_path / "vault_keys").chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        vault_keys(None, tmp_path, may_create=False)


def test_a_missing_file_is_never_replaced_where_there_is_data(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="Put it back"):
        vault_keys(None, tmp_path, may_create=False)
    assert not (tmp_path / "vault_keys").exists()


@pytest.mark.parametrize(
    "weak", ["", " , ", "changeme", "A" * 43 + "=", "short", f"{GOOD_KEY},changeme", "x" * 44]
)
def test_weak_and_example_vault_keys_are_refused(tmp_path: Path, weak: str) -> None:
    with pytest.raises(KeyFileError, match="VAULT_KEYS"):
        vault_keys(weak, tmp_path, may_create=True)


@pytest.mark.parametrize("weak", ["", "changeme", "django-insecure-" + "x" * 50, "short"])
def test_weak_and_example_secret_keys_are_refused(tmp_path: Path, weak: str) -> None:
    with pytest.raises(KeyFileError, match="SECRET_KEY"):
        secret_key(weak, tmp_path, may_create=True)


def test_a_key_file_named_in_the_environment_must_be_closed_to_the_world(tmp_path: Path) -> None:
    place = tmp_path / "keys"
    place.write_text(new_vault_key())
    for mode, refused in ((0o400, False), (0o440, False), (0o444, True)):
        place.chmod(mode)
        try:
            check_named_file({"VAULT_KEYS_FILE": str(place)}, "VAULT_KEYS", private=True)
            assert not refused
        except KeyFileError as error:
            assert refused and "chmod 400" in str(error)


def test_keys_may_stand_on_lines_or_between_commas(tmp_path: Path) -> None:
    one, two = new_vault_key(), new_vault_key()
    assert vault_keys(f"{one}\n{two}\n", tmp_path, may_create=False) == (one, two)
    assert vault_keys(f"{one}, {two}", tmp_path, may_create=False) == (one, two)


def test_a_replaced_file_stays_closed(tmp_path: Path) -> None:
    replace_private(tmp_path / "vault_keys", "one")
    replace_private(tmp_path / "vault_keys", "two")
    assert (tmp_path / "vault_keys").read_text() == "two\n"
    assert mode_of(tmp_path / "vault_keys") == 0o600 and len(os.listdir(tmp_path)) == 1


def test_a_key_can_be_made_without_settings() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "accounts.keyfiles"], capture_output=True, text=True, check=True
    )
    assert vault_keys(made.stdout, Path("/nowhere"), may_create=False)
