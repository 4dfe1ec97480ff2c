"""How the list of all trades of Tokens.net is read, where the exchange answers it: `trades/all/{page}`.

Every answer says how many pages there are. Which way they run is not documented: the first walk reads them all and
learns it; after that only the end where new trades appear is read. The cursor remembers:

- `order`: "down" when pages go from new to old, "up" from old to new, "" when there is only one
- `pages`: how many there were; `newest`: time of the newest trade read without a gap
- `deep`: when the overlap of three days was last read to its end
- `until`: the exchange's clock when the last complete read began; `walk`: where an unfinished walk stands
- `not_offered`: there is no such list; asked again by a full walk only
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from exchanges import wire
from exchanges.again import NAME as AGAIN
from exchanges.again import Again, read_then
from exchanges.connector import Clock, Cursor, JSONValue, Page, Progress, Span
from exchanges.errors import BadRequest, KeyProblem, NotOffered
from exchanges.tokens_net.answers import Rows, listed, rows_of, time_of
from exchanges.tokens_net.normalise import TRADES
from exchanges.tokens_net.prices import get
from exchanges.transport import Transport

OVERLAP = timedelta(days=3)
LAST_PAGE = 100_000
PAGES_OF_OVERLAP = 4
DEEP_EVERY = timedelta(hours=1)
"""An account so busy that its overlap fills more than four pages has it read to the end only once an hour."""
IDLE_PAGES = 2
BEGINNING = datetime(2017, 1, 1, tzinfo=UTC)
"""Before Tokens.net opened: a complete list covers everything since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One page of the list."""

    rows: Rows
    times: tuple[datetime, ...]
    pages: int | None

    def follows(self, earlier: Sheet | None) -> str:
        """ "down" when it is plainly older than the page before it, "up" when newer, else nothing."""
        if earlier is None or not self.times or not earlier.times:
            return ""
        if max(self.times) < max(earlier.times) and min(self.times) < min(earlier.times):
            return "down"
        newer = max(self.times) > max(earlier.times) and min(self.times) > min(earlier.times)
        return "up" if newer else ""


class Trades:
    """One reading of the list."""

    def __init__(self, transport: Transport, clock: Clock, progress: Progress) -> None:
        """Nothing is asked before `pages` is iterated."""
        self._transport = transport
        self._clock = clock
        self._progress = progress
        self._stored = {name: value for name, value in progress.cursor.items() if name != AGAIN}
        self._again = Again.of(progress)
        self._began: datetime | None = None
        self._seen: set[str] = set()
        self._idle = 0
        self._previous: Sheet | None = None
        self._start(self._stored)

    def _start(self, cursor: Cursor) -> None:
        order, pages = cursor.get("order"), cursor.get("pages")
        self._order = order if isinstance(order, str) else ""
        self._pages = pages if isinstance(pages, int) else 0
        self._newest = _time(cursor, "newest")
        self._until = _time(cursor, "until")
        self._deep = _time(cursor, "deep")

    def pages(self) -> Iterator[Page]:
        """Whatever is new, each page with the cursor that holds after it."""
        if self._stored.get("not_offered") and not self._progress.full:
            return
        try:
            yield from self._read_with_stretch()
        except (NotOffered, BadRequest):
            asked = self._clock.now().isoformat()
            yield Page(stream=TRADES, cursor={"not_offered": True, "asked": asked}, not_offered=True)
        except KeyProblem as error:
            # A refused key would have failed the balances first; this list alone must not stop the connection.
            raise BadRequest(f"The list of trades was refused: {error}", said=error.said) from None

    def _read_with_stretch(self) -> Iterator[Page]:
        """Whatever is new, then a stretch that was asked for again."""
        return read_then(self._read(), self._again, self._stretch, TRADES)

    def _stretch(self, again: Again, cursor: Cursor) -> Iterator[Page]:
        """Pages from the newest trade (or where an earlier turn stopped) back to one that is older than the stretch.

        Trades that arrive meanwhile move others to later pages only, so going on by the number of a page loses none.
        """
        self._seen, self._idle, self._previous = set(), 0, None
        step = -1 if self._order == "up" else 1
        page = again.page if again.page is not None else (max(self._pages, 1) if step < 0 else 1)
        while 1 <= page <= LAST_PAGE:
            sheet = self._sheet(page)
            self._learn(sheet)
            last = self._idle >= IDLE_PAGES or (self._is_last(sheet, page) and step > 0)
            page += step
            yield self._page(sheet, again.at(max(page, 0)).into(cursor))
            older = self._order and any(time < again.span.start for time in sheet.times)
            if last or older or not sheet.rows.sent:
                break
        yield Page(stream=TRADES, cursor=cursor, covered=(again.span,))

    def _read(self) -> Iterator[Page]:
        walk = self._stored.get("walk")
        if isinstance(walk, dict) and not self._progress.full:
            yield from self._everything(walk)
        elif self._progress.full or self._until is None:
            yield from self._everything({})
        else:
            threshold = (self._newest or BEGINNING) - OVERLAP
            if (yield from self._news(threshold)):
                yield self._finished(threshold)
            else:
                yield from self._everything({})

    def _everything(self, walk: Cursor) -> Iterator[Page]:
        """All pages, from where an earlier attempt stopped."""
        self._start(walk)
        self._seen, self._idle, self._previous = set(), 0, None
        next_page = walk.get("next")
        page = next_page if isinstance(next_page, int) and next_page > 0 else 1
        while 0 < page <= LAST_PAGE:
            sheet = self._sheet(page)
            self._until = self._until or self._began
            self._learn(sheet)
            page = 0 if self._is_last(sheet, page) else page + 1
            state: dict[str, JSONValue] = {**self._written(), "next": page or 1}
            yield self._page(sheet, {**self._stored, "walk": state})
        self._deep = self._until
        yield self._finished(BEGINNING)

    def _news(self, threshold: datetime) -> Generator[Page, None, bool]:
        """The end at which new trades appear; False when the order is not known or has changed."""
        start = max(self._pages, 1) if self._order == "up" else 1
        before, deep = self._newest or BEGINNING, self._deep
        for page in range(start, LAST_PAGE + 1):
            sheet = self._sheet(page)
            if page == start and not sheet.rows.sent and page > 1:
                return False
            self._learn(sheet)
            yield self._page(sheet, self._stored)
            if not self._order and not self._is_last(sheet, page):
                return False
            last = self._is_last(sheet, page)
            if last or (self._order == "down" and any(time < threshold for time in sheet.times)):
                self._deep = self._began
                break
            hurried = deep is not None and self._now() - deep < DEEP_EVERY
            known = self._order == "down" and any(time < before for time in sheet.times)
            if known and hurried and page >= PAGES_OF_OVERLAP:
                break
        self._until = self._began
        return True

    def _is_last(self, sheet: Sheet, page: int) -> bool:
        """The announced last page, an empty one, or a second one without anything new."""
        announced = sheet.pages is not None and page >= sheet.pages
        return announced or not sheet.rows.sent or self._idle >= IDLE_PAGES

    def _learn(self, sheet: Sheet) -> None:
        fresh = sheet.rows.values.keys() - self._seen
        self._idle = 0 if fresh else self._idle + 1
        self._seen |= fresh
        self._order = self._order or sheet.follows(self._previous)
        self._previous = sheet
        self._pages = sheet.pages or self._pages
        now = self._now()
        if sheet.times:
            # A time ahead of the clock must not hide what comes later.
            self._newest = max(self._newest or BEGINNING, min(max(sheet.times), now))

    def _now(self) -> datetime:
        return self._began or self._clock.now()

    def _sheet(self, page: int) -> Sheet:
        """One page; an empty one although more are announced is asked for once more before it is believed."""
        sheet = self._asked(page)
        doubtful = not sheet.rows.sent and (sheet.pages or 0) > page
        return self._asked(page) if doubtful else sheet

    def _asked(self, page: int) -> Sheet:
        try:
            answer = get(self._transport, f"/private/trades/all/{page}/")
        except (NotOffered, BadRequest):
            if page == 1:
                raise
            return Sheet(rows=rows_of(TRADES, []), times=(), pages=None)  # beyond the end
        self._began = self._began or answer.date or self._clock.now()
        rows = rows_of(TRADES, listed(answer.value, "trades"))
        times = (time_of(row, "datetime") for row in rows.values.values())
        announced = answer.value.get("pages") if isinstance(answer.value, dict) else None
        return Sheet(rows=rows, times=tuple(time for time in times if time), pages=_count(announced))

    def _page(self, sheet: Sheet, cursor: Cursor) -> Page:
        rows = sheet.rows
        return Page(stream=TRADES, raws=rows.raws, unreadable=rows.unreadable, cursor=cursor, sent=rows.sent)

    def _finished(self, since: datetime) -> Page:
        until = self._until or self._clock.now()
        covered = (Span(start=since, end=until),) if since < until else ()
        return Page(stream=TRADES, cursor=self._written(), covered=covered)

    def _written(self) -> dict[str, JSONValue]:
        return {
            "order": self._order,
            "pages": self._pages,
            "newest": self._newest.isoformat() if self._newest else None,
            "until": self._until.isoformat() if self._until else None,
            "deep": self._deep.isoformat() if self._deep else None,
        }


def _count(value: wire.Value) -> int | None:
    """How many pages are announced; a number that no list can have announces nothing."""
    try:
        count = int(wire.amount(value))
    except ValueError:
        return None
    return count if 0 <= count <= LAST_PAGE else None


def _time(cursor: Cursor, name: str) -> datetime | None:
    try:
        return wire.moment(cursor.get(name))
    except ValueError:
        return None
