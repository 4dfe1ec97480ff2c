"""Planted bugs of working: keys and nonces, leases and messages, and how the exchange is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import httpx2

from accounts.keys import open_key
from accounts.models import Connection, ConnectionQuerySet
from accounts.sealing import SealError
from exchanges.sandbox.faults import Fault
from exchanges.transport import Transport
from portfolio.sync import ending, schedule, turn
from portfolio.sync.hold import Hold
from portfolio.sync.keypace import KeyPace
from portfolio.sync.outcome import next_sync
from tests.simulation.bugs.planting import Bug, Patch, meets, together
from tests.simulation.plan import Trouble

NONCES = ("btse", "tokens_net")


def _nonce_from_clock() -> Patch:
    return mock.patch.object(Connection, "draw_nonce", lambda self, floor, holder="": floor)


def _nonce_in_memory() -> Patch:
    def draw(self: Connection, floor: int, holder: str = "") -> int:
        self.nonce = max(self.nonce + 1, floor)
        return self.nonce

    return mock.patch.object(Connection, "draw_nonce", draw)


def _same_nonce_again() -> Patch:
    honest = Transport._try  # noqa: SLF001
    drawn: dict[int, Any] = {}

    def again(self: Any, path: str, query: Any, attempt: int) -> Any:
        sign = self._sign
        if sign is not None:
            if attempt == 1:
                drawn.clear()
            self._sign = lambda path: drawn.setdefault(id(self), None) or drawn.setdefault(0, sign(path))
        try:
            return honest(self, path, query, attempt)
        finally:
            self._sign = sign

    return mock.patch.object(Transport, "_try", again)


def _lease_for_ever() -> Patch:
    return together(
        mock.patch.object(
            ConnectionQuerySet, "free", lambda self, now: self.filter(lease_until__isnull=True)
        ),
        mock.patch.object(schedule, "_release_dead", lambda now: None),
    )


def _not_told_to_wait() -> Patch:
    return together(
        mock.patch.object(Transport, "_pause", lambda *asked: 0.0),
        mock.patch.object(KeyPace, "told", lambda self, seconds: None),
    )


def _dead_workers_stay() -> Patch:
    def claim(now: datetime) -> list[int]:
        due = Connection.objects.filter(lease_owner="", next_sync_at__lte=now).exclude(sealed_secret="")
        return [
            pk
            for pk in due.order_by("pk").values_list("pk", flat=True)
            if due.filter(pk=pk).update(next_sync_at=now + schedule.CLAIM)
        ]

    return mock.patch.object(schedule, "claim_due", claim)


def _lease_not_checked() -> Patch:
    return together(
        mock.patch.object(Hold, "keep", lambda self: None),
        mock.patch.object(ConnectionQuerySet, "held_by", lambda self, owner: self),
        mock.patch.object(Connection, "take_lease", lambda *a: True),
    )


def _key_opens_anywhere() -> Patch:
    honest = open_key

    def opened(connection: Connection) -> Any:
        for other in Connection.objects.all():
            whose = Connection(user=other.user, public_id=other.public_id)
            whose.sealed_key, whose.sealed_secret = connection.sealed_key, connection.sealed_secret
            try:
                return honest(whose)
            except SealError:
                continue
        return honest(connection)

    return mock.patch.object(turn, "open_key", opened)


def _secret_in_log() -> Patch:
    honest = open_key

    def opened(connection: Connection) -> Any:
        found = honest(connection)
        turn.log.debug("opened %s", found.secret)
        return found

    return mock.patch.object(turn, "open_key", opened)


def _message_trusted() -> Patch:
    never = datetime(2090, 1, 1, tzinfo=UTC) - datetime(2026, 8, 13, tzinfo=UTC)
    return mock.patch.object(schedule, "CLAIM", never)


def _failure_stops_for_ever() -> Patch:
    honest = next_sync

    def later(outcome: Any, now: datetime, *rest: Any) -> datetime:
        return now + timedelta(days=9999) if outcome.error else honest(outcome, now, *rest)

    return mock.patch.object(ending, "next_sync", later)


def _redirects_followed() -> Patch:
    honest = httpx2.Client.send

    def send(self: httpx2.Client, request: httpx2.Request, **how: Any) -> httpx2.Response:
        return honest(self, request, **how | {"follow_redirects": True})

    return mock.patch.object(httpx2.Client, "send", send)


def _asks_with_post() -> Patch:
    honest = httpx2.Client.build_request

    def build(self: httpx2.Client, method: str, url: str, **rest: Any) -> httpx2.Request:
        return honest(self, "POST", url, **rest)

    return mock.patch.object(httpx2.Client, "build_request", build)


WORKING: dict[str, Bug] = {
    "nonce from the clock": Bug(_nonce_from_clock, NONCES),
    "nonce in memory": Bug(_nonce_in_memory, NONCES),
    "the same nonce when tried again": Bug(_same_nonce_again, NONCES),
    "asked again at once where told to wait": Bug(_not_told_to_wait, needs=meets(Fault.RATE_LIMITED_SECONDS)),
    "redirects are followed": Bug(_redirects_followed, needs=meets(Fault.REDIRECT)),
    "asked with POST": Bug(_asks_with_post),
    "a lease never ends": Bug(_lease_for_ever),
    "dead workers stay": Bug(_dead_workers_stay),
    "the lease is not looked at": Bug(_lease_not_checked),
    "a message is trusted to arrive": Bug(_message_trusted),
    "a failure stops for ever": Bug(_failure_stops_for_ever),
    "a sealed key opens in any row": Bug(_key_opens_anywhere, needs=meets(Trouble.SWAP)),
    "the secret in a log line": Bug(_secret_in_log),
}
