"""Which spans of a list have been read, as a bar with holes: whole numbers for an SVG, no drawing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from portfolio.models import Coverage

WIDTH = 1000
UNKNOWN = 150
"""How much of the bar stands for a past of unknown length that has not been read yet."""
NARROWEST = 4
CLOCKS_DIFFER = timedelta(seconds=1)
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One stretch of the bar, in thousandths of it."""

    x: int
    width: int
    is_hole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The bar of one list."""

    begins: datetime | None
    """Its left end; None where nothing has been read."""
    blocks: tuple[Block, ...]
    holes: tuple[Stretch, ...]
    is_open: bool
    """Whether what came before its left end has not been read yet."""


def bar(coverage: Coverage, now: datetime, first: datetime | None = None) -> Bar:
    """What of the list has been read; `first` is its first known row, which a completed list reaches back to."""
    spans = [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in coverage.spans]
    done = coverage.complete_at
    begins = min((at for at in (*(a for a, _ in spans), first) if at and at <= now), default=None)
    if begins is None or (begins == first and not spans and done is None):
        begins = done
    if begins is None or begins >= now:
        return Bar(begins=None, blocks=(), holes=(), is_open=done is None)
    if done is not None:
        spans = [*spans, (begins, done)]
    read = _joined([(max(a, begins), min(b, now)) for a, b in spans if a < now and b > begins])
    holes = _between(read, begins)
    is_open = done is None
    left = UNKNOWN if is_open else 0
    blocks = [_block(one, begins, now, left, is_hole=False) for one in read]
    blocks += [_block(one, begins, now, left, is_hole=True) for one in holes]
    if is_open:
        blocks.append(Block(x=0, width=UNKNOWN, is_hole=True))
    return Bar(begins=begins, blocks=tuple(blocks), holes=tuple(holes), is_open=is_open)


def _joined(spans: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + CLOCKS_DIFFER:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _between(read: list[Stretch], begins: datetime) -> list[Stretch]:
    """What lies between two stretches that were read; what is yet to be read at the right end is no hole."""
    holes, at = [], begins
    for start, end in read:
        if start > at:
            holes.append((at, start))
        at = end
    return holes


def _block(one: Stretch, begins: datetime, now: datetime, left: int, *, is_hole: bool) -> Block:
    whole = (now - begins) / timedelta(microseconds=1)
    room = WIDTH - left
    x = left + int((one[0] - begins) / timedelta(microseconds=1) / whole * room)
    width = int((one[1] - one[0]) / timedelta(microseconds=1) / whole * room)
    return Block(x=min(x, WIDTH - NARROWEST), width=max(width, NARROWEST), is_hole=is_hole)
