"""How the wallet's history is read: windows of time, walked back to the account's beginning.

https://btsecom.github.io/docs/wallet/en/#query-wallet-history
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from exchanges import wire
from exchanges.btse import paths
from exchanges.btse.rows import Reader, Rows
from exchanges.btse.walk import Walk
from exchanges.btse.windows import COUNT, Ask, Server, bounds, millis
from exchanges.connector import JSONValue, Page, Progress, Span
from exchanges.errors import BadRequest
from exchanges.records import Unreadable
from exchanges.transport import Transport

HISTORY = "wallet_history"
CROWDED = "more rows at one millisecond than BTSE lists: some of them cannot be read"


def read_history(signed: Transport, progress: Progress, now: int) -> Iterator[Page]:
    """A page for each window asked; `now` is the exchange's own time in milliseconds."""
    server = Server.load(progress.cursor.get("server"))
    walk = Walk.load(progress.cursor.get("walk"), server, held=bool(progress.assets))
    open_times = (millis(row.occurred_at) for row in progress.open_rows)
    walk.plan(now, open_times, full=progress.full, again=bounds(progress.span))
    reader = Reader(HISTORY, ("orderId",))
    while (ask := walk.next()) is not None:
        rows, covered = step(signed, paths.HISTORY, {}, walk, ask, reader)
        if walk.is_tied(ask):
            press(signed, ask, rows, reader, progress.assets)
            covered = walk.skip(ask)
        yield Page(
            stream=HISTORY,
            raws=tuple(rows.raws),
            unreadable=tuple(rows.unreadable),
            cursor=_cursor(server, walk),
            covered=covered,
            sent=rows.sent,
        )


def step(
    signed: Transport, path: str, query: Mapping[str, str], walk: Walk, ask: Ask, reader: Reader
) -> tuple[Rows, tuple[Span, ...]]:
    """Ask one window; nothing comes where its length is refused and it will be asked in another way."""
    window = {"startTime": str(ask.start), "endTime": str(ask.end), "count": str(COUNT)}
    try:
        answer = signed.get(path, {**query, **window})
    except BadRequest:
        if walk.refused(ask):
            return Rows(), ()
        raise
    rows = reader.read(answer.value)
    return rows, walk.take(ask, rows.times, rows.sent, rows.distinct)


def press(signed: Transport, ask: Ask, rows: Rows, reader: Reader, assets: Iterable[str]) -> None:
    """One millisecond holds more rows than an answer can: ask it once more for each currency."""
    said = (wire.fields(wire.parse(raw.body)).get("currency") for raw in rows.raws)
    named = (one for one in said if isinstance(one, str) and 0 < len(one) <= 32 and one.isprintable())
    window = {"startTime": str(ask.low - 1), "endTime": str(ask.high + 1), "count": str(COUNT)}
    for currency in sorted({*assets, *named}):
        more = reader.read(signed.get(paths.HISTORY, {**window, "currency": currency}).value)
        rows.raws += more.raws
        rows.unreadable += more.unreadable
        rows.sent += more.sent
        if more.sent >= COUNT:
            rows.unreadable.append(crowded(HISTORY, ask, currency))


def crowded(stream: str, ask: Ask, what: str) -> Unreadable:
    """The note that a millisecond could not be read whole."""
    return wire.unreadable(stream, {"about": what, "timestamp": str(ask.low)}, CROWDED)


def _cursor(server: Server, walk: Walk) -> dict[str, JSONValue]:
    cursor: dict[str, JSONValue] = {"server": server.dump(), "walk": walk.dump()}
    if walk.assumed is not None:
        cursor["assumed_beginning"] = (wire.EPOCH + timedelta(milliseconds=walk.assumed)).isoformat()
    return cursor
