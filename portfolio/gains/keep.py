"""Keeps what a run finds as rows of a report: plain rows, because a history has many and objects cost more than sums."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import transaction

from portfolio.gains.chapters import Changed, Sold, State
from portfolio.gains.records import Income, Line, Problem
from portfolio.gains.resume import amounts_as_json, state_as_json
from portfolio.gains.totals import Held as HeldAsset
from portfolio.gains.totals import KeptLot, Total
from portfolio.gains.years import Held, dated
from portfolio.lots import Key, Part, Term
from portfolio.lots.exact import ranked
from portfolio.models import (
    GainDisposal,
    GainHolding,
    GainLot,
    GainProblem,
    GainsChapter,
    GainsReport,
    GainTotal,
)
from portfolio.models.chunks import ROWS, breathe, insert_plain

OFFSET = 10**40
"""Added to a price before it becomes text, so that the text sorts as the price does, below zero too."""
VERSION = ("serial", "chapter")
COLUMNS: dict[type[Any], tuple[str, ...]] = {
    GainsChapter: ("number", "begins_at", "state"),
    GainDisposal: (
        "chapter", "number", "movement", "year", "asset", "account", "reason", "match", "term", "acquired", "disposed",
        "quantity", "proceeds", "cost", "gain", "is_assumed", "source",
    ),
    GainProblem: ("chapter", "number", "code", "at", "asset", "account", "quantity", "value_usd", "source"),
    GainLot: (
        *VERSION, "until", "number", "tie", "asset", "account", "acquired", "quantity", "cost", "unit", "ranked",
        "is_assumed",
    ),
    GainTotal: (
        *VERSION, "until", "year", "asset", "reason", "count", "quantity", "proceeds", "cost", "gain", "short_gain",
        "long_gain", "undated_gain",
    ),
    GainHolding: (
        *VERSION, "until", "asset", "lots", "quantity", "cost", "assumed", "away", "accounts",
    ),
}  # fmt: skip
UNTIL = 2
"""Where a row of versions keeps the chapter in which it ended."""
KEPT: tuple[type[Any], ...] = tuple(COLUMNS)
VERSIONS: tuple[type[Any], ...] = (GainLot, GainTotal, GainHolding)


class Keeper:
    """A sink that gathers rows; `write` puts those that it has into the store."""

    def __init__(self, chapter: int) -> None:
        self.count = 0
        self._chapter = chapter
        self._rows: dict[type[Any], list[list[Any]]] = {model: [] for model in COLUMNS}
        self._new: dict[int, list[Any]] = {}
        self._ended: dict[type[Any], dict[int, list[int]]] = {model: {} for model in VERSIONS}

    def line(self, number: int, line: Line) -> None:
        """A report keeps what movements came to, not themselves."""

    def earned(self, income: Income) -> None:
        """A report keeps the totals only."""

    def sold(self, sold: Sold) -> None:
        """A row of its own."""
        part = sold.part
        row = [
            self._chapter, sold.number, sold.movement, sold.year, part.asset, part.account, sold.reason.value,
            part.match.value, sold.term.value, sold.acquired, part.disposed, part.quantity, part.proceeds, part.cost,
            part.gain, sold.is_assumed, sold.line.source,
        ]  # fmt: skip
        self._add(GainDisposal, row)

    def problem(self, number: int, problem: Problem) -> None:
        """A row of its own."""
        row = [
            self._chapter, number, problem.code.value, problem.at, problem.asset, problem.account, problem.quantity,
            problem.value, problem.source,
        ]  # fmt: skip
        self._add(GainProblem, row)

    def chapter(self, number: int, changed: Changed, held: Held, following: State | None) -> None:
        """What stands for a while changes once a chapter."""
        for lot in changed.ended:
            self._end(GainLot, lot.serial)
        for key, part, kept in changed.fresh:
            self._version(GainLot, kept.serial, _lot(key, part, kept))
        for (year, asset, reason), (old, total) in changed.totals.items():
            self._end(GainTotal, old)
            self._version(GainTotal, total.serial, [year, asset, reason, *_sums(total)])
        for asset, (old, one) in changed.holdings.items():
            self._end(GainHolding, old)
            where = {account: quantity for account, quantity in held[asset].items() if quantity}
            if one.lots or one.away or where:
                self._version(GainHolding, one.serial, [asset, *_holding(one), amounts_as_json(where)])
            else:
                one.serial = None
        if following:
            self._chapter = following.number
            self._add(GainsChapter, [following.number, following.at, state_as_json(following)])

    def write(self, report: GainsReport, beat: Callable[[], None] | None = None) -> None:
        """Into the store, and forget it here; with `beat` in small transactions, else in the caller's."""
        for model, by_chapter in self._ended.items():
            for until, serials in by_chapter.items():
                for few in _chunks(serials, beat):
                    model.objects.filter(report=report, serial__in=few).update(until=until)
        for model, rows in self._rows.items():
            for chunk in _chunks(rows, beat):
                insert_plain(model, {"report": report.pk}, COLUMNS[model], chunk)
        self._rows = {model: [] for model in COLUMNS}
        self._new = {}
        self._ended = {model: {} for model in VERSIONS}
        self.count = 0

    def _add(self, model: type[Any], row: list[Any]) -> None:
        self._rows[model].append(row)
        self.count += 1

    def _version(self, model: type[Any], serial: int | None, row: list[Any]) -> None:
        if serial is not None:
            self._new[serial] = [serial, self._chapter, None, *row]
            self._add(model, self._new[serial])

    def _end(self, model: type[Any], serial: int | None) -> None:
        if serial in self._new:
            self._new[serial][UNTIL] = self._chapter
        elif serial is not None:
            self._ended[model].setdefault(self._chapter, []).append(serial)
            self.count += 1


def _chunks(rows: Sequence[Any], beat: Callable[[], None] | None) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), ROWS):
        if beat is None:
            yield rows[start : start + ROWS]
            continue
        with transaction.atomic():
            yield rows[start : start + ROWS]
        beat()
        breathe()


def _lot(key: Key, part: Part, kept: KeptLot) -> list[Any]:
    asset, account = key
    return [
        part.number, part.tie, asset, account, dated(part.acquired), part.quantity, part.cost, str(part.unit),
        f"{ranked(part.unit) + OFFSET:.30f}", kept.is_assumed,
    ]  # fmt: skip


def _sums(total: Total) -> list[Any]:
    return [
        total.count, total.quantity, total.proceeds, total.cost, total.gain, total.by_term[Term.SHORT],
        total.by_term[Term.LONG], total.by_term[Term.UNKNOWN],
    ]  # fmt: skip


def _holding(held: HeldAsset) -> list[Any]:
    return [held.lots, held.quantity, held.cost, held.assumed, held.away]
