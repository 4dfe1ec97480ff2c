"""One answer's rows sorted into what is kept, what is set aside, and when each happened.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from exchanges import wire
from exchanges.btse.windows import millis
from exchanges.errors import Hostile
from exchanges.records import Raw, Unreadable


@dataclass(slots=True, kw_only=True)
class Rows:
    """What one answer brought."""

    raws: list[Raw] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    sent: int = 0
    distinct: int = 0
    """Of those sent, how many were not sent twice in the same answer."""


class Reader:
    """Reads the answers of one stream during one walk; a row that comes again is handed over once."""

    REMEMBERED = 200_000

    def __init__(self, stream: str, ids: Sequence[str]) -> None:
        """`ids`: the fields that may hold a row's id, the best first."""
        self._stream = stream
        self._ids = ids
        self._known: set[tuple[str, str]] = set()

    def read(self, value: wire.Value) -> Rows:
        """The rows of one answer; Hostile where there is no list in it."""
        found = Rows()
        here: set[tuple[str, str]] = set()
        for row in listed(value):
            found.sent += 1
            try:
                fields = wire.fields(row)
                raw = wire.record(self._stream, wire.identifier(wire.first(fields, self._ids)), fields)
            except ValueError as error:
                lost = wire.unreadable(self._stream, row, str(error))
                here.add(("", lost.digest))
                if self._is_new(("", lost.digest)):
                    found.unreadable.append(lost)
                continue
            with suppress(ValueError):  # without a time it is kept all the same, and refused when it is read
                found.times.append(millis(wire.moment(fields.get("timestamp"))))
            here.add((raw.source_id, raw.digest))
            if self._is_new((raw.source_id, raw.digest)):
                found.raws.append(raw)
        found.distinct = len(here)
        return found

    def _is_new(self, identity: tuple[str, str]) -> bool:
        if len(self._known) > self.REMEMBERED:
            self._known.clear()
        before = len(self._known)
        self._known.add(identity)
        return len(self._known) > before


def listed(value: wire.Value) -> list[wire.Value]:
    """The list in an answer, bare or under `data`; Hostile where there is none."""
    with suppress(ValueError):
        return wire.rows(value, "data")
    raise Hostile("The exchange's answer holds no list where one was expected.")
