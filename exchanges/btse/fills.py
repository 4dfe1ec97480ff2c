"""How fills are read: per market and window of time, for the markets between assets that were held.

Neither the endpoint nor the list of markets is in the project's copy of the document: either may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from exchanges.btse import paths
from exchanges.btse.history import crowded, step
from exchanges.btse.markets import symbols
from exchanges.btse.rows import Reader
from exchanges.btse.walk import Walk
from exchanges.btse.windows import BEGIN, DAY, Server, bounds, millis, span, spans
from exchanges.connector import JSONValue, Page, Progress
from exchanges.errors import BadRequest, NotOffered
from exchanges.transport import Transport

TRADES = "trades"


def read_fills(signed: Transport, public: Transport, progress: Progress, now: int) -> Iterator[Page]:
    """A page for each window of each market; a market that is refused does not keep the others from being read."""
    cursor = {name: value for name, value in progress.cursor.items() if name not in ("not_offered", "asked")}
    refusal: BadRequest | None = None
    try:
        cursor["markets"] = symbols(public, cursor.get("markets"), progress, now)
        _note(cursor, progress)
        for symbol in _listed(cursor["markets"]):
            try:
                yield from _market(signed, symbol, cursor, progress, now)
            except BadRequest as error:
                refusal = error
            except NotOffered:
                if not cursor.get("walks"):
                    raise
                refusal = BadRequest(f"BTSE lists the market {symbol} but knows no fills of it.")
    except NotOffered:
        asked = datetime.fromtimestamp(now / 1000, UTC).isoformat()
        yield Page(stream=TRADES, cursor={**cursor, "not_offered": True, "asked": asked}, not_offered=True)
        return
    if refusal is not None:
        raise refusal
    yield Page(stream=TRADES, cursor=cursor, covered=(span(_floor(progress), now),))


def _floor(progress: Progress) -> int:
    """A day before the account's first known moment: nothing was traded before something was owned."""
    return BEGIN if progress.since is None else max(BEGIN, millis(progress.since) - DAY)


def _market(
    signed: Transport, symbol: str, cursor: dict[str, JSONValue], progress: Progress, now: int
) -> Iterator[Page]:
    """All windows of one market; `cursor` is brought up to date with each."""
    server = Server.load(cursor.get("server"))
    stored = cursor.get("walks")
    walks = dict(stored) if isinstance(stored, dict) else {}
    quiet_ends = progress.since is None
    walk = Walk.load(walks.get(symbol), server, floor=_floor(progress), quiet_ends=quiet_ends)
    walk.plan(now, full=progress.full, again=_again(cursor, symbol))
    reader = Reader(TRADES, ("tradeId", "serialId"))
    while (ask := walk.next()) is not None:
        rows, _ = step(signed, paths.FILLS, {"symbol": symbol}, walk, ask, reader)
        if walk.is_tied(ask):
            rows.unreadable.append(crowded(TRADES, ask, symbol))
            walk.skip(ask)
        walks[symbol] = walk.dump()
        cursor |= {"server": server.dump(), "walks": dict(walks)}
        yield Page(
            stream=TRADES,
            raws=tuple(rows.raws),
            unreadable=tuple(rows.unreadable),
            cursor=dict(cursor),
            sent=rows.sent,
        )


def _note(cursor: dict[str, JSONValue], progress: Progress) -> None:
    """A stretch that is to be read again waits in the cursor for every market."""
    again = bounds(progress.span)
    if again is not None:
        names: list[JSONValue] = [*_listed(cursor["markets"])]
        cursor["again"] = {"span": [list(again)], "markets": names}


def _again(cursor: dict[str, JSONValue], symbol: str) -> tuple[int, int] | None:
    """The stretch to be read again in this market, taken out of the cursor: its walk remembers it from here on."""
    noted = cursor.get("again")
    if not isinstance(noted, dict):
        return None
    waiting, stretch = noted.get("markets"), spans(noted.get("span"))
    if not isinstance(waiting, list) or symbol not in waiting or not stretch:
        return None
    left = [name for name in waiting if name != symbol]
    cursor["again"] = {**noted, "markets": left} if left else None
    return stretch[0]


def _listed(value: JSONValue) -> list[str]:
    found = value.get("symbols") if isinstance(value, dict) else None
    return [symbol for symbol in found if isinstance(symbol, str)] if isinstance(found, list) else []
