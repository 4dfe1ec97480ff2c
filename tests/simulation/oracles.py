"""What must hold at every moment, whatever went wrong; and what must hold in the end. Each says what it saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps

from accounts.models import Connection
from exchanges.sandbox.web import Asked
from portfolio.models import (
    BalanceSnapshot,
    Coverage,
    Posting,
    Proof,
    Quarantine,
    Raw,
    RunState,
    Transaction,
    Verdict,
)
from portfolio.sync import SyncResult
from portfolio.sync.turn import BY_ITSELF
from tests.simulation.lives import Life, Said, added

RawKey = tuple[str, str, str]
LONGEST_SLEEP = timedelta(days=1)
"""The longest wait there is is that for a closed exchange, six hours; our clock may have jumped by four."""


class Violation(BaseException):
    """An oracle has spoken; no `except Exception` of the product may silence it."""


def stored(connection_id: int) -> dict[tuple[str, str], Said]:
    """The ledger as the store has it."""
    changes: dict[int, list[tuple[str, Decimal]]] = defaultdict(list)
    rows = Posting.objects.filter(connection=connection_id).values_list("transaction", "asset", "amount")
    for transaction, asset, amount in rows:
        changes[transaction].append((asset, amount))
    found: dict[tuple[str, str], Said] = {}
    fields = ("pk", "stream", "external_id", "kind", "status", "occurred_at")
    for pk, stream, external_id, kind, status, at in Transaction.objects.filter(
        connection=connection_id
    ).values_list(*fields):
        if (stream, external_id) in found:
            raise Violation(f"(b) {external_id} stands twice")
        found[stream, external_id] = Said(
            stream, external_id, kind, status, at, added({}, tuple(changes[pk]))
        )
    return found


def is_said(store: Mapping[tuple[str, str], Said], truth: Mapping[tuple[str, str], Said]) -> None:
    """(a) Whatever is stored was said by the exchange, exactly; a status may only be behind."""
    for key, row in store.items():
        real = truth.get(key)
        if real is None:
            raise Violation(f"(a) {key} was never said")
        behind = row.status == "pending"
        same = (row.kind, row.occurred_at, row.changes) == (real.kind, real.occurred_at, real.changes)
        if not same or not (behind or row.status == real.status):
            raise Violation(f"(a) stored {row}, said {real}")


class Memory:
    """(b) What was stored stays: remembers it from step to step."""

    def __init__(self) -> None:
        self._raws: set[RawKey] = set()
        self._final: dict[tuple[str, str], str] = {}
        self._ranks: dict[tuple[str, str], int] = {}
        """How much the record knew by which each transaction is told."""

    def look(self, connection_id: int, store: Mapping[tuple[str, str], Said]) -> None:
        """Compare with the last look."""
        raws = Raw.objects.filter(connection=connection_id).values_list("stream", "source_id", "digest")
        now: set[RawKey] = set(raws)
        if gone := self._raws - now:
            raise Violation(f"(b) vanished: {sorted(gone)[:3]}")
        for key, status in self._final.items():
            if key not in store or store[key].status != status:
                raise Violation(f"(b) {key} was {status} and is {store.get(key)}")
        rows = Transaction.objects.filter(connection=connection_id)
        ranks = {
            (stream, key): rank for stream, key, rank in rows.values_list("stream", "external_id", "rank")
        }
        if worse := [key for key in ranks if ranks[key] < self._ranks.get(key, ranks[key])]:
            raise Violation(f"(b) told by a record that knows less than the one before: {sorted(worse)[:5]}")
        self._raws, self._ranks = now, ranks
        self._final = {key: row.status for key, row in store.items() if row.status != "pending"}
        missing = store.keys() - {(stream, key) for stream, key in store if store[stream, key].external_id}
        if missing:
            raise Violation(f"(b) without an id: {missing}")


class Calls:
    """(c) No nonce twice, none out of order; (e) nothing but GET. Looks at what was asked since the last look."""

    def __init__(self) -> None:
        self._seen = 0
        self._last: dict[str, int] = {}
        self._used: set[tuple[str, str]] = set()

    def look(self, log: list[Asked], excused: Set[str]) -> None:
        """Out of order may only be what a worker sent that was frozen between signing and sending."""
        for call in log[self._seen :]:
            if call.method != "GET":
                raise Violation(f"(e) {call}")
            if call.nonce:
                self._nonce(call, excused)
        self._seen = len(log)

    def _nonce(self, call: Asked, excused: Set[str]) -> None:
        last, number = self._last.get(call.key, 0), int(call.nonce)
        if (call.key, call.nonce) in self._used:
            raise Violation(f"(c) nonce {call.nonce} twice at {call.path}")
        if number < last and call.nonce not in excused:
            raise Violation(f"(c) nonce {call.nonce} after {last} at {call.path}")
        self._used.add((call.key, call.nonce))
        self._last[call.key] = max(last, number)


def nothing_of(other: Life, connection_id: int) -> None:
    """(d) No row of another tenant."""
    for model in (Raw, Quarantine):
        if model.objects.filter(connection=connection_id, body__contains=other.mark).exists():
            raise Violation(f"(d) a row {other.mark} in {model.__name__} of connection {connection_id}")


def all_kept(connection_id: int, sent: set[str], nameless: int) -> None:
    """(f) Every row that was sent is stored or in quarantine."""
    mine = {"connection": connection_id}
    kept = set(Raw.objects.filter(**mine).values_list("source_id", flat=True))
    aside = list(Quarantine.objects.filter(**mine).values_list("source_id", flat=True))
    if lost := sent - kept - set(aside):
        raise Violation(f"(f) sent, neither stored nor in quarantine: {sorted(lost)[:5]}")
    if nameless and "" not in aside:
        raise Violation(f"(f) {nameless} rows without an id were sent and none is in quarantine")


class Prompt:
    """(j) After two whole turns nothing is missing that was listed before the second began; an honest exchange only.

    What is listed late may wait for up to an hour: so often a busy account's overlap is read to its end, by a clock
    that was two hours off at most.
    """

    LATE = timedelta(hours=4)
    BARELY = timedelta(seconds=5)
    """The clocks of the two sides agree to a second or two."""

    def __init__(self) -> None:
        self._noticed: dict[tuple[str, str], datetime] = {}
        """From when on a row must be found by whoever reads."""
        self._began: datetime | None = None
        self._was_whole = False

    def begins(self, life: Life, now: datetime) -> None:
        """A turn begins."""
        for key, at in life.listed(now).items():
            in_time = self._began is not None and at >= self._began
            self._noticed.setdefault(key, at + self.BARELY if in_time else now + self.LATE)
        self._began = now

    def ends(self, connection_id: int, *, is_whole: bool) -> None:
        """It has ended; not a whole one is that which failed, or was told something untrue."""
        if is_whole and self._was_whole:
            rows = Transaction.objects.filter(connection=connection_id)
            missing = self._noticed.keys() - set(rows.values_list("stream", "external_id"))
            if late := [key for key in missing if self._began and self._noticed[key] <= self._began]:
                raise Violation(f"(j) listed before a whole turn and not read by it: {sorted(late)[:5]}")
        self._was_whole = is_whole


class Walks:
    """(k) A walk over everything that is under way is gone on with, not begun from the top again."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[datetime | None, datetime | None]] = {}
        self._under_way: set[str] = set()

    def look(self, connection_id: int) -> None:
        """Compare with the last look."""
        rows = Coverage.objects.filter(connection=connection_id)
        for stream, began, complete in rows.values_list("stream", "full_began_at", "complete_at"):
            before = self._seen.get(stream, (None, None))
            if complete != before[1]:
                self._under_way.discard(stream)
            elif began != before[0]:
                if stream in self._under_way:
                    raise Violation(f"(k) the walk over {stream} of {before[0]} was begun again at {began}")
                self._under_way.add(stream)
            self._seen[stream] = began, complete

    def wanted(self) -> None:
        """Somebody else wishes another walk."""
        self._under_way.clear()


