"""Whether the vault keys at hand fit what is stored, and whether the data folder is closed to others.

Asked at every start of a server or worker, by `manage.py check` and by the doctor.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from accounts.keys import open_key, sealed_under, vault
from accounts.models import Connection
from accounts.sealing import SealError

WRONG_KEYS = (
    "None of the {count} stored exchange keys opens with VAULT_KEYS (it holds {have}, they need {need}). "
    "Give back the vault keys that belong to this database: the file vault_keys in DATA_DIR, or VAULT_KEYS."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """How many stored keys open, and which vault keys the others ask for."""

    good: int
    bad: int
    needed: tuple[str, ...]

    @property
    def hopeless(self) -> bool:
        """Whether there are stored keys and none of them opens."""
        return self.bad > 0 and self.good == 0


def try_all(*, stop_at_first: bool = False) -> Opened:
    """Try to open every stored key; at a start the first that opens is enough."""
    good, needed, bad = 0, set[str](), 0
    for connection in Connection.objects.exclude(sealed_secret="").iterator():
        try:
            open_key(connection)
            good += 1
            if stop_at_first:
                break
        except SealError:
            bad += 1
            needed |= sealed_under(connection)
    return Opened(good=good, bad=bad, needed=tuple(sorted(needed)))


def wrong_keys(opened: Opened) -> str:
    """The sentence for keys that open nothing."""
    return WRONG_KEYS.format(
        count=opened.bad, have=", ".join(vault().key_ids), need=", ".join(opened.needed) or "others"
    )


def refuse_to_start() -> None:
    """End the process with one sentence when the vault keys open none of the stored secrets.

    A database that is not there yet is no reason: set-up comes later, and the doctor names what is wrong with it.
    """
    try:
        opened = try_all(stop_at_first=True)
    except DatabaseError:
        return
    if opened.hopeless:
        sys.exit(f"Holdfast does not start: {wrong_keys(opened)}")


def open_to_others(places: Iterable[Path]) -> list[Path]:
    """Those of the files and folders that others on this computer can read."""
    return [place for place in places if place.exists() and stat.S_IMODE(place.stat().st_mode) & 0o007]


@register(Tags.database)
def vault_fits(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """An error when none of the stored secrets opens; only where databases are asked about, so that a backup goes on."""
    if not databases:
        return []
    try:
        opened = try_all(stop_at_first=True)
    except DatabaseError:
        return []
    return [Error(wrong_keys(opened), id="accounts.E001")] if opened.hopeless else []


@register(Tags.security)
def data_is_private(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """A warning when the data folder can be read by others."""
    return [
        Warning(
            f"{place} can be read by others on this computer.",
            hint=f"chmod o-rwx {place}",
            id="accounts.W001",
        )
        for place in open_to_others([Path(settings.DATA_DIR)])
    ]
