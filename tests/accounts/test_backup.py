"""A backup brings all back, holds no key, and is restored wholly or not at all."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.backup import BackupError, make, restore
from accounts.backup.restoring import raised
from accounts.keyfiles import new_vault_key
from accounts.keys import open_key, store_key
from accounts.models import Connection, User
from tests.conftest import make_connection, make_user

SECRET = "canary-secret-0c9d"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept() -> Connection:
    """A connection with a key and a nonce of the clock, and a live session."""
    user = make_user("owner")
    connection = make_connection(user, label="main")
    store_key(connection, "canary-key-7f3a", SECRET)
    connection.draw_nonce(int(timezone.now().timestamp() * 1000))
    Client().force_login(user)
    return connection


@pytest.fixture
def backup(kept: Connection, tmp_path: Path) -> Path:
    """A backup of it."""
    return make(tmp_path / "backup.zip")


def parts(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield archive.read(name)


def test_a_restored_backup_brings_all_back(backup: Path, kept: Connection) -> None:
    User.objects.all().delete()
    done = restore(backup)
    assert (done.users, done.connections, done.unopened) == (1, 1, 0)
    again = Connection.objects.get(label="main")
    assert open_key(again).secret == SECRET and again.public_id == kept.public_id


def test_what_is_made_after_a_restore_gets_fresh_ids(backup: Path) -> None:
    User.objects.all().delete()
    restore(backup)
    assert make_user("later").pk > User.objects.get(email="owner@example.org").pk


def test_a_backup_holds_no_secret_no_vault_key_and_no_session(
    backup: Path, kept: Connection, settings: Settings
) -> None:
    assert Session.objects.exists()
    session = Session.objects.get().session_key
    forbidden = [SECRET, "canary-key", settings.SECRET_KEY, *settings.VAULT_KEYS, session]
    assert [word for part in parts(backup) for word in forbidden if word.encode() in part] == []
    assert any(kept.sealed_secret.encode() in part for part in parts(backup))


def test_a_backup_is_closed_to_others_and_overwrites_nothing(backup: Path) -> None:
    assert backup.stat().st_mode & 0o077 == 0
    with pytest.raises(BackupError, match="exists already"):
        make(backup)
    assert sorted(each.name for each in backup.parent.iterdir()) == ["backup.zip"]


def test_nothing_is_replaced_without_force(backup: Path) -> None:
    make_user("newcomer")
    with pytest.raises(BackupError, match="--force"):
        restore(backup)
    restore(backup, force=True)
    assert [user.email for user in User.objects.all()] == ["owner@example.org"]


def test_a_restore_without_the_vault_keys_is_refused_and_changes_nothing(
    backup: Path, settings: Settings
) -> None:
    settings.VAULT_KEYS = (new_vault_key(),)
    make_user("newcomer")
    with pytest.raises(BackupError, match="put those vault keys in place first"):
        restore(backup, force=True)
    assert User.objects.count() == 2


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_cut_backup_is_refused_and_changes_nothing(backup: Path, keep: float) -> None:
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(keep if keep > 1 else keep * len(whole))])
    with pytest.raises(BackupError, match=r"no backup|damaged"):
        restore(backup, force=True)
    assert User.objects.count() == 1


def test_a_changed_byte_is_found(backup: Path) -> None:
    with zipfile.ZipFile(backup) as archive:
        info = next(each for each in archive.infolist() if each.compress_size > 200)
    body = bytearray(backup.read_bytes())
    body[info.header_offset + 150] ^= 0xFF
    backup.write_bytes(body)
    with pytest.raises(BackupError, match="damaged"):
        restore(backup, force=True)


def test_a_running_sync_stops_a_restore(backup: Path, kept: Connection) -> None:
    kept.take_lease("worker", timezone.now())
    with pytest.raises(BackupError, match="Stop Holdfast first"):
        restore(backup, force=True)


def test_no_nonce_is_used_twice_after_a_restore(backup: Path, kept: Connection) -> None:
    used = [kept.draw_nonce(int(timezone.now().timestamp() * 1000)) for _ in range(5)]
    restore(backup, force=True)
    again = Connection.objects.get(label="main")
    assert again.nonce >= used[-1] - 5 and again.draw_nonce(int(timezone.now().timestamp() * 1000)) > used[-1]


@pytest.mark.parametrize("unit", [1, 1_000, 10_000_000])
def test_a_nonce_is_raised_in_the_unit_it_was_drawn_in(unit: int) -> None:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    later = made + timedelta(days=3)
    assert raised(int(made.timestamp()) * unit, later) == int(later.timestamp()) * unit
    assert raised(int(later.timestamp()) * unit + 5, later) == int(later.timestamp()) * unit + 5
    assert raised(42, later) == 42


def test_the_commands_print_the_digest_and_end_badly_in_one_sentence(
    kept: Connection, tmp_path: Path
) -> None:
    out = StringIO()
    call_command("backup", str(tmp_path / "b.zip"), stdout=out, stderr=StringIO())
    assert len(out.getvalue().split()[0]) == 64
    (tmp_path / "text").write_text("no backup")
    for wrong in ("text", "missing"):
        with pytest.raises(CommandError):
            call_command("restore", str(tmp_path / wrong), "--force")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("backup", "/proc/nowhere/b.zip")