def is_as_told(done: SyncResult) -> None:
    """(l) A turn that is called whole has read every list to its end."""
    if done.state is RunState.OK:
        for one in done.streams:
            if one.state is not RunState.OK:
                raise Violation(f"(l) called whole, but {one.stream} is {one.state}")


def none_is_forgotten(now: datetime) -> None:
    """(m) Whatever is read without being asked for is due within a day, though messages are lost and calls fail."""
    rows = Connection.objects.filter(state__in=BY_ITSELF).exclude(sealed_secret="")
    late = rows.filter(next_sync_at__gt=now + LONGEST_SLEEP).values_list("pk", "next_sync_at")
    if late:
        raise Violation(f"(m) not read again before {dict(late)}")


def difference(connection_id: int, life: Life) -> str:
    """(g) What the store says other than the exchange, in a line; empty when they are equal in all fields."""
    store, truth = stored(connection_id), life.said(life.world.now())
    if store != truth:
        missing = sorted(truth.keys() - store.keys())
        more = sorted(store.keys() - truth.keys())
        other = [(store[key], truth[key]) for key in store.keys() & truth.keys() if store[key] != truth[key]]
        return f"missing {missing[:5]} ({len(missing)}), too many {more[:5]}, different {other[:2]}"
    held = held_of(connection_id)
    return "" if held == life.totals() else f"held {held}, truly {life.totals()}"


def held_of(connection_id: int) -> dict[str, Decimal]:
    """What the newest snapshots say."""
    newest: dict[str, Decimal] = {}
    for row in BalanceSnapshot.objects.filter(connection=connection_id).order_by("first_seen", "pk"):
        newest[row.asset] = row.total
    return {asset: total for asset, total in newest.items() if total}


def sums(connection_id: int) -> dict[str, Decimal]:
    """What the ledger comes to."""
    counted = Posting.objects.filter(connection=connection_id, counts=True).values_list("asset", "amount")
    return dict(added({}, tuple(counted)))


def ledger_equals_balance(connection_id: int) -> None:
    """(h) The postings of completed transactions sum to what is held."""
    total, held = sums(connection_id), held_of(connection_id)
    if total != held:
        raise Violation(f"(h) the ledger sums to {total}, held is {held}")


def gap_is_shown(connection: Connection) -> None:
    """A balance that the ledger does not explain may not be called proved."""
    total, held = sums(connection.pk), held_of(connection.pk)
    for asset in total.keys() | held.keys():
        if total.get(asset, 0) == held.get(asset, 0):
            continue
        verdicts = set(
            Proof.objects.filter(connection=connection, asset=asset).values_list("verdict", flat=True)
        )
        if not verdicts - {Verdict.PROVED, Verdict.ASSUMED}:
            raise Violation(
                f"{asset}: {total.get(asset, 0)} in the ledger, {held.get(asset, 0)} held, called {verdicts}"
            )


def no_secret(secrets: list[str], logged: list[str]) -> None:
    """(i) No secret in any text of the database or of the logs."""
    places: dict[str, Any] = {"the logs": "\n".join(logged)}
    for model in (
        *apps.get_app_config("accounts").get_models(),
        *apps.get_app_config("portfolio").get_models(),
    ):
        places[model.__name__] = str(list(model._default_manager.values_list()))  # noqa: SLF001
    for secret in secrets:
        for place, text in places.items():
            if secret in text:
                raise Violation(f"(i) a secret in {place}")
