"""A stretch of a paged list that is to be read again: how a cursor remembers it, and whether a reading has met it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from exchanges import wire
from exchanges.connector import Cursor, JSONValue, Page, Progress, Span

NAME = "again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The stretch, and the page at which reading it goes on; None where it has not begun."""

    span: Span
    page: int | None = None

    @classmethod
    def of(cls, progress: Progress) -> Again | None:
        """What is asked for now, or what an earlier turn has not come to the end of."""
        if progress.span is not None:
            return cls(span=progress.span)
        kept = progress.cursor.get(NAME)
        if not isinstance(kept, dict):
            return None
        try:
            span = Span(start=wire.moment(kept.get("from")), end=wire.moment(kept.get("until")))
        except ValueError:
            return None
        page = kept.get("page")
        return cls(span=span, page=page if isinstance(page, int) and page >= 0 else None)

    def at(self, page: int) -> Again:
        """The same, to go on at that page."""
        return replace(self, page=page)

    def into(self, cursor: Cursor) -> dict[str, JSONValue]:
        """The cursor, remembering this."""
        kept: dict[str, JSONValue] = {
            "from": self.span.start.isoformat(),
            "until": self.span.end.isoformat(),
            "page": self.page,
        }
        return {**cursor, NAME: kept}

    def is_met(self, covered: Iterable[Span]) -> bool:
        """Whether a reading has covered all of it anyway."""
        return any(one.start <= self.span.start and self.span.end <= one.end for one in covered)


def read_then(
    usual: Iterator[Page],
    again: Again | None,
    stretch: Callable[[Again, Cursor], Iterator[Page]],
    stream: str,
) -> Iterator[Page]:
    """The usual reading, and after it the stretch that was asked for, unless the usual one has met it."""
    if again is None:
        yield from usual
        return
    last = Page(stream=stream)
    for page in usual:
        last = page
        if again.is_met(page.covered):
            yield page
            return
        yield replace(page, cursor=again.into(page.cursor))
    yield from stretch(again, last.cursor)
