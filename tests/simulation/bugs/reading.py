"""Planted bugs of reading: what is asked for, how far a walk goes, and what an answer is taken to mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Context, Decimal
from typing import Any
from unittest import mock

from exchanges import wire
from exchanges.btse import fetch as btse_fetch
from exchanges.btse import kinds as btse_kinds
from exchanges.btse import normalise as btse_normalise
from exchanges.btse import walk as btse_walk
from exchanges.btse.windows import Server, millis
from exchanges.errors import ExchangeError, Hostile
from exchanges.records import Role, Status
from exchanges.sandbox.faults import Fault
from exchanges.tether import normalise as tether_normalise
from exchanges.tether import walk as tether_walk
from exchanges.tether.known import Known
from exchanges.tether.sheets import EMPTY, Sheet
from exchanges.tokens_net import trades as tokens_trades
from tests.simulation.bugs.planting import Bug, Patch, instead, meets, together
from tests.simulation.plan import Trouble

BTSE, TETHER, TOKENS_NET = ("btse",), ("tether",), ("tokens_net",)
PAGED = ("tether", "tokens_net")
NO_TIME = timedelta(0)


def _float_amounts() -> Patch:
    exact = wire.amount
    return mock.patch.object(wire, "amount", lambda value: Decimal(repr(float(exact(value)))))


def _twenty_eight_digits() -> Patch:
    return together(
        mock.patch.object(btse_normalise, "_WIDE", Context(prec=28)),
        mock.patch("exchanges.tether.normalise._postings", _rounding_postings()),
    )


def _rounding_postings() -> Callable[..., Any]:
    exact = tether_normalise._postings  # noqa: SLF001
    return lambda asset, net, fee: exact(asset, +net, fee)


def _first_page_only() -> Patch:
    honest = tether_walk.Walk._numbered  # noqa: SLF001
    return together(
        mock.patch.object(
            tether_walk.Walk,
            "_numbered",
            lambda self, page: honest(self, page) if page < 2 else EMPTY,
        ),
        mock.patch.object(tokens_trades.Trades, "_is_last", lambda self, sheet, page: True),
    )


def _stop_at_first_known() -> Patch:
    return together(
        mock.patch.object(Sheet, "reaches", lambda self, threshold: True),
        mock.patch.object(tokens_trades, "OVERLAP", -timedelta(days=400)),
        mock.patch.object(btse_walk, "OVERLAP", 0),
    )


def _no_overlap() -> Patch:
    return together(
        mock.patch.object(btse_walk, "OVERLAP", 0),
        mock.patch.object(tether_walk, "OVERLAP", NO_TIME),
        mock.patch.object(tokens_trades, "OVERLAP", NO_TIME),
    )


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


def _fee_forgotten() -> Patch:
    honest = btse_normalise._postings  # noqa: SLF001

    def postings(*parts: Any) -> Any:
        return honest(*(part for part in parts if part[2] is not Role.FEE))

    return mock.patch.object(btse_normalise, "_postings", postings)


def _open_is_completed() -> Patch:
    early = dict.fromkeys(("pending", "processing", "1"), Status.COMPLETED)
    return mock.patch.dict(btse_kinds._STATUSES, early)  # noqa: SLF001


def _fee_twice() -> Patch:
    honest = btse_normalise._postings  # noqa: SLF001

    def postings(*parts: Any) -> Any:
        return honest(*parts, *(part for part in parts if part[2] is Role.FEE))

    return mock.patch.object(btse_normalise, "_postings", postings)


def _underscores() -> Patch:
    exact = wire.amount

    def amount(value: object) -> Decimal:
        return Decimal(value) if isinstance(value, str) and "_" in value else exact(value)

    return mock.patch.object(wire, "amount", amount)


def _error_is_empty() -> Patch:
    honest = tether_walk.Walk._numbered  # noqa: SLF001

    def numbered(self: tether_walk.Walk, page: int) -> Sheet:
        try:
            return honest(self, page)
        except ExchangeError:
            return EMPTY

    return mock.patch.object(tether_walk.Walk, "_numbered", numbered)


def _twice_sent_is_longer() -> Patch:
    honest = btse_walk.Walk.take

    def take(self: btse_walk.Walk, ask: Any, times: Sequence[int], total: int, distinct: int) -> Any:
        return honest(self, ask, times, total)

    return mock.patch.object(btse_walk.Walk, "take", take)


READING: dict[str, Bug] = {
    "float amounts": Bug(_float_amounts),
    "amounts of 28 digits": Bug(_twenty_eight_digits, BTSE + TETHER),
    "1_000 is an amount": Bug(_underscores, needs=meets(Trouble.SPOIL)),
    "fees are forgotten": Bug(_fee_forgotten, BTSE),
    "fees are counted twice": Bug(_fee_twice, BTSE),
    "open rows count as completed": Bug(_open_is_completed, BTSE),
    "a full page taken for everything": Bug(instead(Server, "limit", 10**9), BTSE),
    "rows sent twice make an answer longer": Bug(_twice_sent_is_longer, BTSE, meets(Fault.DUPLICATE_ROWS)),
    "first page only": Bug(_first_page_only, PAGED),
    "stop at the first known row": Bug(_stop_at_first_known),
    "no overlap": Bug(_no_overlap),
    "a rising list has no overlap": Bug(
        instead(tether_walk.Walk, "_pages_before", lambda *asked: iter(())),
        TETHER,
        lambda plan: plan.switches["order"] == "asc",
    ),
    "the front list is believed whole": Bug(
        instead(Known, "is_told_by", lambda self, front, threshold: True), TETHER
    ),
    "page 0 is given up at once": Bug(
        instead(tether_walk, "REFUSALS", 1), TETHER, lambda plan: plan.switches["first_page"] == 0
    ),
    "a bad body is an empty page": Bug(_bad_body_is_empty),
    "an error is an empty page": Bug(_error_is_empty, TETHER),
    "window ends at our own clock": Bug(_own_clock, BTSE),
}
