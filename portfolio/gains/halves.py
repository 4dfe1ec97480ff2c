"""Puts exchanges together that are told as two rows: one asset out, another one in, at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from portfolio.gains.records import Row

TOGETHER = timedelta(minutes=2)


class Halves:
    """Holds one-sided rows for a moment, until their other half comes."""

    def __init__(self) -> None:
        self._waiting: list[Row] = []

    def add(self, row: Row) -> Iterator[Row]:
        """The rows that are complete now, or have waited long enough."""
        yield from self._expired(row)
        if _sign(row) is None:
            yield row
            return
        other = self._other(row)
        if other is None:
            self._waiting.append(row)
        else:
            self._waiting.remove(other)
            yield replace(row, source=other.source, legs=(*other.legs, *row.legs))

    @property
    def waiting_since(self) -> datetime | None:
        """When the first that waits was; None where none does."""
        return self._waiting[0].at if self._waiting else None

    def rest(self) -> Iterator[Row]:
        """Those whose other half never came."""
        yield from self._waiting
        self._waiting = []

    def _expired(self, row: Row) -> Iterator[Row]:
        while self._waiting and self._waiting[0].at < row.at - TOGETHER:
            yield self._waiting.pop(0)

    def _other(self, row: Row) -> Row | None:
        fits = [
            other
            for other in self._waiting
            if other.account == row.account
            and other.kind == row.kind
            and _sign(other) != _sign(row)
            and not _assets(other) & _assets(row)
        ]
        return max(fits, key=lambda other: (other.external_id == row.external_id, other.at), default=None)


def _sign(row: Row) -> int | None:
    """+1 where all of it came in, −1 where all went out, None where it has both sides."""
    signs = {leg.amount > 0 for leg in row.legs if leg.amount and not leg.is_fee}
    return None if len(signs) != 1 else 1 if signs == {True} else -1


def _assets(row: Row) -> set[str]:
    return {leg.asset for leg in row.legs if not leg.is_fee}
