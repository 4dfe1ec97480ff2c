"""Keys that fit nothing stop the start; one that does not open stops nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from accounts.checks import open_to_others, refuse_to_start, try_all
from accounts.keyfiles import new_vault_key
from accounts.keys import store_key
from accounts.models import Connection, User
from tests.conftest import make_connection

ROOT = Path(__file__).resolve().parent.parent.parent


def manage(data: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` in a process of its own, on its own data folder."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=keep | {"DATA_DIR": str(data)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_server_refuses_vault_keys_that_open_nothing(alice: User, settings: Settings) -> None:
    store_key(make_connection(alice), "somekey123", "somesecret")
    settings.VAULT_KEYS = (new_vault_key(),)
    with pytest.raises(SystemExit, match="None of the 1 stored exchange keys opens"):
        refuse_to_start()
    assert "accounts.E001" in [found.id for found in run_checks(databases=["default"])]


def test_one_key_that_does_not_open_does_not_stop_the_server(alice: User, bob: User) -> None:
    store_key(make_connection(alice), "somekey123", "somesecret")
    make_connection(bob, sealed_key="v1.gone.x", sealed_secret="v1.gone.y")
    refuse_to_start()
    assert (try_all().good, try_all().bad) == (1, 1)


def test_an_empty_installation_starts(db: None) -> None:
    assert not Connection.objects.exists()
    refuse_to_start()


def test_files_that_others_can_read_are_named(tmp_path: Path) -> None:
    closed, opened = tmp_path / "closed", tmp_path / "opened"
    for place, mode in ((closed, 0o600), (opened, 0o644)):
        place.touch()
        place.chmod(mode)
    assert open_to_others([closed, opened, tmp_path / "missing"]) == [opened]


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("PORT", "abc", "PORT is wrong"),
        ("HTTPS", "perhaps", "HTTPS is wrong"),
        ("VAULT_KEYS", "changeme", "Key 1 of VAULT_KEYS"),
        ("VAULT_KEYS", " , ", "VAULT_KEYS is empty"),
        ("VAULT_KEYS_FILE", "/nowhere/keys", "VAULT_KEYS_FILE points to /nowhere/keys"),
        ("SECRET_KEY", "changeme", "SECRET_KEY is empty, an example or too short"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL must begin with"),
        ("DATABASE_URL", "::::", "DATABASE_URL must begin with"),
        ("BTSE_URL", "http://169.254.169.254", "is refused"),
    ],
)
def test_a_wrong_variable_is_named_in_one_sentence(
    tmp_path: Path, variable: str, value: str, told: str
) -> None:
    ended = manage(tmp_path, "check", **{variable: value})
    assert ended.returncode == 1
    assert told in ended.stderr and "Traceback" not in ended.stderr
