"""What may be wrong with an installation, looked at piece by piece: one finding each, with what to do about it.

Knows settings, files, database and vault; what the syncs do is looked at by the command that prints all this.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from kombu.connection import Connection as Broker

from accounts.checks import open_to_others, try_all, wrong_keys
from accounts.models import User

LOW_DISK = 200 * 2**20
OLDEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor."""

    level: Level
    what: str
    text: str


def ok(what: str, text: str) -> Finding:
    """All is well."""
    return Finding(level=Level.OK, what=what, text=text)


def warn(what: str, text: str) -> Finding:
    """It works, but somebody should look."""
    return Finding(level=Level.WARN, what=what, text=text)


def fail(what: str, text: str) -> Finding:
    """It does not work until this is mended."""
    return Finding(level=Level.FAIL, what=what, text=text)


def look() -> Iterator[Finding]:
    """All findings, in the order in which one thing needs the other."""
    yield from data_dir()
    yield from clock()
    database = list(database_state())
    yield from database
    yield from broker()
    yield from hosts()
    if all(each.level is not Level.FAIL for each in database):
        yield from cache_state()
        yield from vault_state()
        yield from owner()


def data_dir() -> Iterator[Finding]:
    """DATA_DIR: writable, closed to others, not full."""
    place = Path(settings.DATA_DIR)
    if not os.access(place, os.W_OK | os.X_OK):
        yield fail("DATA_DIR", f"{place} is not writable. Give it to the user who runs Holdfast.")
        return
    free = shutil.disk_usage(place).free
    if free < LOW_DISK:
        yield fail("DATA_DIR", f"only {free // 2**20} MiB are free on the disk of {place}. Make room.")
    files = [place / name for name in ("vault_keys", "secret_key", "holdfast.sqlite3", "backups")]
    loose = open_to_others(files) if stat.S_IMODE(place.stat().st_mode) & 0o001 else []
    if loose:
        yield warn("DATA_DIR", f"others can read {', '.join(map(str, loose))}. Run: chmod -R go-rwx {place}")
    else:
        yield ok("DATA_DIR", f"{place}, {free // 2**20} MiB free, closed to others")


def clock() -> Iterator[Finding]:
    """A clock that is far behind makes every exchange refuse our requests."""
    now = datetime.now(UTC)
    if now < OLDEST_CLOCK:
        yield fail("clock", f"this computer thinks it is {now:%Y-%m-%d}. Set the time.")
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def database_state() -> Iterator[Finding]:
    """DATABASE_URL: reachable, migrated, writable."""
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield fail(
            "DATABASE_URL", f"the database cannot be reached: {first_line(error)}. Start it, or correct it."
        )
        return
    if missing:
        yield fail("DATABASE_URL", f"{len(missing)} migrations are missing. Run: python manage.py setup")
        return
    try:
        with transaction.atomic():
            User.objects.filter(pk=0).update(is_active=True)
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE holdfast_doctor (id integer)")
            transaction.set_rollback(True)
    except DatabaseError as error:
        yield fail(
            "DATABASE_URL",
            f"the database cannot be written: {first_line(error)}. Make it writable, or make room.",
        )
        return
    yield ok("DATABASE_URL", f"{connection.vendor}, reachable, writable, migrated")


def broker() -> Iterator[Finding]:
    """BROKER_URL: a writable folder, or a server that answers."""
    url = settings.BROKER_URL
    if urlsplit(url).scheme in {"filesystem", "memory"}:
        yield ok("BROKER_URL", "embedded, in DATA_DIR")
        return
    try:
        with Broker(url, connect_timeout=3, transport_options={"socket_connect_timeout": 3}) as link:
            link.ensure_connection(max_retries=1, timeout=5)
    except Exception as error:
        yield fail(
            "BROKER_URL", f"the broker cannot be reached: {first_line(error)}. Start it, or correct it."
        )
        return
    yield ok("BROKER_URL", "reachable")


def hosts() -> Iterator[Finding]:
    """The exchanges' addresses; the settings refuse those that are not allowed."""
    named = ", ".join(f"{name} at {urlsplit(url).netloc}" for name, url in settings.EXCHANGE_URLS.items())
    yield ok("exchanges", named)


def cache_state() -> Iterator[Finding]:
    """CACHE_URL: limits for log-in are counted there, so it must work."""
    name = "CACHE_URL" if settings.CACHE_URL else "cache table"
    try:
        cache.set("doctor", "well", 10)
        works = cache.get("doctor") == "well"
    except Exception as error:
        mend = "Start it, or correct it." if settings.CACHE_URL else "Run: python manage.py setup"
        yield fail(name, f"the cache does not work: {first_line(error)}. {mend}")
        return
    yield ok(name, "works") if works else fail(name, "the cache forgets at once. Give it memory.")


def vault_state() -> Iterator[Finding]:
    """VAULT_KEYS: whether all stored keys open."""
    opened = try_all()
    if opened.hopeless:
        yield fail("VAULT_KEYS", wrong_keys(opened))
    elif opened.bad:
        yield warn(
            "VAULT_KEYS",
            f"{opened.bad} of {opened.bad + opened.good} stored keys do not open "
            f"(they need {', '.join(opened.needed)}). Give back that vault key, or replace those keys.",
        )
    else:
        yield ok("VAULT_KEYS", f"all {opened.good} stored keys open")


def owner() -> Iterator[Finding]:
    """Somebody must be there to log in."""
    if User.objects.filter(is_active=True).exists():
        yield ok("users", f"{User.objects.filter(is_active=True).count()} may log in")
    else:
        yield warn("users", "nobody has an account yet: open the start page and make the owner's account.")


def first_line(error: BaseException) -> str:
    """The gist of an error, on one line."""
    lines = str(error).strip().splitlines()
    return lines[0][:200].rstrip(".") if lines else type(error).__name__
