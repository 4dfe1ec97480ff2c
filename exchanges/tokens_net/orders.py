"""How the orders of Tokens.net are read: every open one is followed by its id until it is final.

Documented are only lists of open orders. An order that was placed and filled between two readings is therefore
never seen here; its trades are, where the exchange answers `trades/all`. The cursor remembers:

- `open`: id -> what remained of each order that is followed; one that has not moved is not asked for again
- `missing`: id -> how often the exchange did not know an order that it had listed; given up after five times
- `history`: a list by pair named an order that was not open, so these lists are worth asking
- `newest`: when the newest order of those lists was made; `walk`: the pair at which an unfinished walk stands
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from exchanges import wire
from exchanges.connector import Clock, JSONValue, Page, Progress
from exchanges.errors import NotOffered
from exchanges.tokens_net.answers import Rows, listed, rows_of, time_of, without_envelope
from exchanges.tokens_net.normalise import ORDERS, is_final
from exchanges.tokens_net.prices import get
from exchanges.transport import Transport

OPEN_PATH = "/private/orders/get/all/"
LISTS = ("openOrders", "orders")
OVERLAP = timedelta(days=3)
PATIENCE = 5

_ID = re.compile(r"[0-9A-Za-z-]{8,64}")


class Orders:
    """One reading of the orders."""

    def __init__(
        self, transport: Transport, clock: Clock, progress: Progress, markets: Sequence[str]
    ) -> None:
        """`markets` are the names of all pairs."""
        self._transport = transport
        self._clock = clock
        self._progress = progress
        self._markets = sorted(markets)
        cursor = progress.cursor
        self._open = _texts(cursor.get("open"))
        self._missing = _texts(cursor.get("missing"))
        self._history = cursor.get("history") is True
        self._newest = _time(cursor.get("newest"))
        walk = cursor.get("walk")
        self._walk: str | None = walk if isinstance(walk, str) and not progress.full else None
        if progress.full or not cursor.get("read"):
            self._walk = self._walk or ""

    def pages(self) -> Iterator[Page]:
        """Open orders, then lists by pair, then each order that has moved, by id."""
        listed_open = self._list(OPEN_PATH)
        waiting = set(self._open) | {row.source_id for row in self._progress.open_rows}
        waiting |= set(self._progress.within)
        moved = {one for one in listed_open.values if self._has_moved(one, listed_open.values[one])}
        followed = sorted(one for one in moved | (waiting - listed_open.values.keys()) if _ID.fullmatch(one))
        for source_id in followed:
            self._open.setdefault(source_id, "")
        yield self._page(listed_open, without=set(followed))
        for source_id in followed:
            yield from self._follow(source_id, listed_open)
        yield from self._by_pair(listed_open)
        self._walk = None
        yield Page(stream=ORDERS, cursor=self._cursor())

    def _has_moved(self, source_id: str, row: Mapping[str, wire.Value]) -> bool:
        """Whether an order traded since it was last asked for; a new one that is still whole has no trades."""
        remaining = wire.word(row.get("remainingAmount"))
        if source_id in self._open:
            return not remaining or remaining != self._open[source_id]
        whole = bool(remaining) and remaining == wire.word(row.get("amount"))
        if whole:
            self._open[source_id] = remaining
        return not whole

    def _follow(self, source_id: str, listing: Rows) -> Iterator[Page]:
        """One order by its id, with its trades; kept in mind until it is final.

        Where it cannot be asked for, or something else is answered, its row in the list is kept.
        """
        as_listed = _only(listing, source_id)
        if not _ID.fullmatch(source_id):
            yield self._page(as_listed)
            return
        try:
            row = _order(get(self._transport, f"/private/orders/get/{source_id}/").value)
        except NotOffered:
            self._count_missing(source_id)
            yield self._page(as_listed)
            return
        found = rows_of(ORDERS, [row])
        if source_id not in found.values:
            yield self._page(as_listed)
        if is_final(row):
            self._open.pop(source_id, None)
        else:
            self._open[source_id] = wire.word(row.get("remainingAmount"))
        self._missing.pop(source_id, None)
        yield self._page(found)

    def _count_missing(self, source_id: str) -> None:
        times = int(self._missing.get(source_id, "0")) + 1
        self._missing[source_id] = str(times)
        if times >= PATIENCE:
            self._open.pop(source_id, None)
            self._missing.pop(source_id)
        else:
            self._open.setdefault(source_id, "")

    def _by_pair(self, listed_open: Rows) -> Iterator[Page]:
        """The lists by pair: all of them in a full walk, later only if they tell more than the open orders."""
        walking, since = self._walk is not None, self._newest
        if not walking and not self._history:
            return
        for name in self._markets:
            if walking and name <= (self._walk or ""):
                continue
            try:
                found = self._list(f"/private/orders/get/{name}/")
            except NotOffered:
                found = rows_of(ORDERS, [])
            others = {one: row for one, row in found.values.items() if one not in listed_open.values}
            for source_id, row in others.items():
                made = time_of(row, "created")
                if "trades" in row and is_final(row):
                    yield self._page(rows_of(ORDERS, [dict(row)]))
                elif walking or since is None or made is None or made >= since - OVERLAP:
                    yield from self._follow(source_id, found)
                self._history = True
                self._newest = max(self._newest or made, made) if made else self._newest
            if walking:
                self._walk = name
            yield Page(stream=ORDERS, unreadable=found.unreadable, cursor=self._cursor(), sent=found.sent)

    def _list(self, path: str) -> Rows:
        return rows_of(ORDERS, listed(get(self._transport, path).value, *LISTS))

    def _page(self, rows: Rows, without: AbstractSet[str] = frozenset()) -> Page:
        return Page(
            stream=ORDERS,
            raws=tuple(raw for raw in rows.raws if raw.source_id not in without),
            unreadable=rows.unreadable,
            cursor=self._cursor(),
            sent=rows.sent,
        )

    def _cursor(self) -> dict[str, JSONValue]:
        return {
            "open": dict(self._open),
            "missing": dict(self._missing),
            "history": self._history,
            "newest": self._newest.isoformat() if self._newest else None,
            "walk": self._walk,
            "read": True,
        }


def _only(listing: Rows, source_id: str) -> Rows:
    """One row of a list, if it is there."""
    return rows_of(ORDERS, [dict(listing.values[source_id])] if source_id in listing.values else [])


def _order(value: wire.Value) -> dict[str, wire.Value]:
    """One order: bare beside the envelope, or the only object inside."""
    row = without_envelope(value)
    inside = [one for one in row.values() if isinstance(one, dict)]
    return inside[0] if "id" not in row and len(inside) == 1 else row


def _texts(value: JSONValue) -> dict[str, str]:
    return (
        {name: one for name, one in value.items() if isinstance(one, str)} if isinstance(value, dict) else {}
    )


def _time(value: JSONValue) -> datetime | None:
    return time_of({"": value}, "") if isinstance(value, str) else None
