"""How the transactions of Tether.to are read: completely at first, then with the fewest requests that are safe.

The first walk reads `transactions.json` and every page, and learns how the list is ordered (`known`). After it,
only the end where new rows appear is read, back to three days before the newest one, or before the last time at which
so much was read, if that is later: whatever is dated earlier had been listed by then. Older rows are read again while
they are open, each by its id. What appears back-dated further is found by the next full walk.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta

from exchanges import wire
from exchanges.again import NAME as AGAIN
from exchanges.again import Again, read_then
from exchanges.connector import Clock, Cursor, JSONValue, Page, Progress, Span
from exchanges.errors import BadRequest, ExchangeFault, Hostile, NotOffered, TooMuch
from exchanges.tether.known import BEGINNING, Known, number
from exchanges.tether.normalise import TRANSACTIONS
from exchanges.tether.sheets import EMPTY, Sheet, listed, sheet
from exchanges.transport import Answer, Transport

LIST_PATH = "/api/v1/transactions.json"
OVERLAP = timedelta(days=3)
LAST_PAGE = 10_000
PAGES_OF_OVERLAP = 4
DEEP_EVERY = timedelta(hours=1)
"""An account so busy that its overlap fills more than four pages has it read to the end only once an hour."""
REFUSALS = 3
IDLE_PAGES = 2
"""A page can be all known because rows arrived meanwhile and moved it; two such pages are the end."""
OPEN_AT_ONCE = 50

_PATH_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class Walk:
    """One reading of the transactions."""

    def __init__(self, transport: Transport, clock: Clock, progress: Progress) -> None:
        """Nothing is asked before `pages` is iterated."""
        self._transport = transport
        self._clock = clock
        self._progress = progress
        self._cursor: dict[str, JSONValue] = dict(progress.cursor)
        self._cursor.pop(AGAIN, None)
        self._again = Again.of(progress)
        self._began: datetime | None = None
        self._seen: set[str] = set()
        self._paged: set[str] = set()
        self._previous = EMPTY
        self._idle = 0

    def pages(self) -> Iterator[Page]:
        """Whatever is new or may have changed, then a stretch that was asked for again."""
        return read_then(self._usual(), self._again, self._stretch, TRANSACTIONS)

    def _stretch(self, again: Again, cursor: Cursor) -> Iterator[Page]:
        """Pages from the newest row (or where an earlier turn stopped) back to one that is older than the stretch.

        Rows that arrive meanwhile move others to later pages only, so going on by the number of a page loses none.
        """
        known = Known.read(cursor)
        step = -1 if known.pages == "up" else 1
        page = again.page if again.page is not None else (known.last if step < 0 else known.first)
        seen: set[str] = set()
        idle = 0
        while known.first <= page <= LAST_PAGE and idle < IDLE_PAGES:
            one = self._numbered(page)
            idle = 0 if one.tokens - seen else idle + 1
            seen |= one.tokens
            page += step
            yield self._page(one, again.at(max(page, 0)).into(cursor))
            if not one.sent or (known.pages and one.reaches(again.span.start)):
                break
        if not seen and again.page is None:  # there are no pages to go by
            yield from self._everything({})
        else:
            yield Page(stream=TRANSACTIONS, cursor=cursor, covered=(again.span,))

    def _usual(self) -> Iterator[Page]:
        """Each page with the cursor that holds after it."""
        state = self._cursor.get("walk")
        if self._progress.full or (not isinstance(state, dict) and not self._cursor.get("until")):
            return self._everything({})
        return self._everything(state) if isinstance(state, dict) else self._news()

    def _everything(self, state: Cursor) -> Iterator[Page]:
        """Read the whole list, from where an earlier attempt stopped; `state` is what that one had learnt.

        Rows that are newer than a resumed walk are kept but do not count as read without a gap.
        """
        known, page = Known.read(state), number(state, "next", 1)
        if page and known.pages != "down":
            page = max(known.last, 1)  # the last page with rows may have grown since
        self._paged, self._previous, self._idle = set(), EMPTY, 0
        front, too_long = self._front_unless_too_long()
        if not state:
            known.until = self._began
            known.take(front, self._now())
        yield self._page(front, self._midway(known, page))
        while 0 < page <= LAST_PAGE:
            one = self._numbered(page)
            self._learn(known, one, page)
            page = page + 1 if one.sent and self._idle < IDLE_PAGES else 0
            yield self._page(one, self._midway(known, page))
        if too_long is not None and not known.last:
            raise too_long
        zero = yield from self._page_zero(self._midway(known, 0), number(state, "refused", 0))
        if not state:  # on a resumed walk it may be the newest page, with unread rows below it
            known.take(zero, self._now())
        known.first = 0 if zero.tokens - self._paged else 1
        known.learn_front(front, zero.tokens | self._paged)
        known.deep = known.until
        yield self._page(zero, self._midway(known, 0))
        yield from self._open_rows(known, self._midway(known, 0))
        yield self._finished(known, BEGINNING)

    def _midway(self, known: Known, page: int) -> Cursor:
        return {**self._cursor, "walk": {**known.written(), "next": page}}

    def _learn(self, known: Known, one: Sheet, page: int) -> None:
        fresh = one.tokens - self._paged
        self._idle = 0 if fresh else self._idle + 1
        self._paged |= fresh
        known.take(one, self._now())
        if fresh:
            known.pages = known.pages or one.follows(self._previous)
            known.last, known.size = page, max(known.size, len(one.tokens))
            self._previous = one

    def _page_zero(self, cursor: Cursor, refused: int) -> Generator[Page, None, Sheet]:
        """Whether there is a page 0 is told by asking for it; a server that stumbles over it again and again has none.

        Once may be chance, so the reading fails then and goes on from here next time.
        """
        try:
            return self._numbered(0)
        except (ExchangeFault, Hostile) as error:
            if refused + 1 >= REFUSALS:
                return EMPTY
            failure = error
        walk = cursor["walk"]
        assert isinstance(walk, dict)
        yield self._page(EMPTY, {**cursor, "walk": {**walk, "refused": refused + 1}})
        raise failure

    def _news(self) -> Iterator[Page]:
        """Read the end of the list at which new rows appear."""
        known = Known.read(self._cursor)
        threshold = known.settled - OVERLAP
        front, enough = EMPTY, False
        if known.front == "newest" or not known.pages:
            front = self._front()
            if not known.front and front.falling:
                known.front = "newest"
            enough = known.is_told_by(front, threshold)
            known.deep = self._began if enough else known.deep
            known.take(front, self._now())
            yield self._page(front, self._cursor)
        if not enough:
            enough = yield from self._newest_pages(known, threshold, front)
        if not enough:
            yield from self._everything({})
            return
        known.until = self._began
        yield from self._open_rows(known, self._cursor)
        yield self._finished(known, threshold)

    def _newest_pages(self, known: Known, threshold: datetime, front: Sheet) -> Generator[Page, None, bool]:
        """Pages from the new end back to `threshold`; False when the order is not known or has changed."""
        if not known.pages:
            return not self._has_grown(known, front)
        start = known.last if known.pages == "up" else known.first
        before = Known.read(self._cursor).newest or BEGINNING
        hurried = known.deep is not None and self._now() - known.deep < DEEP_EVERY
        for page in range(start, LAST_PAGE + 1):
            one, longest = self._numbered(page), known.size
            if not one.sent:
                known.deep = self._began if page > start else known.deep
                return page > start
            self._learn(known, one, page)
            yield self._page(one, self._cursor)
            if known.pages == "up":
                if page == start and not one.reaches(threshold) and not hurried:
                    yield from self._pages_before(known, start, threshold)
                    known.deep = self._began
                ended = len(one.tokens) < longest
            else:
                deep = one.reaches(threshold)
                known.deep = self._began if deep else known.deep
                ended = deep or (hurried and page >= start + PAGES_OF_OVERLAP - 1 and one.reaches(before))
            if ended or self._idle >= IDLE_PAGES:
                return True
        return True

    def _pages_before(self, known: Known, last: int, threshold: datetime) -> Iterator[Page]:
        """Of a list from old to new, pages before the last one, back to `threshold`: rows may be listed late."""
        for page in range(last - 1, known.first - 1, -1):
            one = self._numbered(page)
            known.take(one, self._now())
            yield self._page(one, self._cursor)
            if one.reaches(threshold):
                return

    def _has_grown(self, known: Known, front: Sheet) -> bool:
        """Whether a list that fitted one page may have a second one now, or its order never became plain.

        It has not when `transactions.json` still goes back to the first row and the next page has no rows, or (some
        servers repeat their last page) just the same.
        """
        if known.front == "newest" or known.last != known.first or known.oldest not in front.times:
            return True
        following = self._numbered(known.last + 1).tokens
        return bool(following) and following != front.tokens

    def _open_rows(self, known: Known, cursor: Cursor) -> Iterator[Page]:
        """Ask by id for open rows that no page of this reading has shown; too many take turns."""
        waiting = sorted(
            row.source_id
            for row in self._progress.open_rows
            if row.source_id not in self._seen and _PATH_ID.fullmatch(row.source_id)
        )
        turn = [one for one in waiting if one > known.open_from] + [
            one for one in waiting if one <= known.open_from
        ]
        for source_id in turn[:OPEN_AT_ONCE]:
            with contextlib.suppress(NotOffered, BadRequest):
                answer = self._ask(f"/api/v1/transactions/{source_id}.json")
                yield self._page(sheet(TRANSACTIONS, [_single(answer.value)]), cursor)
        known.open_from = turn[OPEN_AT_ONCE - 1] if len(turn) > OPEN_AT_ONCE else ""

    def _finished(self, known: Known, since: datetime) -> Page:
        until = known.until or self._now()
        covered = (Span(start=since, end=until),) if since < until else ()
        return Page(stream=TRANSACTIONS, cursor=known.written(), covered=covered)

    def _page(self, one: Sheet, cursor: Cursor) -> Page:
        self._seen |= one.tokens
        return Page(
            stream=TRANSACTIONS, raws=one.raws, unreadable=one.unreadable, cursor=cursor, sent=one.sent
        )

    def _front(self) -> Sheet:
        return sheet(TRANSACTIONS, listed(self._ask(LIST_PATH).value))

    def _front_unless_too_long(self) -> tuple[Sheet, TooMuch | None]:
        """A list that is too long for one answer may still be read in pages; without pages that is an error."""
        try:
            return self._front(), None
        except TooMuch as error:
            self._began = self._began or self._clock.now()
            return EMPTY, error

    def _numbered(self, page: int) -> Sheet:
        """One page; what comes past the end is not documented: an empty list, 404 and 400 are the same."""
        try:
            return sheet(TRANSACTIONS, listed(self._ask(f"/api/v1/transactions/page/{page}").value))
        except (NotOffered, BadRequest):
            return EMPTY

    def _ask(self, path: str) -> Answer:
        answer = self._transport.get(path)
        self._began = self._began or answer.date or self._now()
        return answer

    def _now(self) -> datetime:
        return self._began or self._clock.now()


def _single(value: wire.Value) -> wire.Value:
    """One transaction: bare, or the only object inside an object without an id."""
    if isinstance(value, dict) and "id" not in value:
        inside = [one for one in value.values() if isinstance(one, dict)]
        return inside[0] if len(inside) == 1 else value
    return value
