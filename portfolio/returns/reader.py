"""Reads a file of days with values and flows, with rising dates."""

from collections.abc import Iterable, Iterator
from datetime import date

from portfolio.csvfile import FIRST_YEAR, LAST_YEAR, BadCell, number, read_table, shown
from portfolio.returns.records import ZERO, Day

COLUMNS = ("date", "value_usd", "flow_usd")


def read_days(lines: Iterable[str]) -> Iterator[Day]:
    """Days in the order of the file; raises `UnreadableFile` naming the line that is wrong."""
    before: date | None = None

    def day(cells: tuple[str, ...]) -> Day:
        nonlocal before
        on, value, flow = cells
        read = Day(
            on=_date(on),
            value=number(value, "value_usd") if value else None,
            flow=number(flow, "flow_usd") if flow else ZERO,
        )
        if before is not None and read.on <= before:
            raise BadCell("the date is not after that of the row above; sort the file, one row a day")
        before = read.on
        return read

    return read_table(lines, COLUMNS, day)


def _date(text: str) -> date:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        raise BadCell(f"the date {shown(text)} is not like 2024-05-01") from None
    if not FIRST_YEAR <= on.year < LAST_YEAR:
        raise BadCell(f"the date {shown(text)} is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return on
