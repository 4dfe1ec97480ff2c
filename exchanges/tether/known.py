"""What earlier reads have learnt about an account's list of transactions, as the cursor keeps it.

Pure. Nobody documents how long a page is, whether the first is 0 or 1, which way pages run, or whether
`transactions.json` is everything or only the newest: it is learnt, and remembered here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from exchanges import wire
from exchanges.connector import Cursor, JSONValue
from exchanges.tether.sheets import Sheet

BEGINNING = datetime(2014, 1, 1, tzinfo=UTC)
"""Before Tether existed: a complete list covers everything since."""


@dataclass(slots=True, kw_only=True)
class Known:
    """What is known of the list."""

    front: str = ""
    """ "newest": `transactions.json` is proven to hold the newest rows; "oldest": it does not; else not known."""
    pages: str = ""
    """ "down": from new to old; "up": from old to new; else not known, or there is only one."""
    first: int = 1
    last: int = 0
    """Numbers of the first page and of the last one that had rows."""
    size: int = 0
    """Rows of the longest page."""
    newest: datetime | None = None
    """Time of the newest row up to which there is no gap."""
    oldest: str = ""
    oldest_at: datetime | None = None
    """Id and time of the oldest row that was shown; a row that is listed late may lie below it."""
    until: datetime | None = None
    """The exchange's clock when the last complete read began."""
    deep: datetime | None = None
    """When the overlap was last read to its end."""
    open_from: str = ""
    """Where asking for open rows by id goes on, when there are too many for one run."""

    @classmethod
    def read(cls, cursor: Cursor) -> Known:
        """From a stored cursor; an unusable part counts as not known."""
        return cls(
            front=_text(cursor, "front"),
            pages=_text(cursor, "pages"),
            first=number(cursor, "first", 1),
            last=number(cursor, "last", 0),
            size=number(cursor, "size", 0),
            newest=_time(cursor, "newest"),
            oldest=_text(cursor, "oldest"),
            oldest_at=_time(cursor, "oldest_at"),
            until=_time(cursor, "until"),
            deep=_time(cursor, "deep"),
            open_from=_text(cursor, "open_from"),
        )

    def written(self) -> dict[str, JSONValue]:
        """As it is stored."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }

    @property
    def settled(self) -> datetime:
        """What was dated three days before this had been listed when the overlap was last read to its end."""
        return max(self.newest or BEGINNING, self.deep or BEGINNING)

    def take(self, one: Sheet, now: datetime) -> None:
        """Note the newest and the oldest row; a time ahead of the clock must not hide what comes later."""
        if one.newest:
            self.newest = max(self.newest or BEGINNING, min(one.newest, now))
        for source_id, at in one.times.items():
            if self.oldest_at is None or at < self.oldest_at:
                self.oldest, self.oldest_at = source_id, at

    def learn_front(self, front: Sheet, paged: frozenset[str]) -> None:
        """What `transactions.json` holds, judged after a complete walk that saw the ids `paged`.

        A list that starts with the newest row, or that left rows out but not the newest, can be cut at its old end
        only. One that held everything from old to new may be cut at its new end as soon as it grows.
        """
        if not front.newest:
            self.front = "oldest" if paged else ""
        elif self.newest and front.newest < self.newest:
            self.front = "oldest"
        else:
            self.front = "newest" if front.falling or paged - front.tokens else ""

    def is_told_by(self, front: Sheet, threshold: datetime) -> bool:
        """Whether `transactions.json` alone shows all that happened since `threshold`.

        It does when it holds the newest rows and goes back beyond the threshold, because it has no holes; and when
        an account without any row still has none. The account's oldest row proves nothing: a late one may lie below.
        """
        if self.newest is None and not front.sent:
            return True
        return self.front == "newest" and front.reaches(threshold)


def number(cursor: Cursor, name: str, otherwise: int) -> int:
    """A whole number of a cursor."""
    value = cursor.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


def _text(cursor: Cursor, name: str) -> str:
    value = cursor.get(name)
    return value if isinstance(value, str) else ""


def _time(cursor: Cursor, name: str) -> datetime | None:
    try:
        return wire.moment(cursor.get(name))
    except ValueError:
        return None
