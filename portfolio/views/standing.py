"""Where a connection stands, in one word and one sentence for a badge. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from django.conf import settings

from accounts.models import Connection, State
from portfolio.models import Verdict
from portfolio.sync.hosts import Trouble
from portfolio.sync.keypace import quiet_until

NOT_TOLD: Mapping[int, Verdict | None] = MappingProxyType({})
ALL_WELL: Mapping[str, Trouble] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A badge: its tone, its word, and what stands beside it."""

    tone: str
    word: str
    sentence: str = ""
    is_busy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """A connection together with where it stands."""

    connection: Connection
    standing: Standing
    verdict: Verdict | None = None


def standing(connection: Connection, now: datetime, trouble: Trouble | None = None) -> Standing:
    """What the badge of this connection says at `now`; `trouble` is that of its exchange's host."""
    if connection.is_own:
        return Standing(
            tone="", word="Own entries", sentence="You keep this account; nobody else vouches for it."
        )
    if connection.state == State.NEEDS_ATTENTION:
        return Standing(tone="bad", word="Needs attention", sentence=connection.reason or connection.advice)
    if connection.is_leased(now):
        return Standing(tone="busy", word="Syncing", is_busy=True)
    if connection.state == State.PAUSED and not connection.has_key:
        return Standing(
            tone="", word="Key removed", sentence="Its history stays; put in a key to read it again."
        )
    if connection.state == State.PAUSED:
        return Standing(tone="", word="Paused", sentence="It is not read until you resume it.")
    if connection.state == State.CLOSED:
        return Standing(tone="", word="Closed", sentence="Its history stays here; nothing more is read.")
    if trouble is not None:
        return Standing(tone="warn", word="No answer", sentence=trouble.sentence)
    until = quiet_until(connection, now)
    if until > now:
        text = f"{connection.known.label} asked for a pause until {until:%Y-%m-%d %H:%M:%S} UTC."
        return Standing(tone="warn", word="Asked to wait", sentence=text)
    if connection.synced_at is None:
        return Standing(tone="busy", word="Waiting for its first sync", is_busy=True)
    if now - connection.synced_at > timedelta(seconds=3 * settings.SYNC_EVERY_SECONDS):
        return Standing(tone="warn", word="Late", sentence=connection.reason)
    return Standing(tone="good", word="Fresh")


def standings(
    connections: list[Connection],
    now: datetime,
    verdicts: Mapping[int, Verdict | None] = NOT_TOLD,
    troubles: Mapping[str, Trouble] = ALL_WELL,
) -> list[Standings]:
    """All of them, those that need the user first, with the gravest verdict of each."""
    found = [
        Standings(
            connection=c, standing=standing(c, now, troubles.get(c.exchange)), verdict=verdicts.get(c.pk)
        )
        for c in connections
    ]
    return sorted(found, key=lambda each: each.standing.tone != "bad")
