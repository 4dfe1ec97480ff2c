"""A stretch that is to be read again stays in the cursor until a reading has met it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from exchanges.again import NAME, Again, read_then
from exchanges.connector import Cursor, JSONValue, Page, Progress, Span

MAY = datetime(2026, 5, 1, tzinfo=UTC)
SPAN = Span(start=MAY, end=MAY.replace(day=9))
AGAIN = Again(span=SPAN)


def stretch(again: Again, cursor: Cursor) -> Iterator[Page]:
    """Reading it takes two pages."""
    yield Page(stream="list", cursor=again.at(2).into(cursor))
    yield Page(stream="list", cursor={"usual": cursor["usual"]}, covered=(again.span,))


def usual(*covered: Span) -> Iterator[Page]:
    """A page for each span."""
    for number, span in enumerate(covered):
        yield Page(stream="list", cursor={"usual": number}, covered=(span,))


def test_the_cursor_remembers_a_stretch_and_the_page_where_it_goes_on() -> None:
    cursor = AGAIN.at(7).into({"usual": 1})
    assert cursor["usual"] == 1
    assert Again.of(Progress(cursor=cursor)) == Again(span=SPAN, page=7)


def test_what_is_asked_for_now_comes_before_what_was_not_finished() -> None:
    now = Span(start=MAY.replace(day=20), end=MAY.replace(day=21))
    assert Again.of(Progress(cursor=AGAIN.at(7).into({}), span=now)) == Again(span=now)


def test_a_cursor_that_cannot_be_read_asks_for_nothing() -> None:
    torn: list[JSONValue] = [None, "x", {}, {"from": "yesterday", "until": MAY.isoformat()}]
    for kept in torn:
        assert Again.of(Progress(cursor={NAME: kept})) is None
    assert Again.of(Progress(cursor=AGAIN.at(-1).into({}))) == AGAIN


def test_the_stretch_is_read_after_what_is_new_and_then_forgotten() -> None:
    newer = Span(start=MAY.replace(day=20), end=MAY.replace(day=30))
    pages = list(read_then(usual(newer, newer), AGAIN, stretch, "list"))
    assert [NAME in page.cursor for page in pages] == [True, True, True, False]
    assert pages[-1].cursor == {"usual": 1}


def test_a_stretch_that_the_usual_reading_has_met_is_not_read_twice() -> None:
    pages = list(read_then(usual(Span(start=MAY, end=MAY.replace(day=30))), AGAIN, stretch, "list"))
    assert [NAME in page.cursor for page in pages] == [False]


def test_without_a_wish_nothing_is_added() -> None:
    assert [page.cursor for page in read_then(usual(SPAN), None, stretch, "list")] == [{"usual": 0}]
