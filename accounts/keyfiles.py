"""Where the process's own secrets come from: the environment, or files only their owner can read.

Knows no Django, because the settings need it. Raises KeyFileError with one sentence that says how to mend it.
`python -m accounts.keyfiles` prints a new vault key, also where the settings do not load for want of one.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

EXAMPLE_KEYS = frozenset({"", "changeme", "change-me", "secret", "insecure", "example", "your-key-here"})


class KeyFileError(Exception):
    """A secret of the process is missing, too weak, an example, or readable by others."""


def secret_key(value: str | None, directory: Path, *, may_create: bool) -> str:
    """Django's signing key: the value from the environment, else the file `secret_key` in `directory`."""
    key = (
        value
        if value is not None
        else _from_file(directory / "secret_key", may_create, secrets.token_urlsafe(50))
    )
    key = key.strip()
    if key.lower() in EXAMPLE_KEYS or key.startswith("django-insecure") or len(key) < 32:
        raise KeyFileError(
            "SECRET_KEY is empty, an example or too short. Give it at least 32 random characters, "
            "or remove it so that one is made in DATA_DIR."
        )
    return key


def vault_keys(value: str | None, directory: Path, *, may_create: bool) -> tuple[str, ...]:
    """The Fernet keys that seal what exchanges lent us, newest first; from the environment or `vault_keys`."""
    text = value if value is not None else _from_file(directory / "vault_keys", may_create, new_vault_key())
    keys = tuple(k.strip() for k in text.replace("\n", ",").split(",") if k.strip())
    if not keys:
        raise KeyFileError("VAULT_KEYS is empty. Make a key with “python -m accounts.keyfiles”.")
    for number, key in enumerate(keys, start=1):
        _refuse_weak(key, number)
    return keys


def check_named_file(environ: Mapping[str, str], name: str, *, private: bool) -> None:
    """Whether the file that NAME_FILE points to can be read, and for keys: by nobody else on this computer."""
    place = environ.get(f"{name}_FILE")
    if not place:
        return
    try:
        mode = stat.S_IMODE(os.stat(place).st_mode)
        with open(place, "rb"):
            pass
    except OSError as error:
        raise KeyFileError(
            f"{name}_FILE points to {place}, which cannot be read ({error.strerror})."
        ) from error
    if private and mode & 0o007:
        raise KeyFileError(
            f"{name}_FILE points to {place}, which everybody can read (mode {mode:04o}). Run: chmod 400 {place}"
        )


def replace_private(path: Path, text: str) -> None:
    """Give a private file new content at once: a reader sees the old one or the new one."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    write_private(beside, text)
    beside.replace(path)


def new_vault_key() -> str:
    """A fresh Fernet key: 32 random bytes as URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def write_private(path: Path, text: str) -> None:
    """Create a file that only its owner can read; fails when it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text + "\n")


def _refuse_weak(key: str, number: int) -> None:
    try:
        raw = base64.urlsafe_b64decode(key.encode())
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32 or len(set(raw)) < 8:
        raise KeyFileError(
            f"Key {number} of VAULT_KEYS is no Fernet key, or an example. Make one with “python -m accounts.keyfiles”."
        )


def _from_file(path: Path, may_create: bool, fresh: str) -> str:
    if not path.exists():
        if not may_create:
            raise KeyFileError(
                f"{path} is missing though there is data already. Put it back from where you keep your keys, "
                f"or give {path.name.upper()} in the environment."
            )
        try:
            write_private(path, fresh)
        except FileExistsError:
            pass  # Another process of the same start was first: its file counts.
        except OSError as error:
            raise KeyFileError(
                f"{path} cannot be written ({error.strerror}). Make DATA_DIR writable."
            ) from error
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyFileError(f"{path} can be read by others (mode {mode:04o}). Run: chmod 600 {path}")
        return path.read_text().strip()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read ({error.strerror}). Run as its owner.") from error


if __name__ == "__main__":
    sys.stdout.write(new_vault_key() + "\n")
