"""The one order in which movements are worked: by time, and at equal times by content, never by row number."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from portfolio.lots.records import Kind, Movement

# What came in is there to be moved, and what was moved in is there to be sold.
_RANK = {Kind.BUY: 0, Kind.INCOME: 0, Kind.TRANSFER: 1, Kind.SELL: 2, Kind.SPEND: 2}


class OutOfOrder(ValueError):
    """Movements must come with rising times: a lot cannot be sold before it is read."""


def in_order(movements: Iterable[Movement]) -> Iterator[Movement]:
    """Stream movements with rising times in canonical order; raises `OutOfOrder` where the time falls."""
    group: list[Movement] = []
    time: datetime | None = None
    for movement in movements:
        if movement.time != time:
            if time is not None and movement.time < time:
                raise OutOfOrder(f"{movement.time.isoformat()} comes after {time.isoformat()}.")
            yield from group if len(group) == 1 else sorted(group, key=content)
            time = movement.time
            group = [movement]
        else:
            group.append(movement)
    yield from sorted(group, key=content)


def content(movement: Movement) -> tuple[object, ...]:
    """What decides between movements of one time."""
    return (
        _RANK[movement.kind],
        movement.asset,
        movement.account,
        movement.to_account,
        movement.kind,
        movement.quantity,
        movement.value,
        movement.fee,
    )
