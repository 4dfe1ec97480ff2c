"""Planted bugs: each patches one function of the pipeline, and some seed must catch it. None is in the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from types import SimpleNamespace
from typing import Any
from unittest import mock

from accounts.keys import open_key
from accounts.models import Connection, ConnectionQuerySet
from accounts.sealing import SealError
from exchanges import wire
from exchanges.btse import fetch as btse_fetch
from exchanges.btse import normalise as btse_normalise
from exchanges.btse import walk as btse_walk
from exchanges.btse.windows import Server, millis
from exchanges.errors import Hostile
from exchanges.records import Role
from exchanges.tether import normalise as tether_normalise
from exchanges.tether import walk as tether_walk
from exchanges.tether.known import Known
from exchanges.tether.sheets import EMPTY, Sheet
from exchanges.tokens_net import trades as tokens_trades
from exchanges.transport import Transport
from portfolio.models import Raw, Verdict
from portfolio.proofs import update as proofs_update
from portfolio.proofs.verdicts import Judgement
from portfolio.sync import ending, ledger, schedule, turn
from portfolio.sync import store as storing
from portfolio.sync.balances import Chain
from portfolio.sync.hold import Hold
from portfolio.sync.outcome import next_sync
from portfolio.sync.reading import NEVER
from portfolio.sync.store import Store

Patch = AbstractContextManager[object]
NO_TIME = timedelta(0)


def planted(name: str) -> Patch:
    """The context in which the bug is there; nothing for an empty name."""
    return BUGS[name]() if name else nullcontext()


def _instead(owner: object, name: str, bad: object) -> Callable[[], Patch]:
    """A bug that is one attribute with another value."""
    return lambda: mock.patch.object(owner, name, bad)


@contextmanager
def _together(*patches: Patch) -> Iterator[None]:
    first, *rest = patches
    with first:
        if rest:
            with _together(*rest):
                yield
        else:
            yield


def _float_amounts() -> Patch:
    exact = wire.amount
    return mock.patch.object(wire, "amount", lambda value: Decimal(repr(float(exact(value)))))


def _twenty_eight_digits() -> Patch:
    return _together(
        mock.patch.object(btse_normalise, "_WIDE", Context(prec=28)),
        mock.patch("exchanges.tether.normalise._postings", _rounding_postings()),
    )


def _rounding_postings() -> Callable[..., Any]:
    exact = tether_normalise._postings  # noqa: SLF001
    return lambda asset, net, fee: exact(asset, +net, fee)


def _nonce_from_clock() -> Patch:
    return mock.patch.object(Connection, "draw_nonce", lambda self, floor: floor)


def _nonce_in_memory() -> Patch:
    def draw(self: Connection, floor: int) -> int:
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


def _twins_are_one() -> Patch:
    honest = Store._arrivals  # noqa: SLF001

    def arrivals(self: Store, stream: str, raws: Any, count: Any) -> Iterator[Any]:
        seen: set[object] = set()
        for one in honest(self, stream, raws, count):
            row = wire.fields(wire.parse(one.said.body))
            what = tuple(
                str(row.get(name))
                for name in ("timestamp", "created_at", "datetime", "amount", "currency", "size")
            )
            if what not in seen:
                seen.add(what)
                yield one

    return mock.patch.object(Store, "_arrivals", arrivals)


def _insert_or_ignore() -> Patch:
    honest = ledger.put

    def put(connection: Any, winners: Any, standing: Mapping[Any, int]) -> None:
        fresh = [one for one in winners if one.key not in standing]
        if fresh:
            honest(connection, fresh, {})

    return mock.patch.object(ledger, "put", put)


def _first_page_only() -> Patch:
    honest = tether_walk.Walk._numbered  # noqa: SLF001
    return _together(
        mock.patch.object(
            tether_walk.Walk,
            "_numbered",
            lambda self, page: honest(self, page) if page < 2 else EMPTY,
        ),
        mock.patch.object(tokens_trades.Trades, "_is_last", lambda self, sheet, page: True),
    )


def _stop_at_first_known() -> Patch:
    return _together(
        mock.patch.object(Sheet, "reaches", lambda self, threshold: True),
        mock.patch.object(tokens_trades, "OVERLAP", -timedelta(days=400)),
        mock.patch.object(btse_walk, "OVERLAP", 0),
    )


def _no_overlap() -> Patch:
    return _together(
        mock.patch.object(btse_walk, "OVERLAP", 0),
        mock.patch.object(tether_walk, "OVERLAP", NO_TIME),
        mock.patch.object(tokens_trades, "OVERLAP", NO_TIME),
    )


def _cursor_first() -> Patch:
    honest = Store.put

    def put(self: Store, page: Any, progress: Any, *, full_began: bool = False) -> Any:
        self._move(page, full_began=full_began)
        return honest(self, page, progress, full_began=full_began)

    return mock.patch.object(Store, "put", put)


def _no_transaction() -> Patch:
    return mock.patch.object(storing, "transaction", SimpleNamespace(atomic=nullcontext))


def _bad_body_is_empty() -> Patch:
    honest = wire.parse

    def parse(body: bytes | str) -> Any:
        try:
            return honest(body)
        except Hostile:
            return []

    return mock.patch.object(wire, "parse", parse)


def _own_clock() -> Patch:
    def now(self: Any) -> int:
        return millis(self._clock.now())

    return mock.patch.object(btse_fetch.BtseConnector, "_exchange_now", now)


def _last_answer_wins() -> Patch:
    honest = ledger._standing  # noqa: SLF001

    def standing(connection: Any, keys: Any) -> Any:
        lowest = (-1, False, NEVER, NEVER, 0)
        return {
            key: ledger._Standing(pk=one.pk, order=lowest, status=one.status, occurred_at=one.occurred_at)  # noqa: SLF001
            for key, one in honest(connection, keys).items()
        }

    return mock.patch.object(ledger, "_standing", standing)


def _bad_row_costs_its_page() -> Patch:
    honest = Store._keep  # noqa: SLF001

    def keep(self: Store, stream: str, raws: Any, count: Any) -> None:
        try:
            for raw in raws:
                self._reader.read(raw)
        except ValueError:
            return
        honest(self, stream, raws, count)

    return mock.patch.object(Store, "_keep", keep)


def _lease_for_ever() -> Patch:
    return mock.patch.object(
        ConnectionQuerySet, "free", lambda self, now: self.filter(lease_until__isnull=True)
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
    return _together(
        mock.patch.object(Hold, "keep", lambda self: None),
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


def _silence_is_not_zero() -> Patch:
    honest = Chain.take

    def take(self: Chain, connection: Any, seen: Any) -> None:
        with mock.patch("portfolio.sync.balances.EVERYTHING", "never"):
            honest(self, connection, seen)

    return mock.patch.object(Chain, "take", take)


def _everything_is_proved() -> Patch:
    proved = Judgement(verdict=Verdict.PROVED)
    return mock.patch.object(proofs_update, "judged", lambda *a: proved)


def _message_trusted() -> Patch:
    never = datetime(2090, 1, 1, tzinfo=UTC) - datetime(2026, 8, 13, tzinfo=UTC)
    return mock.patch.object(schedule, "CLAIM", never)


def _forgets_whose() -> Patch:
    honest = Store._arrivals  # noqa: SLF001

    def arrivals(self: Store, stream: str, raws: Any, count: Any) -> Iterator[Any]:
        known = Raw.objects.filter(stream=stream).exclude(connection=self.connection)
        others = set(known.values_list("source_id", flat=True))
        return honest(self, stream, [raw for raw in raws if raw.source_id not in others], count)

    return mock.patch.object(Store, "_arrivals", arrivals)


def _fee_forgotten() -> Patch:
    honest = btse_normalise._postings  # noqa: SLF001

    def postings(*parts: Any) -> Any:
        return honest(*(part for part in parts if part[2] is not Role.FEE))

    return mock.patch.object(btse_normalise, "_postings", postings)


def _open_rows_dropped() -> Patch:
    return mock.patch.object(Store, "open_rows", lambda self, stream: ())


def _failure_stops_for_ever() -> Patch:
    honest = next_sync

    def later(outcome: Any, now: datetime, *rest: Any) -> datetime:
        return now + timedelta(days=9999) if outcome.error else honest(outcome, now, *rest)

    return mock.patch.object(ending, "next_sync", later)


BUGS: dict[str, Callable[[], Patch]] = {
    "float amounts": _float_amounts,
    "amounts of 28 digits": _twenty_eight_digits,
    "ids unique without the tenant": _forgets_whose,
    "nonce from the clock": _nonce_from_clock,
    "nonce in memory": _nonce_in_memory,
    "the same nonce when tried again": _same_nonce_again,
    "rows alike are taken for one": _twins_are_one,
    "insert or ignore": _insert_or_ignore,
    "the last answer wins": _last_answer_wins,
    "a full page taken for everything": _instead(Server, "limit", 10**9),
    "first page only": _first_page_only,
    "stop at the first known row": _stop_at_first_known,
    "no overlap": _no_overlap,
    "open rows not read again": _open_rows_dropped,
    "cursor before the rows": _cursor_first,
    "no transaction around a page": _no_transaction,
    "a bad body is an empty page": _bad_body_is_empty,
    "window ends at our own clock": _own_clock,
    "no full walk": _instead(turn.Turn, "_wave_is_due", lambda self: False),
    "bad rows are dropped": _instead(Store, "_quarantine", lambda self, rows, count: None),
    "a bad row costs its page": _bad_row_costs_its_page,
    "a lease never ends": _lease_for_ever,
    "dead workers stay": _dead_workers_stay,
    "the lease is not looked at": _lease_not_checked,
    "a message is trusted to arrive": _message_trusted,
    "a failure stops for ever": _failure_stops_for_ever,
    "a sealed key opens in any row": _key_opens_anywhere,
    "the secret in a log line": _secret_in_log,
    "silence is not zero": _silence_is_not_zero,
    "everything is called proved": _everything_is_proved,
    "fees are forgotten": _fee_forgotten,
    "the front list is believed whole": _instead(Known, "is_told_by", lambda self, front, threshold: True),
}
"""Name -> how to plant it."""
