"""The days of the United Kingdom, in which its tax rules count: an hour ahead of UTC from March to October.

The rule has been the same since 1996 (last Sunday, 01:00 UTC), so no time zone data are needed.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

_HOUR = timedelta(hours=1)
TAX_YEAR_BEGINS = (4, 6)


def london_day(moment: datetime) -> date:
    """The calendar day in London of a moment in UTC."""
    begin, end = _summer(moment.year)
    return (moment + _HOUR).date() if begin <= moment < end else moment.date()


def london_midnight(day: date) -> datetime:
    """The moment in UTC at which a day begins in London."""
    midnight = datetime.combine(day, time(), UTC)
    begin, end = _summer(day.year)
    return midnight - _HOUR if begin < midnight <= end else midnight


def tax_year(day: date) -> int:
    """The year in which the tax year of a day began: 2024 from 6 April 2024 to 5 April 2025."""
    return day.year if (day.month, day.day) >= TAX_YEAR_BEGINS else day.year - 1


@lru_cache(maxsize=256)
def _summer(year: int) -> tuple[datetime, datetime]:
    return _last_sunday(year, 3), _last_sunday(year, 10)


def _last_sunday(year: int, month: int) -> datetime:
    last = date(year, month, 31)
    return datetime.combine(last - timedelta(days=(last.weekday() + 1) % 7), time(1), UTC)
