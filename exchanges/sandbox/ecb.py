"""The ECB's reference rates of the invented world: the one file of all days, packed as the ECB packs it.

The shape is that of https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip: a row a working day, newest first,
what one euro cost in each currency. The rates of a day are there from four in the afternoon in Frankfurt on.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context
from io import BytesIO
from wsgiref.types import StartResponse, WSGIEnvironment

from exchanges.sandbox.world import World
from exchanges.sandbox.world.prices import CURRENCIES

PATH = "/stats/eurofxref/eurofxref-hist.zip"
NAMES = ("USD", "GBP", *CURRENCIES)
FIXED = time(13, 15, tzinfo=UTC)
PUBLIC = time(15, tzinfo=UTC)
PAST = timedelta(days=3 * 366)
"""How long before the world's opening the file begins: longer than any life in it."""
_DIGITS = Context(prec=6)


class ReferenceRates:
    """The one file that the ECB's address gives."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows: dict[date, str] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The file, or nothing of that name."""
        if environ["REQUEST_METHOD"] != "GET" or environ["PATH_INFO"] != PATH:
            start_response("404 Not Found", [("Content-Length", "0")])
            return [b""]
        body = packed(self.table())
        start_response("200 OK", [("Content-Type", "application/zip"), ("Content-Length", str(len(body)))])
        return [body]

    def table(self) -> str:
        """All rows that are public by now."""
        days = sorted(self._days(), reverse=True)
        return "".join([f"Date,{','.join(NAMES)},\n", *(self._row(day) for day in days)])

    def _days(self) -> Iterator[date]:
        now = self._world.now().astimezone(UTC)
        day = (self._world.opened - PAST).date()
        while day < now.date() or (day == now.date() and now.timetz() >= PUBLIC):
            if day.isoweekday() <= 5:
                yield day
            day += timedelta(days=1)

    def _row(self, day: date) -> str:
        """A day is reckoned once: what was said is never said otherwise."""
        if day not in self._rows:
            at = datetime.combine(day, FIXED)
            rates = (self._world.prices.pair("EUR", name, at) for name in NAMES)
            told = ["N/A" if rate is None else f"{_DIGITS.plus(rate):f}" for rate in rates]
            self._rows[day] = f"{day.isoformat()},{','.join(told)},\n"
        return self._rows[day]


def packed(table: str) -> bytes:
    """One file in a ZIP."""
    body = BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurofxref-hist.csv", table)
    return body.getvalue()
