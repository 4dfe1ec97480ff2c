"""Planted bugs of keeping: what is written, over what, in which transaction, and what is said to be proved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest import mock

from exchanges import wire
from exchanges.connector import Page
from portfolio import proofs
from portfolio.models import Raw, Transaction, Verdict
from portfolio.proofs.verdicts import Judgement
from portfolio.sync import ledger
from portfolio.sync import store as storing
from portfolio.sync.balances import Chain
from portfolio.sync.reading import NEVER
from portfolio.sync.store import Store
from portfolio.sync.turn import Turn
from tests.simulation.bugs.planting import Bug, Patch, instead, is_lied_to, meets, together
from tests.simulation.plan import Trouble

STOPPED = meets(
    *(Trouble.CRASH_AT_SQL, Trouble.CRASH_AT_CALL, Trouble.BUSY, Trouble.RESTART),
    *(Trouble.FREEZE, Trouble.REMOVE),
)
"""A history in which work stops in the middle."""


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


def _cursor_first() -> Patch:
    honest = Store.put

    def put(self: Store, page: Page, progress: Any, *, full_began: bool = False) -> Any:
        honest(self, replace(page, raws=(), unreadable=()), progress, full_began=full_began)
        self.notes.write()
        return honest(self, page, progress, full_began=full_began)

    return mock.patch.object(Store, "put", put)


def _no_transaction() -> Patch:
    return mock.patch.object(storing, "transaction", SimpleNamespace(atomic=nullcontext))


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

    def keep(self: Store, stream: str, arrived: Any, count: Any) -> None:
        try:
            for one in arrived:
                self._reader.read(one.said)
        except ValueError:
            return
        honest(self, stream, arrived, count)

    return mock.patch.object(Store, "_keep", keep)


def _silence_is_not_zero() -> Patch:
    honest = Chain.take

    def take(self: Chain, connection: Any, seen: Any) -> None:
        with mock.patch("portfolio.sync.balances.EVERYTHING", "never"):
            honest(self, connection, seen)

    return mock.patch.object(Chain, "take", take)


def _everything_is_proved() -> Patch:
    proved = Judgement(verdict=Verdict.PROVED)
    module = import_module("portfolio.proofs.update")  # the package has a function of this name
    return mock.patch.object(module, "judged", lambda *asked: proved)


def _forgets_whose() -> Patch:
    honest = Store._arrivals  # noqa: SLF001

    def arrivals(self: Store, stream: str, raws: Any, count: Any) -> Iterator[Any]:
        known = Raw.objects.filter(stream=stream).exclude(connection=self.connection)
        others = set(known.values_list("source_id", flat=True))
        return honest(self, stream, [raw for raw in raws if raw.source_id not in others], count)

    return mock.patch.object(Store, "_arrivals", arrivals)


def _open_rows_dropped() -> Patch:
    return mock.patch.object(Store, "open_rows", lambda self, stream: ())


def _delete_then_insert() -> Patch:
    honest = ledger.put

    def put(connection: Any, winners: Any, standing: Mapping[Any, int]) -> None:
        Transaction.objects.filter(pk__in=standing.values()).delete()
        honest(connection, winners, {})

    return together(mock.patch.object(ledger, "put", put), _no_transaction())


def _walk_asked_for_again() -> Patch:
    honest = proofs.alarm

    def alarm(connection: Any, now: Any) -> Any:
        connection.full_walk_at = None
        return honest(connection, now)

    return mock.patch.object(proofs, "alarm", alarm)


def _cut_turn_is_whole() -> Patch:
    honest = Turn._outcome  # noqa: SLF001

    def outcome(self: Turn, store: Store, *, in_time: bool) -> Any:
        return honest(self, store, in_time=True)

    return mock.patch.object(Turn, "_outcome", outcome)


KEEPING: dict[str, Bug] = {
    "ids unique without the tenant": Bug(_forgets_whose),
    "rows alike are taken for one": Bug(_twins_are_one),
    "insert or ignore": Bug(_insert_or_ignore),
    "the last answer wins": Bug(_last_answer_wins),
    "open rows not read again": Bug(_open_rows_dropped),
    "cursor before the rows": Bug(_cursor_first, needs=STOPPED),
    "no transaction around a page": Bug(_no_transaction, needs=STOPPED),
    "delete, then insert, without a transaction": Bug(_delete_then_insert),
    "no full walk": Bug(instead(Turn, "_wave_is_due", lambda self: False), needs=is_lied_to),
    "a walk under way is asked for again": Bug(_walk_asked_for_again, needs=is_lied_to),
    "a turn that ran out of time counts as whole": Bug(_cut_turn_is_whole),
    "bad rows are dropped": Bug(
        instead(Store, "_quarantine", lambda self, rows, count: None), needs=meets(Trouble.SPOIL)
    ),
    "a bad row costs its page": Bug(_bad_row_costs_its_page, needs=meets(Trouble.SPOIL)),
    "silence is not zero": Bug(_silence_is_not_zero),
    "everything is called proved": Bug(_everything_is_proved, needs=is_lied_to),
}
